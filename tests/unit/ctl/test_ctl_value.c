/*
 * test_ctl_value.c - attributes and spans in full, from structs that nobody sent.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_fixture.h"
#include "ctl_show_span.h"
#include "ctl_text.h"
#include "ctl_value.h"

static ProtobufCBinaryData binary(const char *text)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)text, .len = strlen(text)};
}

static Otlp__AnyValue string_value(const char *text)
{
    Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;

    value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    value.string_value = binary(text);
    return value;
}

static Otlp__AnyValue int_value(int64_t number)
{
    Otlp__AnyValue value = OTLP__ANY_VALUE__INIT;

    value.value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
    value.int_value = number;
    return value;
}

static Otlp__KeyValue member(const char *key, Otlp__AnyValue *value)
{
    Otlp__KeyValue attribute = OTLP__KEY_VALUE__INIT;

    attribute.key = binary(key);
    attribute.value = value;
    return attribute;
}

static void assert_prints(Otlp__KeyValue **attributes, size_t count, unsigned indent, const char *expected)
{
    struct buf out;

    buf_init(&out, 1UL << 20);
    ctl_value_print(&out, attributes, count, indent);
    assert_string_equal(fixture_text(&out), expected);
    assert_false(out.failed);
    buf_fini(&out);
}

static void assert_value(Otlp__AnyValue *value, const char *expected)
{
    Otlp__KeyValue attribute = member("k", value);
    Otlp__KeyValue *attributes[] = {&attribute};
    char line[512];

    snprintf(line, sizeof(line), "k  %s\n", expected);
    assert_prints(attributes, 1, 0, line);
}

static void test_values_are_plain_json(void **state)
{
    Otlp__AnyValue text = string_value("서울 \"x\" \033[31m\342\200\256"), number = int_value(INT64_MIN);
    Otlp__AnyValue yes = OTLP__ANY_VALUE__INIT, ratio = OTLP__ANY_VALUE__INIT, bytes = OTLP__ANY_VALUE__INIT;
    Otlp__AnyValue nothing = OTLP__ANY_VALUE__INIT;

    (void)state;
    assert_value(&text, "\"서울 \\\"x\\\" \\u001b[31m\\u202e\"");
    assert_value(&number, "-9223372036854775808");
    yes.value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
    yes.bool_value = 1;
    assert_value(&yes, "true");
    ratio.value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
    ratio.double_value = 0.1;
    assert_value(&ratio, "0.1");
    ratio.double_value = NAN;
    assert_value(&ratio, "\"NaN\"");
    bytes.value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
    bytes.bytes_value = (ProtobufCBinaryData){.data = (uint8_t[]){0, 255}, .len = 2};
    assert_value(&bytes, "\"0x00ff\"");
    bytes.bytes_value.len = 0;
    assert_value(&bytes, "\"0x\"");
    assert_value(&nothing, "null");
    assert_value(NULL, "null");
}

static void test_values_nest(void **state)
{
    Otlp__AnyValue one = int_value(1), two = string_value("two"), map = OTLP__ANY_VALUE__INIT,
                   array = OTLP__ANY_VALUE__INIT;
    Otlp__KeyValue a = member("a", &one), b = member("b", &array);
    Otlp__ArrayValue items = OTLP__ARRAY_VALUE__INIT;
    Otlp__KeyValueList members = OTLP__KEY_VALUE_LIST__INIT;

    (void)state;
    items.n_values = 2;
    items.values = (Otlp__AnyValue *[]){&one, &two};
    array.value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
    array.array_value = &items;
    members.n_values = 2;
    members.values = (Otlp__KeyValue *[]){&a, &b};
    map.value_case = OTLP__ANY_VALUE__VALUE_KVLIST_VALUE;
    map.kvlist_value = &members;
    assert_value(&map, "{\"a\":1,\"b\":[1,\"two\"]}");
}

static void test_values_stand_in_a_column_and_a_stack_trace_in_lines(void **state)
{
    Otlp__AnyValue text = string_value("short"),
                   trace = string_value("java.lang.Exception: \033[2J\n\tat a.B.c(D.java:1)\n\n\tat e\n");
    Otlp__KeyValue first = member("a", &text), second = member("exception.stacktrace", &trace),
                   third = member("a.key.that.is.longer.than.the.column.of.keys", &text);
    Otlp__KeyValue *attributes[] = {&first, &second, &third};

    (void)state;
    assert_prints(attributes, 2, 2,
                  "  a                     \"short\"\n"
                  "  exception.stacktrace\n"
                  "    java.lang.Exception: \\x1b[2J\n"
                  "        at a.B.c(D.java:1)\n"
                  "\n"
                  "        at e\n");
    assert_prints((Otlp__KeyValue *[]){&first, &third}, 2, 0,
                  "a                             \"short\"\n"
                  "a.key.that.is.longer.than.the.column.of.keys  \"short\"\n");
    assert_prints(attributes, 0, 2, "");
}

static void test_span_has_all_of_its_parts(void **state)
{
    Otlp__AnyValue text = string_value("v");
    Otlp__KeyValue attribute = member("k", &text);
    Otlp__KeyValue *attributes[] = {&attribute};
    Otlp__Span__Event event = OTLP__SPAN__EVENT__INIT;
    Otlp__Span__Link link = OTLP__SPAN__LINK__INIT;
    Otlp__Status status = OTLP__STATUS__INIT;
    Otlp__Span span = OTLP__SPAN__INIT;
    struct buf out;

    (void)state;
    event.name = binary("exception");
    event.time_unix_nano = FIXTURE_BEGIN + FIXTURE_MS;
    event.attributes = attributes;
    event.n_attributes = 1;
    event.dropped_attributes_count = 1;
    link.trace_id = binary("0123456789abcdef");
    link.span_id = binary("01234567");
    link.trace_state = binary("a=b");
    status.code = OTLP__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
    status.message = binary("went wrong");
    span.name = binary("GET\n/");
    span.trace_id = binary("0123456789abcdef");
    span.span_id = binary("01234567");
    span.trace_state = binary("x=y");
    span.kind = OTLP__SPAN__SPAN_KIND__SPAN_KIND_SERVER;
    span.start_time_unix_nano = FIXTURE_BEGIN;
    span.end_time_unix_nano = FIXTURE_BEGIN + 2 * FIXTURE_MS;
    span.status = &status;
    span.flags = 257;
    span.attributes = attributes;
    span.n_attributes = 1;
    span.dropped_attributes_count = 1234;
    span.events = (Otlp__Span__Event *[]){&event};
    span.n_events = 1;
    span.dropped_events_count = 2;
    span.links = (Otlp__Span__Link *[]){&link};
    span.n_links = 1;
    span.dropped_links_count = 3;
    buf_init(&out, 1UL << 20);
    ctl_show_span(&out, &span, false);
    assert_string_equal(fixture_text(&out), "span GET\\n/\n"
                                            "  trace     30313233343536373839616263646566\n"
                                            "  id        3031323334353637\n"
                                            "  parent    -\n"
                                            "  kind      server\n"
                                            "  start     2023-11-14T22:13:20.000Z\n"
                                            "  duration  2.00 ms\n"
                                            "  status    ERROR  went wrong\n"
                                            "  state     x=y\n"
                                            "  flags     0x00000101\n"
                                            "  attributes\n"
                                            "    k  \"v\"\n"
                                            "    1,234 more attributes dropped by the sender\n"
                                            "  event exception  2023-11-14T22:13:20.001Z (+1.00 ms)\n"
                                            "    k  \"v\"\n"
                                            "    1 more attributes dropped by the sender\n"
                                            "  2 more events dropped by the sender\n"
                                            "  link to trace 30313233343536373839616263646566 span "
                                            "3031323334353637  a=b\n"
                                            "  3 more links dropped by the sender\n");
    buf_fini(&out);
}

static void test_span_without_anything(void **state)
{
    Otlp__Span span = OTLP__SPAN__INIT;
    struct buf out;

    (void)state;
    buf_init(&out, 1UL << 20);
    ctl_show_span_resource(&out, NULL, slice_of(NULL, 0), false);
    ctl_show_span_scope(&out, NULL, slice_of_text("https://schema"), false);
    ctl_show_span(&out, &span, false);
    assert_string_equal(fixture_text(&out), "\n"
                                            "resource without a name\n"
                                            "scope without a name\n"
                                            "  schema https://schema\n"
                                            "span without a name\n"
                                            "  trace     -\n"
                                            "  id        -\n"
                                            "  parent    -\n"
                                            "  kind      not set\n"
                                            "  start     -\n"
                                            "  duration  has no end\n"
                                            "  status    not set\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_plain_json),
        cmocka_unit_test(test_values_nest),
        cmocka_unit_test(test_values_stand_in_a_column_and_a_stack_trace_in_lines),
        cmocka_unit_test(test_span_has_all_of_its_parts),
        cmocka_unit_test(test_span_without_anything),
    };

    ctl_text_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
