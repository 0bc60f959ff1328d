/*
 * test_ctl_time.c - points in time as people type them.
 *
 * Zones are POSIX texts, which need no zone files: UTC, Korea, central Europe,
 * and a place that turns its clocks at midnight.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "clock.h"
#include "ctl_time.h"

#define UTC "UTC0"
#define KOREA "KST-9"
#define EUROPE "CET-1CEST,M3.5.0,M10.5.0/3"
#define MIDNIGHT "XST3XDT,M11.1.0/0,M2.3.0/0" /* clocks skip 00:00 to 01:00 on the first Sunday of November */

#define S(seconds) ((uint64_t)(seconds)*NS_PER_S)
#define H(hours) S(3600LL * (hours))

/* 2026-11-22T12:00:00Z */
#define NOW S(1795348800)
#define MIDNIGHT_OF_NOW S(1795305600)

static void assert_time_at(const char *zone, uint64_t now_ns, const char *text, uint64_t expected)
{
    struct err err;
    uint64_t wall_ns;

    setenv("TZ", zone, 1);
    if (ctl_time_parse(text, now_ns, &wall_ns, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    if (wall_ns != expected)
        fail_msg("%s in %s: %llu, not %llu", text, zone, (unsigned long long)wall_ns, (unsigned long long)expected);
}

static void assert_time(const char *zone, const char *text, uint64_t expected)
{
    assert_time_at(zone, NOW, text, expected);
}

static void assert_refused(const char *zone, const char *text, const char *why)
{
    struct err err;
    uint64_t wall_ns;

    setenv("TZ", zone, 1);
    if (ctl_time_parse(text, NOW, &wall_ns, &err) != -1)
        fail_msg("\"%s\" was taken", text);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_string_equal(err.text, why);
}

static void test_durations_lie_behind(void **state)
{
    (void)state;
    assert_time(UTC, "2h", NOW - H(2));
    assert_time(UTC, "2h ago", NOW - H(2));
    assert_time(UTC, "90 m", NOW - S(5400));
    assert_time(UTC, "1.5d", NOW - H(36));
    assert_time(UTC, "2w ago", NOW - H(14 * 24));
    assert_time(UTC, "250ms", NOW - 250 * NS_PER_MS);
    assert_time(UTC, "0", NOW);
    assert_time(UTC, "now", NOW);
}

static void test_days_by_name(void **state)
{
    (void)state;
    assert_time(UTC, "today", MIDNIGHT_OF_NOW);
    assert_time(UTC, "yesterday", MIDNIGHT_OF_NOW - H(24));
    assert_time(UTC, "today 09:30", MIDNIGHT_OF_NOW + S(9 * 3600 + 1800));
    assert_time(UTC, "09:30", MIDNIGHT_OF_NOW + S(9 * 3600 + 1800));
    assert_time(UTC, "yesterday 14:00:30", MIDNIGHT_OF_NOW - H(24) + S(14 * 3600 + 30));
    assert_time(KOREA, "today", MIDNIGHT_OF_NOW - H(9));                 /* 21:00 there: the same date */
    assert_time_at(KOREA, NOW + H(4), "today", MIDNIGHT_OF_NOW + H(15)); /* 01:00 of the next date */
    assert_time_at(KOREA, NOW + H(4), "yesterday 14:00", MIDNIGHT_OF_NOW + H(5));
}

static void test_local_dates(void **state)
{
    (void)state;
    assert_time(UTC, "2026-11-22", MIDNIGHT_OF_NOW);
    assert_time(UTC, "2026-11-22 12:00", NOW);
    assert_time(UTC, "2026-11-22T12:00:00", NOW);
    assert_time(UTC, "2026-11-22 12:00:00.25", NOW + 250 * NS_PER_MS);
    assert_time(UTC, "1970-01-01", 0);
    assert_time(UTC, "2028-02-29", S(1835395200));
    assert_time(KOREA, "2026-11-22 21:00", NOW);
    assert_time(EUROPE, "2026-11-22 13:00", NOW);
    assert_time(EUROPE, "2026-07-01 12:00", S(1782900000)); /* summer time */
}

static void test_rfc_3339(void **state)
{
    (void)state;
    assert_time(KOREA, "2026-11-22T12:00:00Z", NOW);
    assert_time(KOREA, "2026-11-22t12:00:00z", NOW);
    assert_time(UTC, "2026-11-22T21:00:00+09:00", NOW);
    assert_time(UTC, "2026-11-22 21:00:00+09:00", NOW);
    assert_time(UTC, "2026-11-22T08:30:00-03:30", NOW);
    assert_time(UTC, "2026-11-22T12:00:00-00:00", NOW);
    assert_time(UTC, "2026-11-22T12:00Z", NOW);
    assert_time(UTC, "2026-11-22T12:00:00.123456789Z", NOW + 123456789);
    assert_time(UTC, "2026-11-22T12:00:00.1234567899999Z", NOW + 123456789);
    assert_time(UTC, "1970-01-01T00:30:00+00:30", 0);
    assert_time(UTC, "2553-12-31T23:59:59Z", S(18429292799));
}

static void test_end_of_year(void **state)
{
    const uint64_t new_year = S(1798761600); /* 2027-01-01T00:00:00Z */

    (void)state;
    assert_time_at(UTC, new_year + S(60), "yesterday", new_year - H(24));
    assert_time_at(UTC, new_year + S(60), "yesterday 23:59:59", new_year - S(1));
    assert_time_at(UTC, new_year + S(60), "2h", new_year + S(60) - H(2));
    assert_time_at(KOREA, new_year - H(1), "today", new_year - H(9)); /* there it is new year already */
    assert_time_at(UTC, S(1772323200), "yesterday", S(1772236800));   /* 1 March 2026: 28 February */
    assert_time(UTC, "2026-12-31T23:59:59-01:00", new_year + S(3599));
}

/* 2026-03-29 and 2026-10-25 in central Europe. */
static void test_clocks_that_are_turned(void **state)
{
    const uint64_t spring = S(1774746000), autumn = S(1792890000); /* 01:00Z */

    (void)state;
    assert_time(EUROPE, "2026-03-29 01:59:59", spring - S(1));
    assert_refused(EUROPE, "2026-03-29 02:30", "\"2026-03-29 02:30\": there is no such time");
    assert_time(EUROPE, "2026-03-29 03:00", spring);
    assert_time(EUROPE, "2026-10-25 01:59:59", autumn - S(3601));
    assert_time(EUROPE, "2026-10-25 02:30", autumn - S(1800)); /* the first of the two */
    assert_time(EUROPE, "2026-10-25 03:00", autumn + S(3600));
    assert_time(EUROPE, "2026-10-25T02:30:00+01:00", autumn + S(1800));
    /* a day of 23 hours, and one of 25, are one day each */
    assert_time_at(EUROPE, spring + H(3), "yesterday 12:00", spring - H(14));
    assert_time_at(EUROPE, spring + H(24), "yesterday", spring - H(2));
    assert_time_at(EUROPE, autumn + H(24), "yesterday", autumn - H(3));
}

static void test_midnight_that_is_skipped(void **state)
{
    const uint64_t first = S(1793502000); /* 2026-11-01T03:00:00Z, 01:00 there */

    (void)state;
    assert_refused(MIDNIGHT, "2026-11-01 00:30", "\"2026-11-01 00:30\": there is no such time");
    assert_time(MIDNIGHT, "2026-11-01 01:00", first);
    assert_time(MIDNIGHT, "2026-11-01", first);
    assert_time_at(MIDNIGHT, first + H(5), "today", first);
    assert_time_at(MIDNIGHT, first + H(24), "yesterday", first);
}

static void test_days_that_do_not_exist(void **state)
{
    static const char *const texts[] = {"2026-02-29",          "2026-11-31",           "2026-13-01", "2026-00-10",
                                        "2026-11-00",          "2026-11-22 24:00",     "25:00",      "12:60",
                                        "2026-11-22 12:00:60", "2026-02-30T12:00:00Z", "2100-02-29"};
    char why[128];

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        snprintf(why, sizeof(why), "\"%s\": there is no such time", texts[i]);
        assert_refused(UTC, texts[i], why);
    }
}

static void test_nonsense_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "soon",
                                        "tomorrow",
                                        "Today",
                                        "todayish",
                                        "today09:30",
                                        "today 9:30",
                                        "today  09:30",
                                        "today T09:30",
                                        "todayT09:30",
                                        "today 09:30Z",
                                        "yesterday 14",
                                        "yesterday 14:00 ",
                                        "2",
                                        "-2h",
                                        "2h 30m",
                                        "2hours",
                                        " ago",
                                        "2h  ago",
                                        "1700000000",
                                        "2026",
                                        "2026-11",
                                        "2026-11-2",
                                        "2026-11-22 ",
                                        "2026-11-22T",
                                        "2026/11/22",
                                        "22.11.2026",
                                        "2026-11-22 12",
                                        "2026-11-22 12:0",
                                        "2026-11-22 12:00:0",
                                        "2026-11-22 12:00:00.",
                                        "2026-11-22 12:00 Z",
                                        "2026-11-22 12:00+9",
                                        "2026-11-22 12:00+0900",
                                        "2026-11-22 12:00+24:00",
                                        "2026-11-22 12:00+09:60",
                                        "2026-11-22 12:00Zulu",
                                        "12026-11-22",
                                        "123456789012345678901234567890123456789012345678901234567890h"};
    char why[256];

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        snprintf(why, sizeof(why),
                 "\"%s\" is no time; write 2h, \"yesterday 14:00\", \"2026-11-22 14:00\" or 2026-11-22T14:00:00Z",
                 texts[i]);
        assert_refused(UTC, texts[i], why);
    }
}

static void test_times_out_of_range_are_refused(void **state)
{
    (void)state;
    assert_refused(UTC, "1969-12-31 23:59:59", "\"1969-12-31 23:59:59\" is before 1970");
    assert_refused(KOREA, "1970-01-01", "\"1970-01-01\" is before 1970");
    assert_refused(UTC, "0000-01-01", "\"0000-01-01\" is before 1970");
    assert_refused(UTC, "9999-12-31", "\"9999-12-31\" is after 2553");
    assert_refused(UTC, "3000w", "\"3000w\" is longer ago than 1970");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations_lie_behind),
        cmocka_unit_test(test_days_by_name),
        cmocka_unit_test(test_local_dates),
        cmocka_unit_test(test_rfc_3339),
        cmocka_unit_test(test_end_of_year),
        cmocka_unit_test(test_clocks_that_are_turned),
        cmocka_unit_test(test_midnight_that_is_skipped),
        cmocka_unit_test(test_days_that_do_not_exist),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_times_out_of_range_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
