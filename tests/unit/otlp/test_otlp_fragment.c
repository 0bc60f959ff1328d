/*
 * otlp_fragment: grouping, cutting and repetitions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "otlp_fixture.h"
#include "otlp_fragment.h"
#include "otlp_samples.h"

#define REQUEST_BYTES_MAX (64UL << 20)
#define RECEIVED_NS 1700000000000000000ULL

static struct otlp_index request_index;
static struct otlp_fragment *fragments;
static size_t fragment_count;

static void build(struct slice request)
{
    assert_int_equal(otlp_index_build(&request_index, &arena, request, &err), 0);
    assert_int_equal(otlp_fragment_build(&fragments, &fragment_count, &arena, &request_index, RECEIVED_NS, &err), 0);
}

static const struct otlp_scope_ref *scope_of(const struct otlp_index *index, uint32_t span)
{
    return &index->scopes[index->spans[span].scope];
}

static bool repeats(const struct otlp_index *index, uint32_t a, uint32_t b)
{
    const struct otlp_scope_ref *scope_a = scope_of(index, a);
    const struct otlp_scope_ref *scope_b = scope_of(index, b);

    return scope_a->resource == scope_b->resource && slice_equal(index->spans[a].bytes, index->spans[b].bytes) &&
           slice_equal(scope_a->bytes, scope_b->bytes) && slice_equal(scope_a->schema_url, scope_b->schema_url);
}

static bool is_expected(const struct otlp_index *index, uint32_t span)
{
    if (index->spans[span].validity != OTLP_VALID)
        return false;
    for (uint32_t earlier = 0; earlier < span; earlier++)
        if (repeats(index, earlier, span))
            return false;
    return true;
}

static void check_fragment(const struct otlp_fragment *fragment, unsigned *seen)
{
    const struct otlp_index *index = fragment->index;
    uint64_t start = UINT64_MAX;
    uint64_t end = 0;

    assert_in_range(fragment->span_count, 1, FRAGMENT_SPANS_MAX);
    assert_int_equal(fragment->received_ns, RECEIVED_NS);
    for (uint32_t i = 0; i < fragment->span_count; i++) {
        const struct otlp_span_ref *span = &index->spans[fragment->spans[i]];

        seen[fragment->spans[i]]++;
        assert_true(i == 0 || fragment->spans[i - 1] < fragment->spans[i]);
        assert_int_equal(scope_of(index, fragment->spans[i])->resource, fragment->resource);
        assert_memory_equal(span->trace_id, index->spans[fragment->spans[0]].trace_id, OTLP_TRACE_ID_BYTES);
        start = span->start_unix_nano < start ? span->start_unix_nano : start;
        end = span->end_unix_nano > end ? span->end_unix_nano : end;
    }
    assert_int_equal(fragment->start_unix_nano, start);
    assert_int_equal(fragment->end_unix_nano, end);
}

/* What is sent of a fragment on its own must be the same fragment to whoever receives it. */
static void check_encoded(const struct otlp_fragment *fragment)
{
    struct otlp_fragment *again;
    struct otlp_index index;
    struct buf request;
    size_t count;

    buf_init(&request, REQUEST_BYTES_MAX);
    assert_int_equal(otlp_fragment_encode(&request, fragment), 0);
    assert_int_equal(otlp_index_build(&index, &arena, buf_slice(&request), &err), 0);
    assert_int_equal(index.span_count, fragment->span_count);
    assert_int_equal(otlp_fragment_build(&again, &count, &arena, &index, RECEIVED_NS, &err), 0);
    assert_int_equal(count, 1);
    assert_memory_equal(again->hash, fragment->hash, OTLP_FRAGMENT_HASH_BYTES);
    buf_fini(&request);
}

static void check_sample(const struct sample *sample, struct slice request)
{
    struct otlp_fragment *first;
    unsigned *seen;

    (void)sample;
    arena_reset(&arena, 0);
    build(request);
    seen = arena_calloc(&arena, request_index.span_count, sizeof(*seen));
    assert_non_null(seen);
    for (size_t i = 0; i < fragment_count; i++) {
        check_fragment(&fragments[i], seen);
        check_encoded(&fragments[i]);
        assert_true(i == 0 || fragments[i - 1].resource <= fragments[i].resource);
    }
    for (uint32_t i = 0; i < request_index.span_count; i++)
        assert_int_equal(seen[i], is_expected(&request_index, i));
    first = fragments;
    build(request);
    for (size_t i = 0; i < fragment_count; i++)
        assert_memory_equal(first[i].hash, fragments[i].hash, OTLP_FRAGMENT_HASH_BYTES);
}

