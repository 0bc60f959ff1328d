/*
 * test_otlp_json_rules.c - the rules of OTLP/JSON one by one: what is taken and
 * as what, and the text with which the rest is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bounds.h"
#include "otlp_index.h"
#include "otlp_json.h"
#include "otlp_json_read.h"
#include "otlp_samples.h"
#include "otlp_schema.h"

#define BYTES_MAX (16UL << 20)
#define ARENA_BYTES (256UL << 20)
#define SPAN_PATH "resourceSpans[0].scopeSpans[0].spans[0]"
#define VALUE_PATH SPAN_PATH ".attributes[0].value"

static struct arena arena;
static struct buf text;
static struct buf out;
static struct buf back;
static struct err err;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_BYTES);
    buf_init(&text, BYTES_MAX);
    buf_init(&out, BYTES_MAX);
    buf_init(&back, BYTES_MAX);
    memset(&err, 0, sizeof(err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    buf_fini(&text);
    buf_fini(&out);
    buf_fini(&back);
    return 0;
}

/* A request whose one span is `span`, in `text`. */
static void wrap_span(const char *span)
{
    buf_clear(&text);
    buf_text(&text, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[");
    buf_text(&text, span);
    buf_text(&text, "]}]}]}");
    assert_false(text.failed);
}

static void wrap_value(const char *value)
{
    char span[1024];

    assert_true((size_t)snprintf(span, sizeof(span), "{\"attributes\":[{\"value\":%s}]}", value) < sizeof(span));
    wrap_span(span);
}

/* What was read from `text` is, written by our writer, `expected`. */
static void check_text_read(const char *expected)
{
    const Otlp__Span *span;
    struct otlp_index index;
    struct json json;

    if (otlp_json_read(buf_slice(&text), BYTES_MAX, &out, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(otlp_index_build(&index, &arena, buf_slice(&out), &err), 0);
    assert_int_equal(index.span_count, 1);
    assert_int_equal(otlp_decode_span(&span, &arena, index.spans[0].bytes, &err), 0);
    buf_clear(&back);
    json_init(&json, &back);
    otlp_json_span(&json, span);
    assert_int_equal(buf_append(&back, "", 1), 0);
    assert_string_equal((const char *)back.data, expected);
}

static void check_span(const char *span, const char *expected)
{
    wrap_span(span);
    check_text_read(expected);
}

static void check_value(const char *value, const char *expected)
{
    char span[1024];

    wrap_value(value);
    snprintf(span, sizeof(span), "{\"attributes\":[{\"value\":%s}]}", expected);
    check_text_read(span);
}

static void check_refused(const char *expected)
{
    memset(&err, 0, sizeof(err));
    assert_int_equal(otlp_json_read(buf_slice(&text), BYTES_MAX, &out, &err), -1);
    assert_string_equal(err.text, expected);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_equal(err.code, EBADMSG);
    assert_int_equal(out.len, 0);
}

static void check_request_refused(const char *request, const char *expected)
{
    buf_clear(&text);
    buf_text(&text, request);
    check_refused(expected);
}

static void check_span_refused(const char *span, const char *expected)
{
    wrap_span(span);
    check_refused(expected);
}

static void check_value_refused(const char *value, const char *expected)
{
    wrap_value(value);
    check_refused(expected);
}

static void test_rules_empty_requests_are_empty(void **state)
{
    static const char *const texts[] = {"{}", " {\n} ", "{\"resourceSpans\":[]}", "{\"resourceSpans\":null}",
                                        "{\"unknown\":{\"a\":[1,{\"b\":\"c\"}]}}"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(otlp_json_read(slice_of_text(texts[i]), BYTES_MAX, &out, &err), 0);
        assert_int_equal(out.len, 0);
    }
}

static void test_rules_ids_are_hexadecimal_of_either_case(void **state)
{
    (void)state;
    check_span("{\"traceId\":\"5B8EFFF798038103D269b633813fc60c\",\"spanId\":\"EEE19B7EC3C1B174\","
               "\"parentSpanId\":\"eee19b7ec3c1b173\",\"links\":[{\"traceId\":\"ABCDEF\",\"spanId\":\"0a\"}]}",
               "{\"traceId\":\"5b8efff798038103d269b633813fc60c\",\"spanId\":\"eee19b7ec3c1b174\","
               "\"parentSpanId\":\"eee19b7ec3c1b173\",\"links\":[{\"traceId\":\"abcdef\",\"spanId\":\"0a\"}]}");
    check_span("{\"traceId\":\"\",\"spanId\":\"00ff00\"}", "{\"spanId\":\"00ff00\"}"); /* judged by the index */
    check_span_refused("{\"traceId\":\"W47/95gDgQPSabYzgT/GDA==\"}", SPAN_PATH ".traceId: not hexadecimal");
    check_span_refused("{\"traceId\":\"abc\"}", SPAN_PATH ".traceId: an odd number of hexadecimal digits");
    check_span_refused("{\"spanId\":12}", SPAN_PATH ".spanId: not a string");
    check_span_refused("{\"links\":[{},{\"spanId\":\"0g\"}]}", SPAN_PATH ".links[1].spanId: not hexadecimal");
}

static void test_rules_enums_are_integers(void **state)
{
    (void)state;
    check_span("{\"kind\":2,\"status\":{\"code\":\"1\"}}", "{\"kind\":2,\"status\":{\"code\":1}}");
    check_span("{\"kind\":99}", "{\"kind\":99}"); /* a later version's */
    check_span_refused("{\"kind\":\"SPAN_KIND_SERVER\"}",
                       SPAN_PATH ".kind: not an integer, and OTLP/JSON has no names of enum values");
    check_span_refused("{\"kind\":1.5}", SPAN_PATH ".kind: not an integer");
    check_span_refused("{\"kind\":true}", SPAN_PATH ".kind: not an integer");
    check_span_refused("{\"status\":{\"code\":[]}}", SPAN_PATH ".status.code: not an integer");
}

static void test_rules_integers_are_numbers_or_strings(void **state)
{
    (void)state;
    check_span("{\"startTimeUnixNano\":\"18446744073709551615\",\"endTimeUnixNano\":1764000000123456789}",
               "{\"startTimeUnixNano\":\"18446744073709551615\",\"endTimeUnixNano\":\"1764000000123456789\"}");
    check_span("{\"flags\":4294967295,\"droppedLinksCount\":\"3\"}", "{\"flags\":4294967295,\"droppedLinksCount\":3}");
    check_value("{\"intValue\":\"-9223372036854775808\"}", "{\"intValue\":\"-9223372036854775808\"}");
    check_value("{\"intValue\":9007199254740993}", "{\"intValue\":\"9007199254740993\"}");
    check_value("{\"intValue\":1e3}", "{\"intValue\":\"1000\"}");
    check_value("{\"intValue\":\"1.0\"}", "{\"intValue\":\"1\"}");
    check_value("{\"intValue\":9223372036854775808}", "{\"doubleValue\":9.223372036854776e+18}");
    check_value("{\"intValue\":2.5e+300}", "{\"doubleValue\":2.5e+300}");
    check_value("{\"intValue\":\"-9223372036854775809\"}", "{\"doubleValue\":-9.223372036854776e+18}");
    check_value_refused("{\"intValue\":0.5}", VALUE_PATH ".intValue: not an integer");
    check_value_refused("{\"intValue\":\"\"}", VALUE_PATH ".intValue: not an integer");
    check_span_refused("{\"flags\":-1}", SPAN_PATH ".flags: out of range");
    check_span_refused("{\"startTimeUnixNano\":{}}", SPAN_PATH ".startTimeUnixNano: not an integer");
}

static void test_rules_doubles_are_numbers_or_strings(void **state)
{
    (void)state;
    check_value("{\"doubleValue\":0.1}", "{\"doubleValue\":0.1}");
    check_value("{\"doubleValue\":\"1e-7\"}", "{\"doubleValue\":1e-07}");
    check_value("{\"doubleValue\":3}", "{\"doubleValue\":3}");
    check_value("{\"doubleValue\":\"NaN\"}", "{\"doubleValue\":\"NaN\"}");
    check_value("{\"doubleValue\":\"Infinity\"}", "{\"doubleValue\":\"Infinity\"}");
    check_value("{\"doubleValue\":\"-Infinity\"}", "{\"doubleValue\":\"-Infinity\"}");
    check_value_refused("{\"doubleValue\":\"-NaN\"}", VALUE_PATH ".doubleValue: not a number");
    check_value_refused("{\"doubleValue\":1e999}", VALUE_PATH ".doubleValue: out of range");
    check_value_refused("{\"doubleValue\":false}", VALUE_PATH ".doubleValue: not a number");
}

static void test_rules_bytes_are_base64_of_either_alphabet(void **state)
{
    (void)state;
    check_value("{\"bytesValue\":\"+/+/AA==\"}", "{\"bytesValue\":\"+/+/AA==\"}");
    check_value("{\"bytesValue\":\"-_-_AA\"}", "{\"bytesValue\":\"+/+/AA==\"}");
    check_value("{\"bytesValue\":\"AAE=\"}", "{\"bytesValue\":\"AAE=\"}");
    check_value("{\"bytesValue\":\"AAE\"}", "{\"bytesValue\":\"AAE=\"}");
    check_value("{\"bytesValue\":\"AAEC\"}", "{\"bytesValue\":\"AAEC\"}");
    check_value("{\"bytesValue\":\"\"}", "{\"bytesValue\":\"\"}");
    check_value_refused("{\"bytesValue\":\"A\"}", VALUE_PATH ".bytesValue: not base64");
    check_value_refused("{\"bytesValue\":\"AA=\"}", VALUE_PATH ".bytesValue: not base64");
    check_value_refused("{\"bytesValue\":\"AAAA=\"}", VALUE_PATH ".bytesValue: not base64");
    check_value_refused("{\"bytesValue\":\"A===\"}", VALUE_PATH ".bytesValue: not base64");
    check_value_refused("{\"bytesValue\":\"=\"}", VALUE_PATH ".bytesValue: not base64");
    check_value_refused("{\"bytesValue\":\"AA A\"}", VALUE_PATH ".bytesValue: not base64");
    check_value_refused("{\"bytesValue\":[1]}", VALUE_PATH ".bytesValue: not a string");
}

static void test_rules_other_values_of_attributes(void **state)
{
    (void)state;
    check_value("{\"stringValue\":\"\"}", "{\"stringValue\":\"\"}");
    check_value("{\"boolValue\":false}", "{\"boolValue\":false}");
    check_value("{}", "{}");
    check_value("{\"arrayValue\":{}}", "{\"arrayValue\":{}}");
    check_value("{\"arrayValue\":{\"values\":[{\"intValue\":1},{}]}}",
                "{\"arrayValue\":{\"values\":[{\"intValue\":\"1\"},{}]}}");
    check_value("{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":{\"boolValue\":true}}]}}",
                "{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":{\"boolValue\":true}}]}}");
    check_value_refused("{\"boolValue\":\"true\"}", VALUE_PATH ".boolValue: neither true nor false");
    check_value_refused("{\"boolValue\":1}", VALUE_PATH ".boolValue: neither true nor false");
    check_value_refused("{\"stringValue\":1}", VALUE_PATH ".stringValue: not a string");
    check_value_refused("{\"arrayValue\":{\"values\":[{},null]}}", VALUE_PATH ".arrayValue.values[1]: null in a list");
    check_value_refused("\"bare\"", VALUE_PATH ": not an object");
    check_value_refused("[]", VALUE_PATH ": not an object");
}

static void test_rules_names_are_those_of_json_or_proto(void **state)
{
    (void)state;
    check_span("{\"trace_id\":\"ab\",\"start_time_unix_nano\":\"1\",\"dropped_events_count\":2}",
               "{\"traceId\":\"ab\",\"startTimeUnixNano\":\"1\",\"droppedEventsCount\":2}");
    check_span("{\"traceID\":\"ab\",\"TraceId\":\"ab\",\"trace__id\":\"ab\",\"trace\":1,\"\":2,\"nam\":3,\"names\":4}",
               "{}");
    check_span("{\"n\\u0061me\":\"escaped\"}", "{\"name\":\"escaped\"}");
}

static void test_rules_unknown_names_are_passed_over_with_what_they_hold(void **state)
{
    (void)state;
    check_span("{\"new\":{\"traceId\":\"no hex\",\"list\":[[],{},[{\"x\":null}]]},\"name\":\"n\",\"more\":[1,2],"
               "\"last\":-1.5e3,\"kind\":1}",
               "{\"name\":\"n\",\"kind\":1}");
}

static void test_rules_null_is_absent(void **state)
{
    (void)state;
    check_span("{\"name\":null,\"status\":null,\"attributes\":null,\"kind\":null,\"traceId\":null}", "{}");
    check_value("{\"stringValue\":null}", "{}");
}

/* As protobuf merges: the last scalar, all elements, both messages. */
static void test_rules_name_that_occurs_again(void **state)
{
    (void)state;
    check_span("{\"name\":\"a\",\"kind\":2,\"name\":\"b\",\"kind\":0}", "{\"name\":\"b\"}");
    check_span("{\"events\":[{\"name\":\"a\"}],\"events\":[{\"name\":\"b\"}]}",
               "{\"events\":[{\"name\":\"a\"},{\"name\":\"b\"}]}");
    check_span("{\"status\":{\"message\":\"m\"},\"status\":{\"code\":2}}",
               "{\"status\":{\"message\":\"m\",\"code\":2}}");
    check_value("{\"intValue\":1,\"stringValue\":\"last\"}", "{\"stringValue\":\"last\"}");
}

static void test_rules_strings_pass_as_they_are(void **state)
{
    (void)state;
    check_span("{\"name\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\uAC00\\uD83D\\uDE00\"}",
               "{\"name\":\"\\\"\\\\/\\b\\f\\n\\r\\t\xea\xb0\x80\xf0\x9f\x98\x80\"}");
    check_span("{\"name\":\"a\\u0000b\"}", "{\"name\":\"a\\u0000b\"}");
    check_span("{\"name\":\"\xff ill-formed\"}", "{\"name\":\"\xef\xbf\xbd ill-formed\"}"); /* by our writer */
    check_span("{\"name\":\"cut \\ud83d\"}", "{\"name\":\"cut ?\"}");
    check_span("{\"name\":\"\\ud83d cut\"}", "{\"name\":\"? cut\"}");
    check_span("{\"name\":\"\\ud83d\\\\uzzzz\"}", "{\"name\":\"?\\\\uzzzz\"}");
    check_span("{\"name\":\"\\ud83d\\n\"}", "{\"name\":\"?\\n\"}");
    wrap_span("{\"name\":\"\\udc00\"}");
    assert_int_equal(otlp_json_read(buf_slice(&text), BYTES_MAX, &out, &err), 0);
    assert_memory_equal(out.data + out.len - 3, "\xed\xb0\x80", 3); /* ill-formed: repaired where it is stored */
}

static void test_rules_shapes_are_checked(void **state)
{
    (void)state;
    check_request_refused("[]", "request: not an object");
    check_request_refused("null", "request: not an object");
    check_request_refused("\"text\"", "request: not an object");
    check_request_refused("17", "request: not an object");
    check_request_refused("true", "request: not an object");
    check_request_refused("{\"resourceSpans\":{}}", "resourceSpans: not a list");
    check_request_refused("{\"resourceSpans\":\"x\"}", "resourceSpans: not a list");
    check_request_refused("{\"resourceSpans\":[[]]}", "resourceSpans[0]: not an object");
    check_request_refused("{\"resourceSpans\":[{},1]}", "resourceSpans[1]: not an object");
    check_request_refused("{\"resourceSpans\":[null]}", "resourceSpans[0]: null in a list");
    check_request_refused("{\"resourceSpans\":[{\"resource\":[]}]}", "resourceSpans[0].resource: not an object");
    check_request_refused("{\"resourceSpans\":[{\"schemaUrl\":{}}]}", "resourceSpans[0].schemaUrl: not a string");
    check_request_refused("{\"resourceSpans\":[{\"resource\":{\"entityRefs\":[{\"idKeys\":[\"a\",2]}]}}]}",
                          "resourceSpans[0].resource.entityRefs[0].idKeys[1]: not a string");
}

static void test_rules_syntax_is_checked(void **state)
{
    (void)state;
    check_request_refused("", "request: not JSON, at byte 0: parse error: premature EOF");
    check_request_refused("{\"resourceSpans\":[{}",
                          "resourceSpans[0]: not JSON, at byte 20: parse error: premature EOF");
    check_request_refused("{} {}", "request: not JSON, at byte 4: parse error: trailing garbage");
    check_request_refused("{\"a\":01}", "request: not JSON, at byte 6: parse error: after key and value, inside map, "
                                        "I expect ',' or '}'");
    check_request_refused("{'a':1}", "request: not JSON, at byte 2: lexical error: invalid char in json text.");
    check_request_refused("{/* */}", "request: not JSON, at byte 1: lexical error: probable comment found in input "
                                     "text, comments are not enabled.");
    check_request_refused("\x0a\x05 protobuf",
                          "request: not JSON, at byte 2: lexical error: invalid char in json text.");
}

/* `depth` values within one another, in lists: below the value of an attribute three levels of JSON each. */
static void nest_values(unsigned depth)
{
    buf_clear(&text);
    buf_text(&text, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"attributes\":[{\"value\":");
    for (unsigned i = 1; i < depth; i++)
        buf_text(&text, "{\"arrayValue\":{\"values\":[");
    buf_text(&text, "{}");
    for (unsigned i = 1; i < depth; i++)
        buf_text(&text, "]}}");
    buf_text(&text, "}]}]}]}]}");
    assert_false(text.failed);
}

/* As deep as protobuf may be; above it the walk refuses, and far above it the reader does. */
static void test_rules_nesting_has_a_bound(void **state)
{
    struct otlp_index index;

    (void)state;
    nest_values(OTLP_DEPTH_MAX);
    assert_int_equal(otlp_json_read(buf_slice(&text), BYTES_MAX, &out, &err), 0);
    assert_int_equal(otlp_index_build(&index, &arena, buf_slice(&out), &err), 0);
    assert_int_equal(index.depth, OTLP_DEPTH_MAX);
    nest_values(OTLP_DEPTH_MAX + 1);
    assert_int_equal(otlp_json_read(buf_slice(&text), BYTES_MAX, &out, &err), 0);
    assert_int_equal(otlp_index_build(&index, &arena, buf_slice(&out), &err), -1);
    assert_int_equal(err.code, ERANGE);
    nest_values(JSON_DEPTH_MAX);
    assert_int_equal(otlp_json_read(buf_slice(&text), BYTES_MAX, &out, &err), -1);
    assert_non_null(strstr(err.text, "...: nested too deep"));
    assert_int_equal(err.code, ERANGE);
}

static void test_rules_nesting_of_what_is_passed_over_has_a_bound(void **state)
{
    (void)state;
    for (unsigned levels = JSON_DEPTH_MAX - 1; levels <= JSON_DEPTH_MAX; levels++) {
        buf_clear(&text);
        buf_text(&text, "{\"unknown\":");
        for (unsigned i = 0; i < levels; i++)
            buf_text(&text, i % 2 == 0 ? "[" : "{\"\":");
        buf_text(&text, "1");
        for (unsigned i = levels; i-- > 0;)
            buf_text(&text, i % 2 == 0 ? "]" : "}");
        buf_text(&text, "}");
        if (levels < JSON_DEPTH_MAX) {
            assert_int_equal(otlp_json_read(buf_slice(&text), BYTES_MAX, &out, &err), 0);
        } else {
            assert_int_equal(otlp_json_read(buf_slice(&text), BYTES_MAX, &out, &err), -1);
            assert_string_equal(err.text, "request: nested too deep");
        }
    }
}

/* A string of escapes only, which yajl decodes in a buffer that doubles, and one that breaks off in its midst. */
static void test_rules_long_escaped_strings_fit_the_pool(void **state)
{
    size_t whole;

    (void)state;
    for (unsigned count = 1; count < 100000; count = count * 3 + 1) {
        buf_clear(&text);
        buf_text(&text, "{\"resourceSpans\":[{\"schemaUrl\":\"");
        for (unsigned i = 0; i < count; i++)
            buf_text(&text, "x\\n");
        buf_text(&text, "\"},{\"schemaUrl\":\"");
        for (unsigned i = 0; i < count; i++)
            buf_text(&text, "\\\\");
        whole = text.len;
        buf_text(&text, "\"}]}");
        assert_false(text.failed);
        assert_int_equal(otlp_json_read(buf_slice(&text), BYTES_MAX, &out, &err), 0);
        assert_int_equal(otlp_json_read(slice_of(text.data, whole), BYTES_MAX, &out, &err), -1);
        assert_non_null(strstr(err.text, "premature EOF"));
    }
}

/* OTLP's fields of bytes, which the generated code does not tell from strings, are the ones that the schema knows. */
static void test_rules_bytes_are_those_of_the_proto_files(void **state)
{
    static const char *const files[] = {"common/v1/common", "resource/v1/resource", "trace/v1/trace",
                                        "collector/trace/v1/trace_service"};
    unsigned found = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[512], line[1024], name[64];
        FILE *file;

        snprintf(path, sizeof(path), SOURCE_DIR "/proto/opentelemetry/proto/%s.proto", files[i]);
        file = fopen(path, "r");
        assert_non_null(file);
        while (fgets(line, sizeof(line), file) != NULL) {
            if (sscanf(line, " bytes %63[a-z_]", name) != 1 && sscanf(line, " repeated bytes %63[a-z_]", name) != 1)
                continue;
            assert_true(strcmp(name, "trace_id") == 0 || strcmp(name, "span_id") == 0 ||
                        strcmp(name, "parent_span_id") == 0 || strcmp(name, "bytes_value") == 0);
            found++;
        }
        fclose(file);
    }
    assert_int_equal(found, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rules_empty_requests_are_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_ids_are_hexadecimal_of_either_case, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_enums_are_integers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_integers_are_numbers_or_strings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_doubles_are_numbers_or_strings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_bytes_are_base64_of_either_alphabet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_other_values_of_attributes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_names_are_those_of_json_or_proto, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_unknown_names_are_passed_over_with_what_they_hold, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_rules_null_is_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_name_that_occurs_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_strings_pass_as_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_shapes_are_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_syntax_is_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_nesting_has_a_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_nesting_of_what_is_passed_over_has_a_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules_long_escaped_strings_fit_the_pool, set_up, tear_down),
        cmocka_unit_test(test_rules_bytes_are_those_of_the_proto_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
