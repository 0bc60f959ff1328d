/*
 * test_ctl_size.c - how much came, and how large the spool has to be for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "ctl_fixture.h"
#include "ctl_size_plan.h"
#include "spool_sizing.h"

#define HOUR (3600 * NS_PER_S)
#define MINUTE (60 * NS_PER_S)
#define BEGIN (472222 * HOUR) /* November 2023, at the full hour */
#define GIB (1ULL << 30)

static struct ctl_size_load load;

/* A batch a minute from `from` on, for so many minutes. */
static void add_minutes(uint64_t from, unsigned minutes, uint64_t spans, uint64_t bytes)
{
    for (unsigned i = 0; i < minutes; i++)
        ctl_size_load_add(&load, from + i * MINUTE, spans, bytes);
}

static void assert_near(double value, double expected, double share)
{
    assert_true(value >= expected * (1 - share));
    assert_true(value <= expected * (1 + share));
}

/* Three days, by day 600 spans a minute for twelve hours, by night 60. */
static void add_three_days(void)
{
    ctl_size_load_init(&load, 36 * HOUR);
    for (unsigned day = 0; day < 3; day++) {
        add_minutes(BEGIN + (24 * day) * HOUR, 720, 600, 60000);
        add_minutes(BEGIN + (24 * day + 12) * HOUR, 720, 60, 6000);
    }
}

static struct ctl_size_plan plan_of(const struct ctl_size_asked *asked, uint64_t size_bytes)
{
    struct ctl_size_plan plan;

    assert_true(ctl_size_plan_make(&plan, asked, &load, size_bytes));
    return plan;
}

/* --- how much came ---------------------------------------------------------- */

static void test_load_counts_and_finds_the_busiest_time(void **state)
{
    (void)state;
    add_three_days();
    assert_int_equal(load.all.batches, 3 * 1440);
    assert_int_equal(load.all.spans, 3 * 720 * 660);
    assert_int_equal(ctl_size_load_covered_ns(&load), 72 * HOUR - MINUTE);
    /* A slot more than the time: 61 minutes of an hour. */
    assert_int_equal(load.hour.busiest.spans, 61 * 600);
    /* Two days and the night between, and a slot of 36 minutes by night. */
    assert_int_equal(load.outage.busiest.spans, 1440 * 600 + 756 * 60);
    assert_true(ctl_size_load_knows(&load, &load.hour));
    assert_true(ctl_size_load_knows(&load, &load.outage));
}

static void test_busiest_time_ends_with_a_pause(void **state)
{
    (void)state;
    ctl_size_load_init(&load, 36 * HOUR);
    add_minutes(BEGIN, 30, 100, 1000);
    add_minutes(BEGIN + 20 * HOUR, 45, 100, 1000);
    assert_int_equal(load.hour.busiest.spans, 4500);
    assert_int_equal(load.hour.sum.spans, 4500);
    assert_int_equal(load.outage.busiest.spans, 7500);
}

static void test_late_batches_are_in_the_sums_alone(void **state)
{
    (void)state;
    ctl_size_load_init(&load, 36 * HOUR);
    add_minutes(BEGIN, 60, 1, 10);
    ctl_size_load_add(&load, BEGIN - 100 * HOUR, 1000, 10000);
    ctl_size_load_add(&load, BEGIN + 30 * MINUTE, 1, 10); /* what was stored a little later */
    assert_int_equal(load.late_batches, 1);
    assert_int_equal(load.all.spans, 1061);
    assert_int_equal(load.hour.busiest.spans, 61);
    assert_int_equal(ctl_size_load_covered_ns(&load), 59 * MINUTE);
}

static void test_nothing_came(void **state)
{
    struct ctl_size_asked asked = {.outage_ns = 36 * HOUR};
    struct ctl_size_plan plan;

    (void)state;
    ctl_size_load_init(&load, 36 * HOUR);
    assert_int_equal(ctl_size_load_covered_ns(&load), 0);
    assert_false(ctl_size_plan_make(&plan, &asked, &load, GIB));
    add_minutes(BEGIN, 1, 100, 1000);
    assert_false(ctl_size_plan_make(&plan, &asked, &load, GIB));
}

/* --- how large -------------------------------------------------------------- */

