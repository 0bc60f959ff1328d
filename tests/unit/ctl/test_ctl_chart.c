/*
 * test_ctl_chart.c - a trace as text, compared whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_chart.h"
#include "ctl_fixture.h"
#include "ctl_text.h"

static void draw(struct buf *out, const struct ctl_span *spans, size_t count, unsigned width, bool colored)
{
    struct ctl_trace trace;
    struct ctl_chart chart;
    struct arena arena;
    struct err err;

    arena_init(&arena, 64UL << 20);
    buf_init(out, 4UL << 20);
    assert_int_equal(ctl_trace_build(&trace, &arena, spans, count, &err), 0);
    ctl_chart_init(&chart, &trace, width, colored);
    ctl_chart_head(&chart, out);
    for (size_t i = 0; i < count; i++)
        ctl_chart_row(&chart, i, out);
    ctl_chart_foot(&chart, out);
    arena_fini(&arena);
}

static void assert_drawn(const struct ctl_span *spans, size_t count, unsigned width, const char *expected)
{
    struct buf out;

    draw(&out, spans, count, width, false);
    assert_string_equal(fixture_text(&out), expected);
    buf_fini(&out);
}

static void test_chart_small_trace(void **state)
{
    struct ctl_span spans[] = {
        fixture_span(1, 0, "order", "GET /order/{id}", 0, 100),
        fixture_span(2, 1, "order", "OrderRepository.findById", 10, 11),
        fixture_span(3, 1, "order", "GET", 20, 90),
        fixture_span(4, 3, "pricing", "GET /price/{sku}", 30, 80),
        fixture_span(5, 4, "pricing", "가격 조회", 40, 60),
    };

    (void)state;
    spans[0].kind = 2;
    spans[2].kind = 3;
    spans[3].kind = 2;
    spans[0].places = spans[1].places = spans[2].places = CTL_IN_HISTORY | CTL_IN_MONGODB;
    spans[3].status_code = 2;
    spans[3].status_text = slice_of_text("no price\nfor it");
    assert_drawn(spans, 5, 90,
                 "SPAN                             KIND       DURATION  0                    100 ms  WHERE\n"
                 "order: GET /order/{id}           server       100 ms  ███████████████████████████  both\n"
                 "├ OrderRepository.findById       internal    1.00 ms     ▏                         both\n"
                 "└ GET                            client      70.0 ms       ███████████████████     both\n"
                 "  └ ! pricing: GET /price/{sku}  server      50.0 ms          ██████████████       spool\n"
                 "    └ 가격 조회                  internal    20.0 ms             █████             spool\n"
                 "\n"
                 "!    status ERROR\n"
                 "\n"
                 "Errors:\n"
                 "  pricing: GET /price/{sku}: no price\\nfor it\n");
}

static void test_chart_orphans_and_circles_are_marked_and_explained(void **state)
{
    struct ctl_span spans[] = {
        fixture_span(1, 9, "a", "lost", 0, 10),
        fixture_span(2, 3, "a", "chicken", 20, 40),
        fixture_span(3, 2, "a", "egg", 30, 40),
    };

    (void)state;
    spans[0].places = CTL_IN_HISTORY;
    spans[1].places = CTL_IN_PARKED;
    spans[2].places = CTL_IN_MONGODB;
    assert_drawn(spans, 3, 70,
                 "SPAN                  KIND       DURATION  0          40.0 ms  WHERE\n"
                 "? a: lost             internal    10.0 ms  █████               history\n"
                 "@ a: chicken          internal    20.0 ms           █████████  parked\n"
                 "└ egg                 internal    10.0 ms                ████  mongodb\n"
                 "\n"
                 "?    its parent is not here\n"
                 "@    its parents lead back to it\n");
}

static void test_chart_times_that_cannot_be(void **state)
{
    struct ctl_span spans[] = {
        fixture_span(1, 0, "a", "root", 0, 40),          fixture_span(2, 1, "a", "back in time", 20, 10),
        fixture_span(3, 1, "a", "still running", 30, 0), fixture_span(4, 1, "a", "no times", 0, 0),
        fixture_span(5, 1, "a", "an instant", 40, 40),
    };

    (void)state;
    spans[2].end_unix_nano = 0;
    spans[3].start_unix_nano = spans[3].end_unix_nano = 0;
    assert_drawn(spans, 5, 70,
                 "SPAN                  KIND       DURATION  0          40.0 ms  WHERE\n"
                 "a: root               internal    40.0 ms  ██████████████████  spool\n"
                 "├ back in time        internal  end<start           >          spool\n"
                 "├ still running       internal     no end                >     spool\n"
                 "├ an instant          internal       0 ns                   ▏  spool\n"
                 "└ no times            internal   no start                      spool\n");
}

static void test_chart_without_any_time(void **state)
{
    struct ctl_span span = fixture_span(1, 0, "", "", 0, 0);

    (void)state;
    span.start_unix_nano = span.end_unix_nano = 0;
    span.kind = 77;
    assert_drawn(&span, 1, 60,
                 "SPAN                  KIND       DURATION  0   0 ns  WHERE\n"
                 "                      ?          no start            spool\n");
}

/* 2^64 - 1 ns is the year 2554: nothing may wrap. */
static void test_chart_of_all_time(void **state)
{
    struct ctl_span spans[] = {fixture_span(1, 0, "a", "ever", 0, 0), fixture_span(2, 1, "a", "now", 0, 10)};

    (void)state;
    spans[0].start_unix_nano = 1;
    spans[0].end_unix_nano = UINT64_MAX;
    assert_drawn(spans, 2, 60,
                 "SPAN                  KIND       DURATION            WHERE\n"
                 "a: ever               internal  213503 d…  ████████  spool\n"
                 "└ now                 internal    10.0 ms   ▏        spool\n");
}

