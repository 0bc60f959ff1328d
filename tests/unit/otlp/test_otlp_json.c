/*
 * otlp_json: every field of every message, as opentelemetry-proto's JSON
 * encoding has it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fault.h"
#include "otlp_index.h"
#include "otlp_json.h"
#include "otlp_samples.h"

static struct buf out;
static struct json json;

static int set_up(void **state)
{
    (void)state;
    buf_init(&out, 64UL << 20);
    json_init(&json, &out);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static void check_json(const char *expected)
{
    assert_false(out.failed);
    assert_int_equal(json.depth, 0);
    assert_int_equal(buf_append(&out, "", 1), 0);
    assert_string_equal((const char *)out.data, expected);
    buf_clear(&out);
}

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)text};
}

static void test_json_empty_messages_are_empty_objects(void **state)
{
    Otlp__Span span = OTLP__SPAN__INIT;
    Otlp__Resource resource = OTLP__RESOURCE__INIT;
    Otlp__InstrumentationScope scope = OTLP__INSTRUMENTATION_SCOPE__INIT;

    (void)state;
    otlp_json_span(&json, &span);
    check_json("{}");
    otlp_json_resource(&json, &resource);
    check_json("{}");
    otlp_json_scope(&json, &scope);
    check_json("{}");
}

static void test_json_span_has_every_field(void **state)
{
    Otlp__KeyValue attribute = OTLP__KEY_VALUE__INIT;
    Otlp__KeyValue *attributes[] = {&attribute};
    Otlp__Span__Event event = OTLP__SPAN__EVENT__INIT;
    Otlp__Span__Event empty = OTLP__SPAN__EVENT__INIT;
    Otlp__Span__Event *events[] = {&event, &empty};
    Otlp__Span__Link link = OTLP__SPAN__LINK__INIT;
    Otlp__Span__Link *links[] = {&link};
    Otlp__Status status = OTLP__STATUS__INIT;
    Otlp__Span span = OTLP__SPAN__INIT;

    (void)state;
    attribute.key = bytes_of("k");
    event.time_unix_nano = 18446744073709551615U;
    event.name = bytes_of("exception");
    link.trace_id = bytes_of("\xab\xcd");
    link.span_id = bytes_of("\x01");
    link.trace_state = bytes_of("a=b");
    link.flags = 4294967295U;
    event.attributes = link.attributes = span.attributes = attributes;
    event.n_attributes = link.n_attributes = span.n_attributes = 1;
    event.dropped_attributes_count = link.dropped_attributes_count = span.dropped_attributes_count = 1;
    status.message = bytes_of("bad");
    status.code = OTLP__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
    span.trace_id = bytes_of("0123456789abcdef");
    span.span_id = bytes_of("01234567");
    span.trace_state = bytes_of("c=d");
    span.parent_span_id = bytes_of("76543210");
    span.flags = 257;
    span.name = bytes_of("GET \"/\"");
    span.kind = OTLP__SPAN__SPAN_KIND__SPAN_KIND_SERVER;
    span.start_time_unix_nano = 1700000000000000001U;
    span.end_time_unix_nano = 1700000000000000002U;
    span.events = events;
    span.n_events = 2;
    span.dropped_events_count = 2;
    span.links = links;
    span.n_links = 1;
    span.dropped_links_count = 3;
    span.status = &status;
    otlp_json_span(&json, &span);
    check_json("{\"traceId\":\"30313233343536373839616263646566\",\"spanId\":\"3031323334353637\","
               "\"traceState\":\"c=d\",\"parentSpanId\":\"3736353433323130\",\"flags\":257,\"name\":\"GET \\\"/\\\"\","
               "\"kind\":2,\"startTimeUnixNano\":\"1700000000000000001\",\"endTimeUnixNano\":\"1700000000000000002\","
               "\"attributes\":[{\"key\":\"k\"}],\"droppedAttributesCount\":1,"
               "\"events\":[{\"timeUnixNano\":\"18446744073709551615\",\"name\":\"exception\","
               "\"attributes\":[{\"key\":\"k\"}],\"droppedAttributesCount\":1},{}],\"droppedEventsCount\":2,"
               "\"links\":[{\"traceId\":\"abcd\",\"spanId\":\"01\",\"traceState\":\"a=b\","
               "\"attributes\":[{\"key\":\"k\"}],\"droppedAttributesCount\":1,\"flags\":4294967295}],"
               "\"droppedLinksCount\":3,\"status\":{\"message\":\"bad\",\"code\":2}}");
}

/* What a value of an attribute of a scope becomes. */
static void check_value(const Otlp__AnyValue *value, const char *expected)
{
    Otlp__KeyValue attribute = OTLP__KEY_VALUE__INIT;
    Otlp__KeyValue *attributes[] = {&attribute};
    Otlp__InstrumentationScope scope = OTLP__INSTRUMENTATION_SCOPE__INIT;
    char text[512];

    attribute.value = (Otlp__AnyValue *)value;
    scope.attributes = attributes;
    scope.n_attributes = 1;
    otlp_json_scope(&json, &scope);
    snprintf(text, sizeof(text), "{\"attributes\":[{\"value\":{%s}}]}", expected);
    check_json(text);
}

