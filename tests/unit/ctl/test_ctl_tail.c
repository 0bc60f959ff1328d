/*
 * test_ctl_tail.c - a span as a line, and which spans are shown, from values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "ctl_fixture.h"
#include "ctl_tail.h"
#include "ctl_text.h"

static const uint8_t trace_id[OTLP_TRACE_ID_BYTES] = {0xab, 0xcd};

static struct ctl_tail_span span_of(const char *service, const char *name, int status)
{
    struct ctl_tail_span span = {.seq = 7,
                                 .received_ns = FIXTURE_BEGIN + 1500 * FIXTURE_MS,
                                 .trace_id = trace_id,
                                 .span = fixture_span(1, 2, service, name, 0, 250)};

    span.span.status_code = status;
    return span;
}

static void assert_text(const struct ctl_tail_span *span, bool colored, const char *expected)
{
    struct buf out;

    buf_init(&out, 1UL << 16);
    ctl_tail_text(span, 10, colored, &out);
    assert_string_equal(fixture_text(&out), expected);
    buf_fini(&out);
}

static void test_text_is_a_line_of_columns(void **state)
{
    struct ctl_tail_span span = span_of("order", "GET /", 0);

    (void)state;
    assert_text(&span, false,
                "2023-11-14T22:13:21Z order          GET /      internal    250 ms       "
                "abcd0000000000000000000000000000\n");
    span = span_of("", "a name that is too long\033[2J", 2);
    span.span.end_unix_nano = 0;
    assert_text(&span, false,
                "2023-11-14T22:13:21Z -              a name th… internal    no end ERROR "
                "abcd0000000000000000000000000000\n");
}

static void test_text_is_colored_on_request_only(void **state)
{
    struct ctl_tail_span span = span_of("이상한 서비스", "x", 2);

    (void)state;
    assert_text(&span, true,
                "2023-11-14T22:13:21Z 이상한 서비스  \033[1mx         \033[0m internal    250 ms\033[31m ERROR "
                "\033[0m\033[2mabcd0000000000000000000000000000\033[0m\n");
}

static void test_json_has_its_names(void **state)
{
    struct ctl_tail_span span = span_of("order", "GET /", 1);
    struct buf out;

    (void)state;
    buf_init(&out, 1UL << 16);
    ctl_tail_json(&span, &out);
    span.span.has_parent = false;
    span.span.status_code = 9;
    span.span.kind = 0;
    span.span.end_unix_nano = 0;
    ctl_tail_json(&span, &out);
    assert_string_equal(fixture_text(&out),
                        "{\"seq\":7,\"received_unix_ns\":1700000001500000000,\"trace_id\":"
                        "\"abcd0000000000000000000000000000\",\"span_id\":\"0101010101010101\",\"parent_span_id\":"
                        "\"0202020202020202\",\"service\":\"order\",\"name\":\"GET /\",\"kind\":\"internal\","
                        "\"status\":\"ok\",\"status_message\":\"\",\"start_unix_ns\":1700000000000000000,"
                        "\"end_unix_ns\":1700000000250000000,\"duration_seconds\":0.25}\n"
                        "{\"seq\":7,\"received_unix_ns\":1700000001500000000,\"trace_id\":"
                        "\"abcd0000000000000000000000000000\",\"span_id\":\"0101010101010101\",\"parent_span_id\":"
                        "null,\"service\":\"order\",\"name\":\"GET /\",\"kind\":\"unspecified\",\"status\":\"?\","
                        "\"status_message\":\"\",\"start_unix_ns\":1700000000000000000,\"end_unix_ns\":0,"
                        "\"duration_seconds\":null}\n");
    buf_fini(&out);
}

static void test_filters_all_have_to_hold(void **state)
{
    struct ctl_tail_span span = span_of("order", "x", 2);
    struct ctl_tail_filter filter = {.service = "order", .status = 2, .min_duration_ns = 250 * NS_PER_MS};

    (void)state;
    assert_true(ctl_tail_is_wanted(&filter, &span.span));
    filter.service = "orde";
    assert_false(ctl_tail_is_wanted(&filter, &span.span));
    filter.service = NULL;
    assert_true(ctl_tail_is_wanted(&filter, &span.span));
    filter.status = 0;
    assert_false(ctl_tail_is_wanted(&filter, &span.span));
    filter.status = CTL_TAIL_ANY_STATUS;
    filter.min_duration_ns++;
    assert_false(ctl_tail_is_wanted(&filter, &span.span));
    filter.min_duration_ns = 1;
    span.span.end_unix_nano = 0; /* nobody knows how long it took */
    assert_false(ctl_tail_is_wanted(&filter, &span.span));
    filter.min_duration_ns = 0;
    assert_true(ctl_tail_is_wanted(&filter, &span.span));
}

static void test_status_by_its_name(void **state)
{
    int status;

    (void)state;
    assert_int_equal(ctl_tail_status("error", &status), 0);
    assert_int_equal(status, 2);
    assert_int_equal(ctl_tail_status("unset", &status), 0);
    assert_int_equal(status, 0);
    assert_int_equal(ctl_tail_status("ERR", &status), -1);
}

static void test_names_take_what_is_left_of_the_width(void **state)
{
    (void)state;
    assert_int_equal(ctl_tail_name_columns(40), 20);
    assert_int_equal(ctl_tail_name_columns(114), 20);
    assert_int_equal(ctl_tail_name_columns(150), 56);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_a_line_of_columns), cmocka_unit_test(test_text_is_colored_on_request_only),
        cmocka_unit_test(test_json_has_its_names),        cmocka_unit_test(test_filters_all_have_to_hold),
        cmocka_unit_test(test_status_by_its_name),        cmocka_unit_test(test_names_take_what_is_left_of_the_width),
    };

    ctl_text_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
