/*
 * otlp_index and otlp_decode: the captures against their list, which spans are
 * valid, and what comes in an unusual order or twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "otlp_decode.h"
#include "otlp_fixture.h"
#include "otlp_index.h"
#include "otlp_samples.h"

static unsigned count_traces(const struct otlp_index *index)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < index->span_count; i++) {
        uint32_t j = 0;

        while (memcmp(index->spans[j].trace_id, index->spans[i].trace_id, OTLP_TRACE_ID_BYTES) != 0)
            j++;
        count += j == i;
    }
    return count;
}

static void decode_all(const struct otlp_index *index)
{
    const Otlp__Resource *resource;
    const Otlp__InstrumentationScope *scope;
    const Otlp__Span *span;

    for (uint32_t i = 0; i < index->resource_count; i++)
        assert_int_equal(otlp_decode_resource(&resource, &arena, index->resources[i].bytes, &err), 0);
    for (uint32_t i = 0; i < index->scope_count; i++)
        assert_int_equal(otlp_decode_scope(&scope, &arena, index->scopes[i].bytes, &err), 0);
    for (uint32_t i = 0; i < index->span_count; i++) {
        assert_int_equal(otlp_decode_span(&span, &arena, index->spans[i].bytes, &err), 0);
        assert_memory_equal(span->trace_id.data, index->spans[i].trace_id, OTLP_TRACE_ID_BYTES);
        assert_memory_equal(span->span_id.data, index->spans[i].span_id, OTLP_SPAN_ID_BYTES);
        assert_int_equal(span->start_time_unix_nano, index->spans[i].start_unix_nano);
        assert_int_equal(span->end_time_unix_nano, index->spans[i].end_unix_nano);
    }
}

static void check_sample(const struct sample *sample, struct slice request)
{
    struct otlp_index index;

    arena_reset(&arena, 0);
    assert_int_equal(otlp_index_build(&index, &arena, request, &err), 0);
    assert_int_equal(index.resource_count, sample->resource_spans);
    assert_int_equal(index.scope_count, sample->scope_spans);
    assert_int_equal(index.span_count, sample->spans);
    assert_int_equal(index.by_validity[OTLP_VALID], sample->spans);
    assert_int_equal(count_traces(&index), sample->traces);
    decode_all(&index);
}

static void test_index_captures_match_their_list(void **state)
{
    (void)state;
    assert_int_equal(samples_visit(check_sample), 68);
}

static void test_index_nothing_is_an_empty_request(void **state)
{
    struct otlp_index index;

    (void)state;
    assert_int_equal(otlp_index_build(&index, &arena, slice_of(NULL, 0), &err), 0);
    assert_int_equal(index.resource_count + index.scope_count + index.span_count, 0);
}

/* A request of one span with these ids, indexed: its reference. The request is `*request`. */
static struct otlp_index index_ids(struct buf *request, struct slice trace_id, struct slice span_id)
{
    struct otlp_index index;

    buf_init(request, 4096);
    samples_field(request, 1, trace_id);
    samples_field(request, 2, span_id);
    for (unsigned i = 0; i < 3; i++)
        samples_wrap(request, i < 2 ? 2 : 1);
    assert_int_equal(otlp_index_build(&index, &arena, buf_slice(request), &err), 0);
    assert_int_equal(index.span_count, 1);
    return index;
}

static void check_validity(struct slice trace_id, struct slice span_id, enum otlp_validity expected)
{
    struct buf request;
    struct otlp_index index = index_ids(&request, trace_id, span_id);

    assert_int_equal(index.spans[0].validity, expected);
    assert_int_equal(index.by_validity[expected], 1);
    assert_int_equal(index.spans[0].trace_id != NULL, expected == OTLP_VALID);
    assert_int_equal(index.spans[0].span_id != NULL, expected == OTLP_VALID);
    buf_fini(&request);
}

static void test_index_ids_are_judged(void **state)
{
    static const uint8_t zeros[17];
    static const uint8_t ones[17] = {[7] = 1, [15] = 1};

    (void)state;
    check_validity(slice_of(ones, 16), slice_of(ones, 8), OTLP_VALID);
    check_validity(slice_of(ones, 0), slice_of(ones, 8), OTLP_BAD_TRACE_ID);
    check_validity(slice_of(ones, 15), slice_of(ones, 8), OTLP_BAD_TRACE_ID);
    check_validity(slice_of(ones, 17), slice_of(ones, 8), OTLP_BAD_TRACE_ID);
    check_validity(slice_of(zeros, 16), slice_of(ones, 8), OTLP_BAD_TRACE_ID);
    check_validity(slice_of(ones, 16), slice_of(ones, 0), OTLP_BAD_SPAN_ID);
    check_validity(slice_of(ones, 16), slice_of(ones, 9), OTLP_BAD_SPAN_ID);
    check_validity(slice_of(ones, 16), slice_of(ones, 7), OTLP_BAD_SPAN_ID);
    check_validity(slice_of(ones, 16), slice_of(zeros, 8), OTLP_BAD_SPAN_ID);
    check_validity(slice_of(zeros, 16), slice_of(zeros, 8), OTLP_BAD_TRACE_ID);
}

