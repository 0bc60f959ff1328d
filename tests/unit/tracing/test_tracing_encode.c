/*
 * test_tracing_encode.c - what is encoded, read back with protobuf-c's decoder
 * and with the walk that a receiver judges requests by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "clock.h"
#include "otlp_decode.h"
#include "otlp_index.h"
#include "tracing_encode.h"
#include "utf8.h"

#define WALL_NS (UINT64_C(1800000000) * NS_PER_S)
#define MONO_NS (UINT64_C(5000) * NS_PER_S)

struct encoded {
    struct arena arena;
    struct buf out;
    Otlp__ExportTraceServiceRequest *request;
};

static struct tracing_span make_span(uint64_t begun_ns, uint64_t end_ns)
{
    struct tracing_context parent = {.is_valid = true, .is_sampled = true, .trace_id = {1}, .span_id = {2}};
    struct tracing_live live;
    struct tracing_span span;

    tracing_begin(&live, &parent, true, begun_ns);
    tracing_span_init(&span, &live, "a span", TRACING_SERVER);
    span.end_ns = end_ns;
    return span;
}

static void encode(struct encoded *encoded, const struct tracing_span *spans, size_t count)
{
    struct tracing_resource resource = {.instance_id = "an instance", .host_name = "a host"};
    struct err err;

    arena_init(&encoded->arena, TRACING_ARENA_BYTES_MAX);
    buf_init(&encoded->out, TRACING_REQUEST_BYTES_MAX);
    if (tracing_encode(&encoded->out, &encoded->arena, &resource, spans, count, WALL_NS, MONO_NS, &err) != 0)
        fail_msg("%s", err.text);
    encoded->request = otlp__export_trace_service_request__unpack(NULL, encoded->out.len, encoded->out.data);
    assert_non_null(encoded->request);
}

static void finish(struct encoded *encoded)
{
    otlp__export_trace_service_request__free_unpacked(encoded->request, NULL);
    buf_fini(&encoded->out);
    arena_fini(&encoded->arena);
}

static Otlp__Span *span_at(const struct encoded *encoded, size_t at)
{
    return encoded->request->resource_spans[0]->scope_spans[0]->spans[at];
}

static void assert_text(ProtobufCBinaryData bytes, const char *text)
{
    assert_int_equal(bytes.len, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.len);
}

static void test_every_field_is_read_back(void **state)
{
    struct tracing_span span = make_span(MONO_NS - 3 * NS_PER_S, MONO_NS - NS_PER_S);
    struct encoded encoded;
    Otlp__Span *read;

    (void)state;
    tracing_span_text(&span, "text", "value");
    tracing_span_number(&span, "number", 42);
    tracing_span_event(&span, "event", MONO_NS - 2 * NS_PER_S);
    tracing_span_fail(&span, "why");
    encode(&encoded, &span, 1);
    read = span_at(&encoded, 0);
    assert_text(read->name, "a span");
    assert_int_equal(read->kind, OTLP__SPAN__SPAN_KIND__SPAN_KIND_SERVER);
    assert_int_equal(read->trace_id.len, TRACING_TRACE_ID_BYTES);
    assert_int_equal(read->trace_id.data[0], 1);
    assert_int_equal(read->span_id.len, TRACING_SPAN_ID_BYTES);
    assert_memory_equal(read->span_id.data, span.live.context.span_id, TRACING_SPAN_ID_BYTES);
    assert_int_equal(read->parent_span_id.len, TRACING_SPAN_ID_BYTES);
    assert_int_equal(read->parent_span_id.data[0], 2);
    assert_int_equal(read->flags, 0x301);
    assert_int_equal(read->start_time_unix_nano, WALL_NS - 3 * NS_PER_S);
    assert_int_equal(read->end_time_unix_nano, WALL_NS - NS_PER_S);
    assert_int_equal(read->n_attributes, 2);
    assert_text(read->attributes[0]->key, "text");
    assert_text(read->attributes[0]->value->string_value, "value");
    assert_int_equal(read->attributes[1]->value->value_case, OTLP__ANY_VALUE__VALUE_INT_VALUE);
    assert_int_equal(read->attributes[1]->value->int_value, 42);
    assert_int_equal(read->n_events, 1);
    assert_text(read->events[0]->name, "event");
    assert_int_equal(read->events[0]->time_unix_nano, WALL_NS - 2 * NS_PER_S);
    assert_int_equal(read->status->code, OTLP__STATUS__STATUS_CODE__STATUS_CODE_ERROR);
    assert_text(read->status->message, "why");
    finish(&encoded);
}

static void test_root_has_no_parent_and_success_no_status(void **state)
{
    struct tracing_span span = make_span(1, 2);
    struct encoded encoded;

    (void)state;
    span.live.has_parent = span.live.parent_is_remote = false;
    encode(&encoded, &span, 1);
    assert_int_equal(span_at(&encoded, 0)->parent_span_id.len, 0);
    assert_int_equal(span_at(&encoded, 0)->flags, 0x101);
    assert_null(span_at(&encoded, 0)->status);
    finish(&encoded);
}

static void test_resource_says_who_sends(void **state)
{
    struct tracing_span span = make_span(1, 2);
    struct encoded encoded;
    Otlp__ResourceSpans *group;

    (void)state;
    encode(&encoded, &span, 1);
    group = encoded.request->resource_spans[0];
    assert_int_equal(group->resource->n_attributes, 4);
    assert_text(group->resource->attributes[0]->key, "service.name");
    assert_text(group->resource->attributes[0]->value->string_value, "tracespool");
    assert_text(group->resource->attributes[1]->value->string_value, TRACESPOOL_VERSION);
    assert_text(group->resource->attributes[2]->value->string_value, "an instance");
    assert_text(group->resource->attributes[3]->value->string_value, "a host");
    assert_text(group->scope_spans[0]->scope->name, "tracespool");
    finish(&encoded);
}

/* Spans as large as they become, and a receiver takes all of them. */
static void test_largest_batch_fits_its_bounds(void **state)
{
    static struct tracing_span spans[TRACING_BATCH_SPANS];
    static char text[TRACING_TEXT_BYTES];
    struct encoded encoded;
    struct otlp_index index;
    struct arena arena;

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    for (size_t i = 0; i < TRACING_BATCH_SPANS; i++) {
        spans[i] = make_span(MONO_NS - 2, MONO_NS - 1);
        for (int n = 0; n < TRACING_EVENTS_MAX; n++)
            tracing_span_event(&spans[i], "an event of some length", MONO_NS);
        tracing_span_fail(&spans[i], text);
        for (int n = 0; n < TRACING_ATTRIBUTES_MAX; n++)
            tracing_span_number(&spans[i], "tracespool.request.rejected_spans", INT64_MAX);
    }
    encode(&encoded, spans, TRACING_BATCH_SPANS);
    arena_init(&arena, OTLP_DECODED_BYTES_MAX);
    assert_int_equal(otlp_index_build(&index, &arena, buf_slice(&encoded.out), NULL), 0);
    assert_int_equal(index.span_count, TRACING_BATCH_SPANS);
    arena_fini(&arena);
    finish(&encoded);
}