static void test_plan_takes_the_busiest_time_as_long_as_the_outage(void **state)
{
    struct ctl_size_asked asked = {.outage_ns = 36 * HOUR, .margin_millionths = 250000};
    struct ctl_size_plan plan;

    (void)state;
    add_three_days();
    plan = plan_of(&asked, 128UL << 20);
    assert_int_equal(plan.basis, CTL_SIZE_BUSIEST_OUTAGE);
    assert_near(plan.average.spans, 5.5, 0.01);
    assert_near(plan.busiest_hour.spans, 10, 0.02);
    assert_near(plan.rate.spans, (1440 * 600 + 720 * 60) / (36 * 3600.0), 0.02);
    assert_near(plan.span_bytes, 100, 0.001);
    /* 36 h x 700 B/s and a quarter. */
    assert_near((double)plan.outage_bytes, 36 * 3600 * 700 * 1.25, 0.02);
    assert_true(spool_sizing_room_bytes(plan.needed_bytes) >= plan.outage_bytes);
    assert_true(spool_sizing_room_bytes(plan.needed_bytes - (1UL << 20)) < plan.outage_bytes);
    /* 118 MiB at 700 B/s; at 1,000. */
    assert_near((double)plan.lasts_ns, (double)spool_sizing_room_bytes(128UL << 20) / 700 * NS_PER_S, 0.02);
    assert_near((double)plan.lasts_busiest_ns, (double)spool_sizing_room_bytes(128UL << 20) / 1000 * NS_PER_S, 0.02);
}

static void test_plan_takes_the_average_while_less_is_covered(void **state)
{
    struct ctl_size_asked asked = {.outage_ns = 36 * HOUR};
    struct ctl_size_plan plan;

    (void)state;
    ctl_size_load_init(&load, asked.outage_ns);
    add_minutes(BEGIN, 31, 600, 60000);
    plan = plan_of(&asked, GIB);
    assert_int_equal(plan.basis, CTL_SIZE_AVERAGE);
    assert_false(plan.busiest_hour.known);
    assert_false(plan.busiest_outage.known);
    assert_int_equal(plan.lasts_busiest_ns, 0);
    assert_near(plan.rate.spans, 31 * 600 / 1800.0, 0.001);
}

static void test_plan_with_a_rate_measures_only_what_a_span_takes(void **state)
{
    struct ctl_size_asked asked = {.outage_ns = 36 * HOUR, .rate = 1000};
    struct ctl_size_plan plan;

    (void)state;
    ctl_size_load_init(&load, asked.outage_ns);
    plan = plan_of(&asked, 0);
    assert_int_equal(plan.basis, CTL_SIZE_GIVEN);
    assert_true(plan.span_bytes_assumed);
    assert_int_equal(plan.outage_bytes, 36ULL * 3600 * 1000 * CTL_SIZE_SPAN_BYTES);
    assert_int_equal(plan.lasts_ns, 0);
    add_minutes(BEGIN, 1, 100, 9000);
    plan = plan_of(&asked, GIB);
    assert_false(plan.span_bytes_assumed);
    assert_int_equal(plan.outage_bytes, 36ULL * 3600 * 1000 * 90);
}

static void test_plan_of_too_much(void **state)
{
    struct ctl_size_asked asked = {.outage_ns = 365 * 24 * HOUR, .rate = CTL_SIZE_RATE_MAX};

    (void)state;
    ctl_size_load_init(&load, asked.outage_ns);
    assert_true(plan_of(&asked, GIB).too_much);
}

/* --- what is shown ---------------------------------------------------------- */

static void assert_shown(const struct ctl_size_asked *asked, uint64_t size_bytes, const char *expected)
{
    struct ctl_size_plan plan = plan_of(asked, size_bytes);
    struct ctl_size_view view = {.path = "/var/lib/tracespool", .asked = asked, .load = &load, .plan = &plan};
    struct buf out;

    buf_init(&out, 1UL << 16);
    ctl_size_text(&view, &out);
    assert_string_equal(fixture_text(&out), expected);
    buf_fini(&out);
}

