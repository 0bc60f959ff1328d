/*
 * otlp_fragment: the hash, which may never change, fragments of one span, and
 * memory that is short.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fault.h"
#include "hex.h"
#include "otlp_fixture.h"
#include "otlp_fragment.h"
#include "otlp_samples.h"

static struct otlp_index request_index;

/* The one fragment of a request, which is freed: the fragment's bytes are copied to the arena before. */
static struct otlp_fragment *only_fragment(struct samples_request *request)
{
    struct slice bytes = samples_request_end(request);
    uint8_t *copy = arena_alloc(&arena, bytes.len);
    struct otlp_index *index = arena_alloc(&arena, sizeof(*index));
    struct otlp_fragment *fragment;
    size_t count;

    assert_non_null(copy);
    assert_non_null(index);
    memcpy(copy, bytes.data, bytes.len);
    assert_int_equal(otlp_index_build(index, &arena, slice_of(copy, bytes.len), &err), 0);
    assert_int_equal(otlp_fragment_build(&fragment, &count, &arena, index, 5, &err), 0);
    assert_int_equal(count, 1);
    samples_request_free(request);
    return fragment;
}

static bool same_hash(const struct otlp_fragment *a, const struct otlp_fragment *b)
{
    return memcmp(a->hash, b->hash, OTLP_FRAGMENT_HASH_BYTES) == 0;
}

/* Three spans, with a change of scope after the first or not at all, `split` into more ScopeSpans or not. */
static struct otlp_fragment *three_spans(bool two_scopes, bool split)
{
    struct samples_request request;

    samples_request_start(&request);
    samples_request_span(&request, 1, 1, "a");
    if (two_scopes)
        samples_request_scope(&request, "first", "schema");
    else if (split)
        samples_request_scope(&request, "scope", "schema");
    samples_request_span(&request, 1, 2, "b");
    if (split)
        samples_request_scope(&request, "scope", "schema");
    samples_request_span(&request, 1, 3, "c");
    samples_request_scope(&request, "scope", "schema");
    samples_request_resource(&request, 1, "resource-schema");
    return only_fragment(&request);
}

/* If this fails, the form that is hashed has changed, and a replay would store every span a second time. */
static void test_fragment_hash_is_what_it_was(void **state)
{
    struct otlp_fragment *fragment = three_spans(true, false);
    char text[2 * OTLP_FRAGMENT_HASH_BYTES + 1];

    (void)state;
    hex_encode(text, fragment->hash, OTLP_FRAGMENT_HASH_BYTES);
    assert_string_equal(text, "c59dd56e246a3db0cd6b9187a91f6935");
}

static void test_fragment_hash_ignores_how_spans_are_divided(void **state)
{
    (void)state;
    assert_true(same_hash(three_spans(false, false), three_spans(false, true)));
    assert_true(same_hash(three_spans(true, false), three_spans(true, true)));
    assert_false(same_hash(three_spans(false, false), three_spans(true, false)));
}

static struct otlp_fragment *one_span(const char *name, const char *scope, const char *scope_schema, unsigned resource,
                                      const char *resource_schema)
{
    struct samples_request request;

    samples_request_start(&request);
    samples_request_span(&request, 1, 1, name);
    samples_request_scope(&request, scope, scope_schema);
    samples_request_resource(&request, resource, resource_schema);
    return only_fragment(&request);
}

static void test_fragment_hash_takes_every_part_in(void **state)
{
    struct otlp_fragment *fragment = one_span("a", "s", "t", 1, "r");

    (void)state;
    assert_true(same_hash(fragment, one_span("a", "s", "t", 1, "r")));
    assert_false(same_hash(fragment, one_span("b", "s", "t", 1, "r")));
    assert_false(same_hash(fragment, one_span("a", "x", "t", 1, "r")));
    assert_false(same_hash(fragment, one_span("a", "s", "x", 1, "r")));
    assert_false(same_hash(fragment, one_span("a", "s", "t", 2, "r")));
    assert_false(same_hash(fragment, one_span("a", "s", "t", 1, "x")));
}

static void test_fragment_single_is_what_the_span_alone_would_be(void **state)
{
    struct otlp_fragment *fragment = three_spans(true, false);
    struct otlp_fragment single;
    struct samples_request request;

    (void)state;
    assert_int_equal(otlp_fragment_single(&single, &arena, fragment, 1, &err), 0);
    assert_int_equal(single.span_count, 1);
    assert_int_equal(single.spans[0], 1);
    assert_int_equal(single.start_unix_nano, 1000000002);
    assert_int_equal(single.end_unix_nano, 2000000002);
    assert_int_equal(single.received_ns, 5);
    samples_request_start(&request);
    samples_request_span(&request, 1, 2, "b");
    samples_request_scope(&request, "scope", "schema");
    samples_request_resource(&request, 1, "resource-schema");
    assert_true(same_hash(&single, only_fragment(&request)));
}

static void index_three_traces(struct samples_request *request)
{
    samples_request_start(request);
    for (unsigned i = 0; i < 3; i++)
        samples_request_span(request, i, i, "a");
    assert_int_equal(otlp_index_build(&request_index, &arena, samples_request_end(request), &err), 0);
}

static void test_fragment_full_arena_is_busy(void **state)
{
    struct samples_request request;
    unsigned failures = 0;
    int result;

    (void)state;
    index_three_traces(&request);
    do {
        struct otlp_fragment *fragments;
        struct arena small;
        size_t count;

        arena_init(&small, 16 * failures);
        result = otlp_fragment_build(&fragments, &count, &small, &request_index, 0, &err);
        arena_fini(&small);
        if (result < 0) {
            failures++;
            assert_int_equal(err.class, ERR_BUSY);
            assert_int_equal(strncmp(err.text, "no memory ", 10), 0);
        }
    } while (result < 0);
    assert_true(failures > 10);
    samples_request_free(&request);
}

static void test_fragment_single_full_arena_is_busy(void **state)
{
    struct otlp_fragment *fragment = three_spans(true, false);
    struct otlp_fragment single;
    struct arena none;

    (void)state;
    arena_init(&none, 0);
    assert_int_equal(otlp_fragment_single(&single, &none, fragment, 0, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "no memory for a fragment of one span");
    arena_fini(&none);
}

static void test_fragment_encode_into_full_buffer_fails(void **state)
{
    struct otlp_fragment *fragment = three_spans(true, false);
    struct buf small;

    (void)state;
    buf_init(&small, 100);
    assert_int_equal(otlp_fragment_encode(&small, fragment), -1);
    assert_true(small.failed);
    buf_fini(&small);
}

static void test_fragment_no_memory_to_hash_is_busy(void **state)
{
    struct otlp_fragment *fragments;
    struct samples_request request;
    size_t count;

    (void)state;
    index_three_traces(&request);
    fault_arm("otlp_fragment.hash", 1, 12);
    assert_int_equal(otlp_fragment_build(&fragments, &count, &arena, &request_index, 0, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "no memory to hash fragments");
    samples_request_free(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_fragment_hash_is_what_it_was),
        TEST(test_fragment_hash_ignores_how_spans_are_divided),
        TEST(test_fragment_hash_takes_every_part_in),
        TEST(test_fragment_single_is_what_the_span_alone_would_be),
        TEST(test_fragment_full_arena_is_busy),
        TEST(test_fragment_single_full_arena_is_busy),
        TEST(test_fragment_encode_into_full_buffer_fails),
        TEST(test_fragment_no_memory_to_hash_is_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
