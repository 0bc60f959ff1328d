#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bson/bson.h>

#include <errno.h>

#include "hex.h"
#include "requests.h"
#include "sink_bson.h"

static struct sink_bson builder;
static struct buf bytes;
static bson_t document; /* of bytes */

static int setup(void **state)
{
    (void)state;
    sink_bson_init(&builder);
    buf_init(&bytes, SINK_DOCUMENT_BYTES_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_fini(&bytes);
    sink_bson_fini(&builder);
    return 0;
}

static void build(const struct otlp_fragment *fragment)
{
    struct err err;

    buf_clear(&bytes);
    if (sink_bson_build(&builder, fragment, &bytes, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(bson_init_static(&document, bytes.data, bytes.len));
    assert_true(bson_validate(&document, BSON_VALIDATE_UTF8_ALLOW_NULL | BSON_VALIDATE_UTF8, NULL));
}

/* --- looking into a document ---------------------------------------------- */

static bson_iter_t find(const char *path)
{
    bson_iter_t at, found;

    assert_true(bson_iter_init(&at, &document));
    if (!bson_iter_find_descendant(&at, path, &found))
        fail_msg("the document has no %s", path);
    return found;
}

static bool has(const char *path)
{
    bson_iter_t at, found;

    return bson_iter_init(&at, &document) && bson_iter_find_descendant(&at, path, &found);
}

static void check_utf8(const char *path, const char *expected, size_t expected_len)
{
    bson_iter_t at = find(path);
    uint32_t len;
    const char *text;

    assert_true(BSON_ITER_HOLDS_UTF8(&at));
    text = bson_iter_utf8(&at, &len);
    assert_int_equal(len, expected_len);
    assert_memory_equal(text, expected, len);
}

static void check_text(const char *path, const char *expected)
{
    check_utf8(path, expected, strlen(expected));
}

static void check_int64(const char *path, int64_t expected)
{
    bson_iter_t at = find(path);

    assert_true(BSON_ITER_HOLDS_INT64(&at));
    assert_int_equal(bson_iter_int64(&at), expected);
}

static void check_int32(const char *path, int32_t expected)
{
    bson_iter_t at = find(path);

    assert_true(BSON_ITER_HOLDS_INT32(&at));
    assert_int_equal(bson_iter_int32(&at), expected);
}

static void check_true(const char *path)
{
    bson_iter_t at = find(path);

    assert_true(BSON_ITER_HOLDS_BOOL(&at));
    assert_true(bson_iter_bool(&at));
}

/* --- captures ------------------------------------------------------------- */

static void check_id(const struct otlp_fragment *fragment)
{
    bson_iter_t at = find("_id");
    const uint8_t *data;
    bson_subtype_t subtype;
    uint32_t len;
    uint64_t start = 0;

    assert_true(BSON_ITER_HOLDS_BINARY(&at));
    bson_iter_binary(&at, &subtype, &len, &data);
    assert_int_equal(subtype, BSON_SUBTYPE_BINARY);
    assert_int_equal(len, 24);
    for (int i = 0; i < 8; i++)
        start = start << 8 | data[i];
    assert_int_equal(start, fragment->start_unix_nano);
    assert_memory_equal(data + 8, fragment->hash, 16);
}

/* Everything that a span of a capture says about itself is in its place. */
static void check_span(struct arena *arena, const struct otlp_fragment *fragment, uint32_t i)
{
    const Otlp__Span *span;
    char path[64], id[17];
    struct err err;

    assert_int_equal(otlp_decode_span(&span, arena, fragment->index->spans[fragment->spans[i]].bytes, &err), 0);
#define PATH(member) (snprintf(path, sizeof(path), "spans.%u." member, i), path)
    hex_encode(id, span->span_id.data, 8);
    check_text(PATH("spanId"), id);
    if (span->parent_span_id.len == 0) {
        bson_iter_t at = find(PATH("parentSpanId"));

        assert_true(BSON_ITER_HOLDS_NULL(&at));
    } else {
        hex_encode(id, span->parent_span_id.data, 8);
        check_text(PATH("parentSpanId"), id);
    }
    check_utf8(PATH("name"), (const char *)span->name.data, span->name.len);
    check_int32(PATH("kind"), (int32_t)span->kind);
    check_int32(PATH("status.code"), span->status == NULL ? 0 : (int32_t)span->status->code);
    assert_true(has(PATH("attributes")));
    assert_int_equal(has(PATH("events")), span->n_events > 0);
    assert_int_equal(has(PATH("links")), span->n_links > 0);
    assert_int_equal(has(PATH("traceState")), span->trace_state.len > 0);
    assert_int_equal(has(PATH("flags")), span->flags != 0);
    assert_int_equal(has(PATH("droppedAttributesCount")), span->dropped_attributes_count != 0);
    assert_int_equal(has(PATH("droppedEventsCount")), span->dropped_events_count != 0);
    assert_int_equal(has(PATH("droppedLinksCount")), span->dropped_links_count != 0);
    if (span->start_time_unix_nano <= INT64_MAX)
        check_int64(PATH("startTimeUnixNano"), (int64_t)span->start_time_unix_nano);
#undef PATH
}

static void check_capture(const char *file, void *context)
{
    struct request request;
    struct arena arena;

    request_load(&request, file);
    arena_init(&arena, 1UL << 30);
    sink_bson_forget(&builder);
    for (size_t i = 0; i < request.count; i++) {
        const struct otlp_fragment *fragment = &request.fragments[i];
        char trace[33];

        build(fragment);
        check_id(fragment);
        hex_encode(trace, fragment->index->spans[fragment->spans[0]].trace_id, 16);
        check_text("traceId", trace);
        check_int32("spanCount", (int32_t)fragment->span_count);
        assert_true(has("resource.attributes"));
        assert_true(has("entry.spanId"));
        for (uint32_t j = 0; j < fragment->span_count; j++)
            check_span(&arena, fragment, j);
        *(size_t *)context += fragment->span_count;
    }
    arena_fini(&arena);
    request_free(&request);
}

static void test_every_span_of_every_capture_is_in_a_document(void **state)
{
    size_t spans = 0;

    (void)state;
    assert_int_equal(request_each_capture(check_capture, &spans), REQUESTS_CAPTURES);
    assert_int_equal(spans, REQUESTS_CAPTURED_SPANS);
}

/* The order of a document's members is part of docs/mongodb.md: a list reads the head and stops before spans. */
static void test_members_come_in_the_documented_order(void **state)
{
    static const char *const order[] = {
        "_id",   "traceId",  "serviceName", "startTimeUnixNano", "endTimeUnixNano", "spanCount", "error", "root",
        "entry", "resource", "spans"};
    struct made_span made;
    Otlp__Span *spans[] = {&made.span};
    struct request request;
    bson_iter_t at;
    size_t i = 0;

    (void)state;
    make_span(&made, 1, 1, 0, 500);
    made.status.code = OTLP__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
    request_of_spans(&request, "shop", spans, 1, REQUESTS_RECEIVED_NS);
    build(&request.fragments[0]);
    assert_true(bson_iter_init(&at, &document));
    while (bson_iter_next(&at))
        assert_string_equal(bson_iter_key(&at), order[i++]);
    assert_int_equal(i, sizeof(order) / sizeof(order[0]));
    check_text("serviceName", "shop");
    check_text("resource.attributes.service_name", "shop");
    request_free(&request);
}

/* --- error, root, entry --------------------------------------------------- */

static void build_spans(struct request *request, struct made_span *made, size_t count)
{
    Otlp__Span *spans[8];

    for (size_t i = 0; i < count; i++)
        spans[i] = &made[i].span;
    request_of_spans(request, "shop", spans, count, REQUESTS_RECEIVED_NS);
    assert_int_equal(request->count, 1);
    sink_bson_forget(&builder);
    build(&request->fragments[0]);
}

static void test_error_and_root_are_absent_when_false(void **state)
{
    struct made_span made[2];
    struct request request;

    (void)state;
    make_span(&made[0], 1, 1, 9, 500);
    make_span(&made[1], 1, 2, 1, 600);
    made[1].status.code = OTLP__STATUS__STATUS_CODE__STATUS_CODE_OK;
    build_spans(&request, made, 2);
    assert_false(has("error"));
    assert_false(has("root"));
    request_free(&request);

    made[1].status.code = OTLP__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
    made[1].status.message = text_data("no money");
    made[0].span.parent_span_id.len = 0;
    build_spans(&request, made, 2);
    check_true("error");
    check_true("root");
    check_text("spans.1.status.description", "no money");
    request_free(&request);
}

static void test_parent_of_zeros_is_none(void **state)
{
    struct made_span made[1];
    struct request request;
    bson_iter_t at;

    (void)state;
    make_span(&made[0], 1, 1, 9, 500);
    memset(made[0].parent_id, 0, sizeof(made[0].parent_id));
    build_spans(&request, made, 1);
    check_true("root");
    at = find("spans.0.parentSpanId");
    assert_true(BSON_ITER_HOLDS_NULL(&at));
    request_free(&request);
}

static void test_entry_is_earliest_whose_parent_is_elsewhere(void **state)
{
    struct made_span made[4];
    struct request request;

    (void)state;
    make_span(&made[0], 1, 1, 2, 100); /* earliest, but its parent is here */
    make_span(&made[1], 1, 2, 9, 300);
    make_span(&made[2], 1, 3, 8, 200);
    make_span(&made[3], 1, 4, 7, 200); /* as early, but later in order */
    made[2].span.name = text_data("entry");
    made[2].span.end_time_unix_nano = 250;
    made[2].status.code = OTLP__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
    build_spans(&request, made, 4);
    check_text("entry.spanId", "0303030303030303");
    check_text("entry.name", "entry");
    check_int32("entry.kind", 2);
    check_int64("entry.startTimeUnixNano", 200);
    check_int64("entry.durationNano", 50);
    check_int32("entry.statusCode", 2);
    request_free(&request);
}

static void test_entry_of_a_cycle_is_the_earliest(void **state)
{
    struct made_span made[2];
    struct request request;

    (void)state;
    make_span(&made[0], 1, 1, 2, 200);
    make_span(&made[1], 1, 2, 1, 100);
    build_spans(&request, made, 2);
    check_text("entry.spanId", "0202020202020202");
    request_free(&request);
}

/* --- awkward values ------------------------------------------------------- */

static void test_times_past_int64_are_clamped_and_counted(void **state)
{
    struct made_span made[1];
    struct request request;

    (void)state;
    make_span(&made[0], 1, 1, 0, UINT64_MAX);
    made[0].span.end_time_unix_nano = 5; /* before it starts */
    builder.out.clamped = 0;
    build_spans(&request, made, 1);
    check_int64("startTimeUnixNano", INT64_MAX);
    check_int64("spans.0.startTimeUnixNano", INT64_MAX);
    check_int64("spans.0.endTimeUnixNano", 5);
    check_int64("entry.durationNano", 0);
    assert_int_equal(builder.out.clamped, 3); /* the document's, the entry's and the span's */
    check_id(&request.fragments[0]);          /* which is not clamped */
    request_free(&request);

    make_span(&made[0], 1, 1, 0, 0);
    made[0].span.end_time_unix_nano = UINT64_MAX;
    build_spans(&request, made, 1);
    check_int64("entry.durationNano", INT64_MAX);
    request_free(&request);
}

static void test_ill_formed_text_is_repaired_and_counted(void **state)
{
    struct made_span made[1];
    struct request request;

    (void)state;
    make_span(&made[0], 1, 1, 0, 500);
    made[0].span.name = text_data("a\xff");
    builder.out.repaired = 0;
    build_spans(&request, made, 1);
    check_text("spans.0.name", "a\xef\xbf\xbd");
    check_text("entry.name", "a\xef\xbf\xbd");
    assert_int_equal(builder.out.repaired, 2);
    request_free(&request);
}

/* python-awkward-0002 has every type of value, extremes and NUL in texts. */
static void test_values_keep_type_and_nul(void **state)
{
    Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;
    Otlp__KeyValue pair = OTLP__KEY_VALUE__INIT;
    Otlp__KeyValue *pairs[1] = {&pair};
    struct made_span made[1];
    struct request request;
    bson_iter_t at;

    (void)state;
    pair.key = text_data("k");
    pair.value = &value;
    make_span(&made[0], 1, 1, 0, 500);
    made[0].span.attributes = pairs;
    made[0].span.n_attributes = 1;

#define AS(member, case_name, put)                                                                                     \
    value.value_case = OTLP__ANY_VALUE__VALUE_##case_name;                                                             \
    value.member = put;                                                                                                \
    build_spans(&request, made, 1);                                                                                    \
    at = find("spans.0.attributes.k")
    AS(string_value, STRING_VALUE, ((ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t) "a\0b", .len = 3}));
    check_utf8("spans.0.attributes.k", "a\0b", 3);
    request_free(&request);
    AS(int_value, INT_VALUE, INT64_MIN);
    check_int64("spans.0.attributes.k", INT64_MIN);
    request_free(&request);
    AS(double_value, DOUBLE_VALUE, -0.5);
    assert_true(BSON_ITER_HOLDS_DOUBLE(&at));
    assert_true(bson_iter_double(&at) == -0.5);
    request_free(&request);
    AS(bool_value, BOOL_VALUE, 1);
    check_true("spans.0.attributes.k");
    request_free(&request);
    AS(bytes_value, BYTES_VALUE, text_data("\x01\x02"));
    assert_true(BSON_ITER_HOLDS_BINARY(&at));
    request_free(&request);
    AS(bytes_value, BYTES_VALUE, text_data(""));
    assert_true(BSON_ITER_HOLDS_BINARY(&at));
    request_free(&request);
    AS(string_value_strindex, STRING_VALUE_STRINDEX, 7);
    assert_true(BSON_ITER_HOLDS_NULL(&at));
    request_free(&request);
#undef AS
    pair.value = NULL;
    build_spans(&request, made, 1);
    at = find("spans.0.attributes.k");
    assert_true(BSON_ITER_HOLDS_NULL(&at));
    request_free(&request);
}

/* --- failures ------------------------------------------------------------- */

static void check_too_large(struct made_span *made, const char *expected)
{
    Otlp__Span *spans[] = {&made->span};
    struct request request;
    struct err err;

    request_of_spans(&request, "shop", spans, 1, REQUESTS_RECEIVED_NS);
    sink_bson_forget(&builder);
    buf_clear(&bytes);
    assert_int_equal(sink_bson_build(&builder, &request.fragments[0], &bytes, &err), -1);
    assert_int_equal(bytes.len, 0);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_equal(err.code, EMSGSIZE);
    assert_string_equal(err.text, expected);
    request_free(&request);
}

static void test_document_over_the_bound_is_poison(void **state)
{
    char *text = malloc(SINK_DOCUMENT_BYTES_MAX + 1);
    struct made_span made;

    (void)state;
    memset(text, 'x', SINK_DOCUMENT_BYTES_MAX + 1);
    make_span(&made, 1, 1, 0, 500);
    made.span.trace_state = (ProtobufCBinaryData){.data = (uint8_t *)text, .len = SINK_DOCUMENT_BYTES_MAX + 1};
    check_too_large(&made, "the document would be over MongoDB's limit of 16777216 bytes");
    made.span.trace_state.len = SINK_DOCUMENT_BYTES_MAX - 100; /* fits alone, not with the rest */
    check_too_large(&made, "the document would be over MongoDB's limit of 16777216 bytes");
    made.span.trace_state.len = 0;
    made.span.name = (ProtobufCBinaryData){.data = (uint8_t *)text, .len = SINK_DOCUMENT_BYTES_MAX / 2}; /* twice */
    check_too_large(&made, "the document would be over MongoDB's limit of 16777216 bytes");
    free(text);

    /* And afterwards the builder works as before. */
    make_span(&made, 1, 1, 0, 500);
    test_members_come_in_the_documented_order(NULL);
}

/* Small on the wire and large in memory: given up without building it. */
static void test_value_that_blows_up_is_poison(void **state)
{
    const size_t count = 3000000;
    Otlp__AnyValue element = OTLP__ANY_VALUE__INIT, value = OTLP__ANY_VALUE__INIT;
    Otlp__AnyValue **elements = calloc(count, sizeof(elements[0]));
    Otlp__ArrayValue array = OTLP__ARRAY_VALUE__INIT;
    Otlp__KeyValue pair = OTLP__KEY_VALUE__INIT;
    Otlp__KeyValue *pairs[1] = {&pair};
    struct made_span made;

    (void)state;
    for (size_t i = 0; i < count; i++)
        elements[i] = &element;
    array.values = elements;
    array.n_values = count;
    value.value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
    value.array_value = &array;
    pair.key = text_data("k");
    pair.value = &value;
    make_span(&made, 1, 1, 0, 500);
    made.span.attributes = pairs;
    made.span.n_attributes = 1;
    check_too_large(&made, "the document would be over MongoDB's limit of 16777216 bytes");
    free(elements);
}

static void test_service_of_the_next_request_is_its_own(void **state)
{
    struct made_span made;
    Otlp__Span *spans[] = {&made.span};
    struct request request;

    (void)state;
    make_span(&made, 1, 1, 0, 500);
    for (int i = 0; i < 2; i++) {
        request_of_spans(&request, i == 0 ? "one" : "two", spans, 1, REQUESTS_RECEIVED_NS);
        sink_bson_forget(&builder);
        build(&request.fragments[0]);
        check_text("serviceName", i == 0 ? "one" : "two");
        request_free(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_span_of_every_capture_is_in_a_document),
        cmocka_unit_test(test_members_come_in_the_documented_order),
        cmocka_unit_test(test_error_and_root_are_absent_when_false),
        cmocka_unit_test(test_parent_of_zeros_is_none),
        cmocka_unit_test(test_entry_is_earliest_whose_parent_is_elsewhere),
        cmocka_unit_test(test_entry_of_a_cycle_is_the_earliest),
        cmocka_unit_test(test_times_past_int64_are_clamped_and_counted),
        cmocka_unit_test(test_ill_formed_text_is_repaired_and_counted),
        cmocka_unit_test(test_values_keep_type_and_nul),
        cmocka_unit_test(test_document_over_the_bound_is_poison),
        cmocka_unit_test(test_value_that_blows_up_is_poison),
        cmocka_unit_test(test_service_of_the_next_request_is_its_own),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