static void test_chart_names_cannot_reach_the_terminal(void **state)
{
    struct ctl_span spans[] = {fixture_span(1, 0, "\033[31m", "\033]0;title\007", 0, 10),
                               fixture_span(2, 1, "a\nb", "line\r\nbreak", 0, 10)};
    struct buf out;

    (void)state;
    spans[0].status_code = 2;
    spans[0].status_text = slice_of_text("\033c");
    draw(&out, spans, 2, 100, false);
    assert_null(memchr(out.data, '\033', out.len));
    assert_null(memchr(out.data, '\007', out.len));
    assert_null(memchr(out.data, '\r', out.len));
    assert_non_null(strstr(fixture_text(&out), "a\\nb: line\\r\\nbreak"));
    buf_fini(&out);
}

static void test_chart_deep_rows_say_their_depth(void **state)
{
    struct ctl_span spans[201];
    struct buf out;
    const char *line;

    (void)state;
    for (unsigned i = 0; i < 201; i++)
        spans[i] = fixture_span((uint8_t)(i + 1), (uint8_t)i, "a", "level", i, 500 - i);
    draw(&out, spans, 201, 100, false);
    line = strstr(fixture_text(&out), "[200] level ");
    assert_non_null(line);
    assert_non_null(strstr(line, "\n[n]  n levels deep\n"));
    assert_null(strstr(fixture_text(&out), "…")); /* the indent left room for every name */
    buf_fini(&out);
}

static void test_chart_colors_only_when_asked(void **state)
{
    struct ctl_span span = fixture_span(1, 0, "a", "root", 0, 10);
    struct buf out;

    (void)state;
    span.status_code = 2;
    draw(&out, &span, 1, 80, true);
    assert_non_null(strstr(fixture_text(&out), "\033[31m! "));
    buf_fini(&out);
    draw(&out, &span, 1, 80, false);
    assert_null(memchr(out.data, '\033', out.len));
    buf_fini(&out);
}

static void test_chart_lists_so_many_errors_and_counts_the_rest(void **state)
{
    struct ctl_span spans[CTL_ERRORS_MAX + 2];
    struct buf out;

    (void)state;
    for (uint8_t i = 0; i < CTL_ERRORS_MAX + 2; i++) {
        spans[i] = fixture_span((uint8_t)(i + 1), 0, "a", "root", i, i + 1);
        spans[i].status_code = 2;
        spans[i].status_text = slice_of_text("failed");
    }
    draw(&out, spans, CTL_ERRORS_MAX + 2, 80, false);
    assert_non_null(strstr(fixture_text(&out), "  a: root: failed\n  and 2 more\n"));
    buf_fini(&out);
}

static void test_place_says_what_became_of_a_span(void **state)
{
    (void)state;
    assert_string_equal(ctl_chart_place(CTL_IN_PENDING), "spool");
    assert_string_equal(ctl_chart_place(CTL_IN_HISTORY), "history");
    assert_string_equal(ctl_chart_place(CTL_IN_MONGODB), "mongodb");
    assert_string_equal(ctl_chart_place(CTL_IN_MONGODB | CTL_IN_PENDING), "both");
    /* A resend of what is delivered is not missing anywhere. */
    assert_string_equal(ctl_chart_place(CTL_IN_PENDING | CTL_IN_HISTORY), "history");
    /* The batch of a parked span is delivered, the span is not. */
    assert_string_equal(ctl_chart_place(CTL_IN_PARKED | CTL_IN_HISTORY), "parked");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place_says_what_became_of_a_span),
        cmocka_unit_test(test_chart_small_trace),
        cmocka_unit_test(test_chart_orphans_and_circles_are_marked_and_explained),
        cmocka_unit_test(test_chart_times_that_cannot_be),
        cmocka_unit_test(test_chart_without_any_time),
        cmocka_unit_test(test_chart_of_all_time),
        cmocka_unit_test(test_chart_names_cannot_reach_the_terminal),
        cmocka_unit_test(test_chart_deep_rows_say_their_depth),
        cmocka_unit_test(test_chart_colors_only_when_asked),
        cmocka_unit_test(test_chart_lists_so_many_errors_and_counts_the_rest),
    };

    ctl_text_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