static void check_double(double number, const char *expected)
{
    Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;

    value.value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
    value.double_value = number;
    check_value(&value, expected);
}

static void check_bytes(const char *bytes, const char *expected)
{
    Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;

    value.value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
    value.bytes_value = bytes_of(bytes);
    check_value(&value, expected);
}

static void test_json_scalar_values_have_their_type(void **state)
{
    Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;

    (void)state;
    check_value(&value, "");
    value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    check_value(&value, "\"stringValue\":\"\"");
    value.string_value = (ProtobufCBinaryData){.len = 3, .data = (uint8_t *)"a\0b"};
    check_value(&value, "\"stringValue\":\"a\\u0000b\"");
    value.value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
    value.bool_value = 0;
    check_value(&value, "\"boolValue\":false");
    value.value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
    value.int_value = INT64_MIN;
    check_value(&value, "\"intValue\":\"-9223372036854775808\"");
    value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE_STRINDEX;
    value.string_value_strindex = -1;
    check_value(&value, "\"stringValueStrindex\":-1");
    check_double(0.5, "\"doubleValue\":0.5");
    check_double(NAN, "\"doubleValue\":\"NaN\"");
    check_double(-INFINITY, "\"doubleValue\":\"-Infinity\"");
}

static void test_json_bytes_are_base64(void **state)
{
    (void)state;
    check_bytes("", "\"bytesValue\":\"\"");
    check_bytes("f", "\"bytesValue\":\"Zg==\"");
    check_bytes("fo", "\"bytesValue\":\"Zm8=\"");
    check_bytes("foo", "\"bytesValue\":\"Zm9v\"");
    check_bytes("\xfb\xff\xbf\x01", "\"bytesValue\":\"+/+/AQ==\"");
}

static void test_json_lists_and_maps_nest(void **state)
{
    Otlp__AnyValue leaf = OTLP__ANY_VALUE__INIT;
    Otlp__AnyValue *leaves[] = {&leaf, &leaf};
    Otlp__ArrayValue array = OTLP__ARRAY_VALUE__INIT;
    Otlp__AnyValue list = OTLP__ANY_VALUE__INIT;
    Otlp__KeyValue member = OTLP__KEY_VALUE__INIT;
    Otlp__KeyValue *members[] = {&member};
    Otlp__KeyValueList map_members = OTLP__KEY_VALUE_LIST__INIT;
    Otlp__AnyValue map = OTLP__ANY_VALUE__INIT;

    (void)state;
    leaf.value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
    leaf.bool_value = 1;
    list.value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
    list.array_value = &array;
    check_value(&list, "\"arrayValue\":{}");
    map.value_case = OTLP__ANY_VALUE__VALUE_KVLIST_VALUE;
    map.kvlist_value = &map_members;
    check_value(&map, "\"kvlistValue\":{}");
    array.values = leaves;
    array.n_values = 2;
    member.key = bytes_of("m");
    member.value = &list;
    member.key_strindex = 3;
    map_members.values = members;
    map_members.n_values = 1;
    check_value(&map, "\"kvlistValue\":{\"values\":[{\"key\":\"m\",\"value\":{\"arrayValue\":{\"values\":["
                      "{\"boolValue\":true},{\"boolValue\":true}]}},\"keyStrindex\":3}]}");
}