static void test_text_of_a_spool_that_is_too_small(void **state)
{
    struct ctl_size_asked asked = {.outage_ns = 36 * HOUR, .margin_millionths = 250000};

    (void)state;
    add_three_days();
    assert_shown(&asked, 64UL << 20,
                 "spool      /var/lib/tracespool\n"
                 "measured   4,320 batches, 1,425,600 spans within 2 d 23 h; 100 bytes of the file a span\n"
                 "average    5.5 spans/s, 550 B/s of the file\n"
                 "busiest    an hour with 10.2 spans/s, 1016 B/s of the file\n"
                 "           1 d 12 h with 7.02 spans/s, 701 B/s of the file\n"
                 "outage     1 d 12 h at 7.02 spans/s (as in the busiest time of that length), and 25 % more: 108 MiB\n"
                 "present    64.0 MiB, which outlasts 1 d 0 h at that rate, 16 h 54 m at that of the busiest hour\n"
                 "\n"
                 "It is too small. What it needs, before a restart, with what a spool keeps free, in the group "
                 "\"spool\" of the configuration:\n"
                 "    size = \"117MiB\";\n");
}

static void test_text_of_a_spool_that_is_not_there(void **state)
{
    struct ctl_size_asked asked = {.outage_ns = 36 * HOUR, .rate = 200};

    (void)state;
    ctl_size_load_init(&load, asked.outage_ns);
    assert_shown(&asked, 0,
                 "spool      /var/lib/tracespool, which is not there yet\n"
                 "measured   0 batches, 0 spans; 267 bytes of the file a span, which is assumed\n"
                 "outage     1 d 12 h at 200 spans/s (as given), and 0 % more: 6.45 GiB\n"
                 "\n"
                 "What it needs, with what a spool keeps free, in the group \"spool\" of the configuration:\n"
                 "    size = \"7041MiB\";\n");
    asked.rate = 1234;
    assert_shown(&asked, 0,
                 "spool      /var/lib/tracespool, which is not there yet\n"
                 "measured   0 batches, 0 spans; 267 bytes of the file a span, which is assumed\n"
                 "outage     1 d 12 h at 1,234 spans/s (as given), and 0 % more: 39.8 GiB\n"
                 "\n"
                 "What it needs, with what a spool keeps free, in the group \"spool\" of the configuration:\n"
                 "    size = \"43438MiB\";\n");
}

static void test_json(void **state)
{
    struct ctl_size_asked asked = {.outage_ns = HOUR, .rate = 200};
    struct ctl_size_plan plan;
    struct ctl_size_view view = {.path = "/s", .asked = &asked, .load = &load, .plan = &plan};
    struct buf out;

    (void)state;
    ctl_size_load_init(&load, asked.outage_ns);
    plan = plan_of(&asked, 0);
    buf_init(&out, 1UL << 16);
    ctl_size_json(&view, &out);
    assert_string_equal(
        fixture_text(&out),
        "{\"spool\":\"/s\",\"batches\":0,\"late_batches\":0,\"spans\":0,\"file_bytes\":0,\"covered_seconds\":0,"
        "\"bytes_per_span\":267,\"bytes_per_span_assumed\":true,\"average\":null,\"busiest_hour\":null,"
        "\"busiest_outage\":null,\"outage_seconds\":3600,\"margin\":0,\"basis\":\"given\",\"rate\":"
        "{\"spans_per_second\":200,\"bytes_per_second\":53400},\"needed_size_bytes\":206569472,\"size_bytes\":0,"
        "\"outlasts_seconds\":null,\"outlasts_busiest_seconds\":null,\"enough\":false}\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_counts_and_finds_the_busiest_time),
        cmocka_unit_test(test_busiest_time_ends_with_a_pause),
        cmocka_unit_test(test_late_batches_are_in_the_sums_alone),
        cmocka_unit_test(test_nothing_came),
        cmocka_unit_test(test_plan_takes_the_busiest_time_as_long_as_the_outage),
        cmocka_unit_test(test_plan_takes_the_average_while_less_is_covered),
        cmocka_unit_test(test_plan_with_a_rate_measures_only_what_a_span_takes),
        cmocka_unit_test(test_plan_of_too_much),
        cmocka_unit_test(test_text_of_a_spool_that_is_too_small),
        cmocka_unit_test(test_text_of_a_spool_that_is_not_there),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests_name("ctl_size", tests, NULL, NULL);
}