static void test_text_that_is_not_utf8_is_repaired(void **state)
{
    struct tracing_span span = make_span(1, 2);
    struct encoded encoded;
    Otlp__Span *read;

    (void)state;
    tracing_span_text(&span, "cut", "caf\xC3");
    encode(&encoded, &span, 1);
    read = span_at(&encoded, 0);
    assert_text(read->attributes[0]->value->string_value, "caf\xEF\xBF\xBD");
    finish(&encoded);
}

static void test_no_memory_is_told(void **state)
{
    struct tracing_span span = make_span(1, 2);
    struct tracing_resource resource = {.instance_id = "i"};
    struct arena arena;
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&out, TRACING_REQUEST_BYTES_MAX);
    arena_init(&arena, 1);
    assert_int_equal(tracing_encode(&out, &arena, &resource, &span, 1, 2, 1, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "no memory for a request of 1 spans");
    arena_fini(&arena);
    arena_init(&arena, TRACING_ARENA_BYTES_MAX);
    out.max = 10;
    assert_int_equal(tracing_encode(&out, &arena, &resource, &span, 1, 2, 1, &err), -1);
    arena_fini(&arena);
    buf_fini(&out);
}

/* RFC 9562, version 4. */
static void test_instance_is_a_uuid_of_its_own(void **state)
{
    struct tracing_resource a, b;

    (void)state;
    tracing_resource_init(&a);
    tracing_resource_init(&b);
    assert_string_not_equal(a.instance_id, b.instance_id);
    assert_int_equal(strlen(a.instance_id), 36);
    assert_int_equal(a.instance_id[8], '-');
    assert_int_equal(a.instance_id[14], '4');
    assert_non_null(strchr("89ab", a.instance_id[19]));
    assert_string_not_equal(a.host_name, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_is_read_back),
        cmocka_unit_test(test_root_has_no_parent_and_success_no_status),
        cmocka_unit_test(test_resource_says_who_sends),
        cmocka_unit_test(test_largest_batch_fits_its_bounds),
        cmocka_unit_test(test_text_that_is_not_utf8_is_repaired),
        cmocka_unit_test(test_no_memory_is_told),
        cmocka_unit_test(test_instance_is_a_uuid_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
