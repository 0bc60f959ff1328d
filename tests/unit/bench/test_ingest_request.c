/* test_ingest_request.c - requests of captured spans, by the index that the receiver has; and what renewing changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ingest_pool.h"

#define CAPTURES TEST_DATA_DIR "/otlp"
#define REQUESTS 16
#define ARENA_BYTES_MAX (64UL << 20)

static void start_pool(struct ingest_pool *pool, uint32_t spans)
{
    struct err err;

    if (ingest_pool_init(pool, CAPTURES, spans, REQUESTS, 1, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(pool->count, REQUESTS);
}

static void index_of(struct otlp_index *index, struct arena *arena, const struct ingest_request *request)
{
    struct err err;

    if (otlp_index_build(index, arena, ingest_request_message(request), &err) < 0)
        fail_msg("%s", err.text);
}

static void assert_prefix(const struct ingest_request *request)
{
    const uint8_t *frame = request->frame.data;
    size_t len = (size_t)frame[1] << 24 | (size_t)frame[2] << 16 | (size_t)frame[3] << 8 | frame[4];

    assert_int_equal(frame[0], 0);
    assert_int_equal(len, request->frame.len - INGEST_PREFIX_BYTES);
}

/* More spans than the captures have: they begin again. */
static void test_every_span_is_valid(void **state)
{
    static const uint32_t sizes[] = {1, 10, 100, 1000, 20000};

    (void)state;
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct ingest_pool pool;
        struct arena arena;

        start_pool(&pool, sizes[i]);
        arena_init(&arena, ARENA_BYTES_MAX);
        for (unsigned at = 0; at < pool.count; at++) {
            struct otlp_index index;

            index_of(&index, &arena, &pool.requests[at]);
            assert_int_equal(index.span_count, sizes[i]);
            assert_int_equal(index.by_validity[OTLP_VALID], sizes[i]);
            assert_prefix(&pool.requests[at]);
            arena_reset(&arena, ARENA_BYTES_MAX);
        }
        arena_fini(&arena);
        ingest_pool_fini(&pool);
    }
}

/* Whole captures are in the list, so their first spans make the captures again, but for how they are grouped. */
static void test_spans_keep_their_bytes_scope_and_resource(void **state)
{
    struct ingest_source source;
    struct ingest_request request;
    struct otlp_index index;
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, ARENA_BYTES_MAX);
    assert_int_equal(ingest_source_init(&source, CAPTURES, &err), 0);
    assert_int_equal(ingest_request_init(&request, &source, 0, (uint32_t)source.span_count, &arena, &err), 0);
    index_of(&index, &arena, &request);
    for (uint32_t i = 0; i < index.span_count; i++) {
        const struct otlp_scope_ref *scope = &index.scopes[index.spans[i].scope];
        const struct otlp_resource_ref *resource = &index.resources[scope->resource];

        assert_true(slice_equal(index.spans[i].bytes, source.spans[i].bytes));
        assert_true(slice_equal(scope->bytes, source.spans[i].scope->bytes));
        assert_true(slice_equal(scope->schema_url, source.spans[i].scope->schema_url));
        assert_true(slice_equal(resource->bytes, source.spans[i].resource->bytes));
        assert_true(slice_equal(resource->schema_url, source.spans[i].resource->schema_url));
    }
    ingest_request_fini(&request);
    ingest_source_fini(&source);
    arena_fini(&arena);
}

/* How many pairs of spans share a trace: the same before and after. */
static unsigned shared_traces(const struct otlp_index *index)
{
    unsigned shared = 0;

    for (uint32_t i = 0; i < index->span_count; i++) {
        for (uint32_t j = 0; j < i; j++)
            shared += memcmp(index->spans[i].trace_id, index->spans[j].trace_id, OTLP_TRACE_ID_BYTES) == 0;
    }
    return shared;
}

static void test_renewing_changes_every_id_and_nothing_else(void **state)
{
    struct ingest_pool pool;
    struct ingest_request *request;
    struct otlp_index before, after;
    struct buf copy;
    struct arena arena;
    struct err err;
    uint64_t random = 7;

    (void)state;
    start_pool(&pool, 100);
    request = &pool.requests[0];
    arena_init(&arena, ARENA_BYTES_MAX);
    buf_init(&copy, INGEST_REQUEST_BYTES_MAX);
    buf_append(&copy, ingest_request_message(request).data, ingest_request_message(request).len);
    assert_int_equal(otlp_index_build(&before, &arena, buf_slice(&copy), &err), 0);
    ingest_request_renew(request, &random);
    index_of(&after, &arena, request);
    assert_int_equal(after.by_validity[OTLP_VALID], 100);
    for (uint32_t i = 0; i < 100; i++) {
        assert_memory_not_equal(after.spans[i].trace_id, before.spans[i].trace_id, OTLP_TRACE_ID_BYTES);
        assert_memory_not_equal(after.spans[i].span_id, before.spans[i].span_id, OTLP_SPAN_ID_BYTES);
    }
    assert_true(shared_traces(&before) > 0);
    assert_int_equal(shared_traces(&after), shared_traces(&before));

    /* With the ids set back it is the same request. */
    for (uint32_t i = 0; i < request->trace_id_count; i++)
        memcpy(request->frame.data + request->trace_ids[i], copy.data + request->trace_ids[i] - INGEST_PREFIX_BYTES,
               OTLP_TRACE_ID_BYTES);
    for (uint32_t i = 0; i < request->span_id_count; i++)
        memcpy(request->frame.data + request->span_ids[i], copy.data + request->span_ids[i] - INGEST_PREFIX_BYTES,
               OTLP_SPAN_ID_BYTES);
    assert_true(slice_equal(ingest_request_message(request), buf_slice(&copy)));
    buf_fini(&copy);
    arena_fini(&arena);
    ingest_pool_fini(&pool);
}

static void test_a_child_still_has_its_parent(void **state)
{
    struct ingest_pool pool;
    uint64_t random = 7;
    unsigned parents[2] = {0, 0};

    (void)state;
    start_pool(&pool, 200);
    for (unsigned round = 0; round < 2; round++) {
        const struct ingest_request *request = &pool.requests[0];

        for (uint32_t i = 0; i < request->span_id_count; i++) {
            for (uint32_t j = 0; j < i; j++)
                parents[round] += memcmp(request->frame.data + request->span_ids[i],
                                         request->frame.data + request->span_ids[j], OTLP_SPAN_ID_BYTES) == 0;
        }
        ingest_request_renew(&pool.requests[0], &random);
    }
    assert_true(parents[0] > 0);
    assert_int_equal(parents[0], parents[1]);
    ingest_pool_fini(&pool);
}

static void test_a_folder_without_captures_is_an_error(void **state)
{
    struct ingest_pool pool;
    struct err err;

    (void)state;
    assert_int_equal(ingest_pool_init(&pool, SOURCE_DIR "/docs", 10, REQUESTS, 1, &err), -1);
    assert_string_equal(err.text, "there is no " SOURCE_DIR "/docs/java-*.pb");
    ingest_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_span_is_valid),
        cmocka_unit_test(test_spans_keep_their_bytes_scope_and_resource),
        cmocka_unit_test(test_renewing_changes_every_id_and_nothing_else),
        cmocka_unit_test(test_a_child_still_has_its_parent),
        cmocka_unit_test(test_a_folder_without_captures_is_an_error),
    };

    return cmocka_run_group_tests_name("ingest_request", tests, NULL, NULL);
}