static void test_index_id_given_again_counts_last(void **state)
{
    struct otlp_index index;
    struct buf request;

    (void)state;
    buf_init(&request, 4096);
    samples_span(&request, 1, 1);
    samples_span(&request, 2, 2);
    samples_text_field(&request, 2, "");
    for (unsigned i = 0; i < 3; i++)
        samples_wrap(&request, i < 2 ? 2 : 1);
    assert_int_equal(otlp_index_build(&index, &arena, buf_slice(&request), &err), 0);
    assert_int_equal(index.by_validity[OTLP_BAD_SPAN_ID], 1);
    assert_int_equal(index.spans[0].start_unix_nano, 1000000002);
    assert_int_equal(index.spans[0].end_unix_nano, 2000000002);
    buf_fini(&request);
}

/* An attribute with a string value, as a field of what is put together in `message`. */
static void put_attribute(struct buf *message, unsigned number, const char *key, const char *value)
{
    struct buf attribute;

    buf_init(&attribute, 4096);
    samples_text_field(&attribute, 1, value);
    samples_wrap(&attribute, 2);
    samples_text_field(&attribute, 1, key);
    samples_field(message, number, buf_slice(&attribute));
    buf_fini(&attribute);
}

/* ResourceSpans: scope_spans, resource a, schema URL, resource b; ScopeSpans: span, scope name, scope version. */
static void put_group_in_pieces(struct buf *request)
{
    struct buf part;

    buf_init(request, 4096);
    samples_span(request, 1, 1);
    samples_wrap(request, 2);
    buf_init(&part, 4096);
    samples_text_field(&part, 1, "scope");
    samples_field(request, 1, buf_slice(&part));
    buf_clear(&part);
    samples_text_field(&part, 2, "1.0");
    samples_field(request, 1, buf_slice(&part));
    samples_text_field(request, 3, "scope-schema");
    samples_wrap(request, 2);
    for (unsigned i = 0; i < 2; i++) {
        buf_clear(&part);
        put_attribute(&part, 1, i == 0 ? "service.name" : "host.name", i == 0 ? "order" : "here");
        samples_field(request, 1, buf_slice(&part));
        samples_text_field(request, 3, i == 0 ? "old-schema" : "schema");
    }
    samples_wrap(request, 1);
    buf_fini(&part);
}

static void test_index_parts_in_pieces_are_merged(void **state)
{
    const Otlp__InstrumentationScope *scope;
    const Otlp__Resource *resource;
    struct otlp_index index;
    struct buf request;

    (void)state;
    put_group_in_pieces(&request);
    assert_int_equal(otlp_index_build(&index, &arena, buf_slice(&request), &err), 0);
    assert_int_equal(otlp_decode_resource(&resource, &arena, index.resources[0].bytes, &err), 0);
    assert_int_equal(resource->n_attributes, 2);
    assert_true(slice_equal(otlp_attribute_string(resource->attributes, 2, "service.name"), slice_of_text("order")));
    assert_true(slice_equal(otlp_attribute_string(resource->attributes, 2, "host.name"), slice_of_text("here")));
    assert_int_equal(otlp_attribute_string(resource->attributes, 2, "host").len, 0);
    assert_true(slice_equal(index.resources[0].schema_url, slice_of_text("schema")));
    assert_int_equal(otlp_decode_scope(&scope, &arena, index.scopes[0].bytes, &err), 0);
    assert_memory_equal(scope->name.data, "scope", 5);
    assert_memory_equal(scope->version.data, "1.0", 3);
    assert_true(slice_equal(index.scopes[0].schema_url, slice_of_text("scope-schema")));
    buf_fini(&request);
}

static void test_index_full_arena_is_busy(void **state)
{
    struct otlp_index index;
    struct buf request;
    unsigned failures = 0;

    (void)state;
    put_group_in_pieces(&request);
    for (size_t max = 0;; max += 16) {
        struct arena small;
        int result;

        arena_init(&small, max);
        result = otlp_index_build(&index, &small, buf_slice(&request), &err);
        arena_fini(&small);
        if (result == 0)
            break;
        failures++;
        assert_int_equal(err.class, ERR_BUSY);
        assert_non_null(strstr(err.text, "no memory for the index of a request of "));
    }
    assert_true(failures > 8); /* each array, and both concatenations */
    buf_fini(&request);
}