static void test_json_resource_and_scope_have_every_field(void **state)
{
    Otlp__KeyValue attribute = OTLP__KEY_VALUE__INIT;
    Otlp__KeyValue *attributes[] = {&attribute};
    ProtobufCBinaryData keys[] = {bytes_of("a"), bytes_of("b")};
    Otlp__EntityRef entity = OTLP__ENTITY_REF__INIT;
    Otlp__EntityRef *entities[] = {&entity};
    Otlp__Resource resource = OTLP__RESOURCE__INIT;
    Otlp__InstrumentationScope scope = OTLP__INSTRUMENTATION_SCOPE__INIT;

    (void)state;
    entity.schema_url = bytes_of("u");
    entity.type = bytes_of("host");
    entity.id_keys = entity.description_keys = keys;
    entity.n_id_keys = 2;
    entity.n_description_keys = 1;
    resource.attributes = scope.attributes = attributes;
    resource.n_attributes = scope.n_attributes = 1;
    resource.dropped_attributes_count = scope.dropped_attributes_count = 9;
    resource.entity_refs = entities;
    resource.n_entity_refs = 1;
    otlp_json_resource(&json, &resource);
    check_json("{\"attributes\":[{}],\"droppedAttributesCount\":9,\"entityRefs\":[{\"schemaUrl\":\"u\","
               "\"type\":\"host\",\"idKeys\":[\"a\",\"b\"],\"descriptionKeys\":[\"a\"]}]}");
    scope.name = bytes_of("n");
    scope.version = bytes_of("v");
    otlp_json_scope(&json, &scope);
    check_json("{\"name\":\"n\",\"version\":\"v\",\"attributes\":[{}],\"droppedAttributesCount\":9}");
}

/* As deep as the walk lets pass. */
static void test_json_deepest_value_fits(void **state)
{
    const Otlp__Span *span;
    struct otlp_index index;
    struct arena arena;
    struct buf request;
    struct err err;

    (void)state;
    arena_init(&arena, 16UL << 20);
    samples_nested(&request, OTLP_DEPTH_MAX, true);
    assert_int_equal(otlp_index_build(&index, &arena, buf_slice(&request), &err), 0);
    assert_int_equal(otlp_decode_span(&span, &arena, index.spans[0].bytes, &err), 0);
    otlp_json_span(&json, span);
    assert_false(out.failed);
    assert_non_null(memmem(out.data, out.len, "{\"boolValue\":true}", 18));
    buf_fini(&request);
    arena_fini(&arena);
}

static void test_json_no_memory_for_an_id_fails_the_output(void **state)
{
    Otlp__Span span = OTLP__SPAN__INIT;

    (void)state;
    assert_non_null(buf_reserve(&out, 1024));
    span.trace_id = bytes_of("0123456789abcdef");
    fault_arm("buf.grow", 1, 12);
    otlp_json_span(&json, &span);
    assert_true(out.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_json_empty_messages_are_empty_objects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_json_span_has_every_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_json_scalar_values_have_their_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_json_bytes_are_base64, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_json_lists_and_maps_nest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_json_resource_and_scope_have_every_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_json_deepest_value_fits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_json_no_memory_for_an_id_fails_the_output, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