static void test_fragment_captures_hold_each_span_once(void **state)
{
    (void)state;
    assert_int_equal(samples_visit(check_sample), 68);
}

static void build_request(struct samples_request *request)
{
    build(samples_request_end(request));
}

static void check_counts(const unsigned *counts, size_t count)
{
    assert_int_equal(fragment_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(fragments[i].span_count, counts[i]);
}

static void test_fragment_interleaved_traces_keep_order_of_appearance(void **state)
{
    static const unsigned traces[] = {7, 3, 7, 9, 3, 7};
    static const unsigned counts[] = {3, 2, 1, 1};
    static const unsigned first[] = {0, 1, 3, 6};
    struct samples_request request;

    (void)state;
    samples_request_start(&request);
    for (unsigned i = 0; i < 6; i++)
        samples_request_span(&request, traces[i], i, "");
    samples_request_scope(&request, "scope", "");
    samples_request_resource(&request, 1, "");
    samples_request_span(&request, 7, 6, ""); /* the same trace under another resource */
    samples_request_scope(&request, "scope", "");
    samples_request_resource(&request, 2, "");
    build_request(&request);
    check_counts(counts, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(fragments[i].spans[0], first[i]);
    samples_request_free(&request);
}

static void test_fragment_rejected_spans_are_left_out(void **state)
{
    static const unsigned counts[] = {1};
    struct samples_request request;

    (void)state;
    samples_request_start(&request);
    samples_text_field(&request.scope_spans, 2, "");
    samples_request_span(&request, 1, 1, "");
    build_request(&request);
    assert_int_equal(request_index.span_count, 2);
    check_counts(counts, 1);
    assert_int_equal(fragments[0].spans[0], 1);
    samples_request_free(&request);
}

static void test_fragment_nothing_valid_is_no_fragment(void **state)
{
    struct samples_request request;

    (void)state;
    build(slice_of(NULL, 0));
    assert_int_equal(fragment_count, 0);
    samples_request_start(&request);
    samples_text_field(&request.scope_spans, 2, "");
    build_request(&request);
    assert_int_equal(request_index.span_count, 1);
    assert_int_equal(fragment_count, 0);
    samples_request_free(&request);
}

static void test_fragment_many_spans_are_cut(void **state)
{
    static const unsigned counts[] = {FRAGMENT_SPANS_MAX, FRAGMENT_SPANS_MAX, 500};
    struct samples_request request;

    (void)state;
    samples_request_start(&request);
    for (unsigned i = 0; i < 2 * FRAGMENT_SPANS_MAX + 500; i++)
        samples_request_span(&request, 1, i, "");
    build_request(&request);
    check_counts(counts, 3);
    samples_request_free(&request);
}

/* Appends a span of trace 1 whose message has `len` bytes, which is so many that the name's length takes 3. */
static void put_span_of(struct samples_request *request, unsigned span, size_t len)
{
    const size_t others = 2 + 16 + 2 + 8 + 2 + 4 + 9 + 9 + 1 + 3; /* ids, "work", times, this name's header */
    char *name = malloc(len - others + 1);

    assert_non_null(name);
    memset(name, 'n', len - others);
    name[len - others] = '\0';
    samples_request_span(request, 1, span, name);
    free(name);
}

static void test_fragment_large_spans_are_cut(void **state)
{
    static const unsigned counts[] = {2, 1, 1, 1, 2}; /* at the bound; past it by one; a larger one; what fits */
    const size_t half = FRAGMENT_WIRE_BYTES_MAX / 2;
    struct samples_request request;

    (void)state;
    samples_request_start(&request);
    put_span_of(&request, 1, half);
    put_span_of(&request, 2, half);
    put_span_of(&request, 3, half);
    put_span_of(&request, 4, half + 1);
    put_span_of(&request, 5, FRAGMENT_WIRE_BYTES_MAX - 1);
    put_span_of(&request, 6, half);
    samples_request_span(&request, 1, 7, "");
    build_request(&request);
    assert_int_equal(request_index.spans[0].bytes.len, half);
    check_counts(counts, 5);
    samples_request_free(&request);
}

static void test_fragment_span_over_the_bound_is_its_own(void **state)
{
    static const unsigned counts[] = {1, 1, 1};
    struct samples_request request;

    (void)state;
    samples_request_start(&request);
    samples_request_span(&request, 1, 1, "");
    put_span_of(&request, 2, FRAGMENT_WIRE_BYTES_MAX + 1);
    samples_request_span(&request, 1, 3, "");
    build_request(&request);
    check_counts(counts, 3);
    samples_request_free(&request);
}

static void test_fragment_repeated_span_is_kept_once(void **state)
{
    static const unsigned counts[] = {4, 1, 1};
    struct samples_request request;

    (void)state;
    samples_request_start(&request);
    samples_request_span(&request, 1, 1, "a");
    samples_request_span(&request, 1, 1, "a");
    samples_request_span(&request, 1, 1, "b");
    samples_request_span(&request, 2, 1, "a");
    samples_request_scope(&request, "scope", "");
    samples_request_span(&request, 1, 1, "a"); /* the same scope, said again */
    samples_request_scope(&request, "scope", "");
    samples_request_span(&request, 1, 1, "a"); /* another one */
    samples_request_scope(&request, "other", "");
    samples_request_span(&request, 1, 1, "a"); /* and another */
    samples_request_scope(&request, "other", "schema");
    samples_request_resource(&request, 1, "");
    samples_request_span(&request, 2, 1, "a");
    samples_request_scope(&request, "scope", "");
    samples_request_resource(&request, 1, "");
    build_request(&request);
    check_counts(counts, 3);
    assert_memory_equal(fragments[1].hash, fragments[2].hash, OTLP_FRAGMENT_HASH_BYTES); /* so they are stored once */
    samples_request_free(&request);
}

/* More spans share a span id than one look-up takes steps: the last ones are not found when they come again. */
static void test_fragment_search_for_repetitions_is_bounded(void **state)
{
    const unsigned distinct = FRAGMENT_PROBES_MAX + 10;
    struct samples_request request;

    (void)state;
    samples_request_start(&request);
    for (unsigned i = 0; i < 2 * distinct; i++) {
        char name[16];

        snprintf(name, sizeof(name), "n%u", i % distinct);
        samples_request_span(&request, 1, 1, name);
    }
    build_request(&request);
    assert_int_equal(fragment_count, 1);
    assert_int_equal(fragments[0].span_count, distinct + 10);
    samples_request_free(&request);
}

/* otlp_fragment_group.c's, as a client may know it. */
static uint32_t mix(uint64_t id)
{
    id = (id ^ id >> 32) * 0x9e3779b97f4a7c15U;
    id = (id ^ id >> 32) * 0x9e3779b97f4a7c15U;
    return (uint32_t)(id >> 32);
}

/* Appends a span whose trace id, one of many, falls into the same slot as all the others. */
static void put_colliding(struct samples_request *request, uint64_t trace, unsigned span)
{
    uint64_t id[2] = {0x0123456789abcdefU ^ mix(trace), trace};
    uint8_t span_id[8] = {1, (uint8_t)span};
    struct buf message;

    buf_init(&message, 4096);
    samples_field(&message, 1, slice_of(id, sizeof(id)));
    samples_field(&message, 2, slice_of(span_id, sizeof(span_id)));
    samples_field(&request->scope_spans, 2, buf_slice(&message));
    buf_fini(&message);
}

/* The traces past the bound are split, and nothing is lost. */
static void test_fragment_search_for_traces_is_bounded(void **state)
{
    const unsigned traces = FRAGMENT_PROBES_MAX + 10;
    struct samples_request request;
    unsigned spans = 0;

    (void)state;
    samples_request_start(&request);
    for (unsigned span = 0; span < 2; span++)
        for (unsigned trace = 0; trace < traces; trace++)
            put_colliding(&request, trace, span);
    build_request(&request);
    assert_int_equal(request_index.by_validity[OTLP_VALID], 2 * traces);
    assert_int_equal(fragment_count, traces + 10);
    for (size_t i = 0; i < fragment_count; i++)
        spans += fragments[i].span_count;
    assert_int_equal(spans, 2 * traces);
    samples_request_free(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fragment_captures_hold_each_span_once),
        TEST(test_fragment_interleaved_traces_keep_order_of_appearance),
        TEST(test_fragment_rejected_spans_are_left_out),
        TEST(test_fragment_nothing_valid_is_no_fragment),
        TEST(test_fragment_many_spans_are_cut),
        TEST(test_fragment_large_spans_are_cut),
        TEST(test_fragment_span_over_the_bound_is_its_own),
        TEST(test_fragment_repeated_span_is_kept_once),
        TEST(test_fragment_search_for_repetitions_is_bounded),
        TEST(test_fragment_search_for_traces_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