static void test_decode_garbage_is_poison(void **state)
{
    const Otlp__Span *span;

    (void)state;
    assert_int_equal(otlp_decode_span(&span, &arena, slice_of_text("\x0a\x05trace"), &err), 0);
    assert_int_equal(otlp_decode_span(&span, &arena, slice_of_text("\x0a\x06trace"), &err), -1);
    assert_int_equal(err.class, ERR_POISON);
    assert_string_equal(err.text, "7 bytes do not decode as a Span");
}

static void test_decode_full_arena_is_busy(void **state)
{
    const Otlp__Resource *resource;
    struct arena small;

    (void)state;
    arena_init(&small, 16);
    assert_int_equal(otlp_decode_resource(&resource, &small, slice_of_text("\x10\x01"), &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "no memory to decode a Resource of 2 bytes");
    arena_fini(&small);
}

static void test_attribute_string_of_other_types_is_passed_over(void **state)
{
    Otlp__AnyValue number = OTLP__ANY_VALUE__INIT;
    Otlp__AnyValue text = OTLP__ANY_VALUE__INIT;
    Otlp__KeyValue attributes[3] = {OTLP__KEY_VALUE__INIT, OTLP__KEY_VALUE__INIT, OTLP__KEY_VALUE__INIT};
    Otlp__KeyValue *pointers[3] = {&attributes[0], &attributes[1], &attributes[2]};
    static uint8_t key[] = "k";

    (void)state;
    number.value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
    text.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    text.string_value = (ProtobufCBinaryData){.len = 1, .data = key};
    for (unsigned i = 0; i < 3; i++)
        attributes[i].key = (ProtobufCBinaryData){.len = 1, .data = key};
    attributes[1].value = &number;
    assert_int_equal(otlp_attribute_string(pointers, 2, "k").len, 0);
    attributes[2].value = &text;
    assert_int_equal(otlp_attribute_string(pointers, 3, "k").len, 1);
}

static void check_depth(struct slice request, unsigned depth)
{
    struct otlp_index index;

    assert_int_equal(otlp_index_build(&index, &arena, request, &err), 0);
    assert_int_equal(index.depth, depth);
}

static void test_index_depth_is_that_of_the_deepest_value(void **state)
{
    static const unsigned depths[] = {1, 2, 17, OTLP_DEPTH_MAX};
    struct samples_request plain;
    struct buf request, both;

    (void)state;
    samples_request_start(&plain);
    samples_request_span(&plain, 1, 1, "has no attribute");
    check_depth(samples_request_end(&plain), 0);
    for (unsigned i = 0; i < 2 * sizeof(depths) / sizeof(depths[0]); i++) {
        samples_nested(&request, depths[i / 2], i % 2 == 0);
        check_depth(buf_slice(&request), depths[i / 2]);
        buf_init(&both, 1UL << 20); /* two more ResourceSpans before and behind, of less depth */
        assert_int_equal(buf_append(&both, plain.whole.data, plain.whole.len), 0);
        assert_int_equal(buf_append(&both, request.data, request.len), 0);
        assert_int_equal(buf_append(&both, plain.whole.data, plain.whole.len), 0);
        check_depth(buf_slice(&both), depths[i / 2]);
        buf_fini(&both);
        buf_fini(&request);
    }
    check_depth(slice_of(NULL, 0), 0);
    samples_request_free(&plain);
}

static void test_validity_name_is_stable(void **state)
{
    (void)state;
    assert_string_equal(otlp_validity_name(OTLP_VALID), "valid");
    assert_string_equal(otlp_validity_name(OTLP_BAD_TRACE_ID), "trace_id");
    assert_string_equal(otlp_validity_name(OTLP_BAD_SPAN_ID), "span_id");
    assert_string_equal(otlp_validity_name(OTLP_VALIDITY_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_index_captures_match_their_list),
        TEST(test_index_nothing_is_an_empty_request),
        TEST(test_index_ids_are_judged),
        TEST(test_index_id_given_again_counts_last),
        TEST(test_index_parts_in_pieces_are_merged),
        TEST(test_index_depth_is_that_of_the_deepest_value),
        TEST(test_index_full_arena_is_busy),
        TEST(test_decode_garbage_is_poison),
        TEST(test_decode_full_arena_is_busy),
        cmocka_unit_test(test_attribute_string_of_other_types_is_passed_over),
        cmocka_unit_test(test_validity_name_is_stable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
