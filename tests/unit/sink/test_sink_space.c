/* test_sink_space.c - the rule on free space, and which days go.  Pure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "sink_retention.h"
#include "sink_upkeep.h"

#define GIB (1ULL << 30)
#define NOW_NS (20000 * NS_PER_DAY + 5 * NS_PER_S)

/* --- the rule ------------------------------------------------------------- */

static void test_needed_is_a_size_or_a_share(void **state)
{
    const struct sink_min_free none = {0}, size = {.bytes = 5 * GIB}, share = {.millionths = 100000};

    (void)state;
    assert_true(sink_space_needed(&none, 50 * GIB) == 0);
    assert_true(sink_space_needed(&size, 50 * GIB) == 5 * GIB);
    assert_true(sink_space_needed(&share, 50 * GIB) == 5 * GIB);
    assert_true(sink_space_needed(&share, 1ULL << 62) == (1ULL << 62) / 10); /* does not wrap */
}

static void test_full_opens_with_a_tenth_more(void **state)
{
    (void)state;
    assert_false(sink_space_is_full(false, 100, 100));
    assert_true(sink_space_is_full(false, 100, 99));
    assert_true(sink_space_is_full(true, 100, 100));
    assert_true(sink_space_is_full(true, 100, 109));
    assert_false(sink_space_is_full(true, 100, 110));
}

static void test_nothing_needed_is_never_full(void **state)
{
    (void)state;
    assert_false(sink_space_is_full(false, 0, 0));
    assert_false(sink_space_is_full(true, 0, 0));
}

/* --- days ----------------------------------------------------------------- */

static void test_day_is_over_when_all_of_it_is(void **state)
{
    const uint64_t month_ns = 30 * NS_PER_DAY;

    (void)state;
    assert_true(sink_retention_is_over(19969, month_ns, NOW_NS));
    assert_false(sink_retention_is_over(19970, month_ns, NOW_NS)); /* its last hours are younger */
    assert_false(sink_retention_is_over(19969, month_ns, 20000 * NS_PER_DAY - 1));
    assert_true(sink_retention_is_over(19969, month_ns, 20000 * NS_PER_DAY));
    assert_true(sink_retention_is_over(19999, NS_PER_S, NOW_NS));
    assert_false(sink_retention_is_over(20000, NS_PER_S, NOW_NS));
    assert_false(sink_retention_is_over(20001, NS_PER_S, NOW_NS));
}

static void test_day_is_never_over_without_retention_or_a_clock(void **state)
{
    (void)state;
    assert_false(sink_retention_is_over(0, 0, NOW_NS));
    assert_false(sink_retention_is_over(0, NS_PER_DAY, 0));
    assert_false(sink_retention_is_over(20000, NS_PER_DAY, NS_PER_DAY));
}

static void test_oldest_is_not_todays_nor_the_only_one(void **state)
{
    uint32_t days[] = {20001, 20000, 19999, 19990};
    struct sink_listing listing = {.days = days, .day_count = 4};
    uint32_t day = 7;

    (void)state;
    assert_true(sink_retention_oldest(&listing, NOW_NS, &day));
    assert_int_equal(day, 19990);
    listing.day_count = 2;
    assert_false(sink_retention_oldest(&listing, NOW_NS, &day));
    listing.days = days + 3;
    listing.day_count = 1;
    assert_false(sink_retention_oldest(&listing, NOW_NS, &day));
    listing.day_count = 0;
    assert_false(sink_retention_oldest(&listing, NOW_NS, &day));
}

static void test_past_is_retention_where_it_is_set(void **state)
{
    (void)state;
    assert_true(sink_retention_past(0) == SINK_PLACEMENT_PAST_DAYS * NS_PER_DAY);
    assert_true(sink_retention_past(NS_PER_DAY) == NS_PER_DAY);
}

/* --- when ----------------------------------------------------------------- */

static void test_pass_comes_each_hour_and_after_midnight(void **state)
{
    const uint64_t hour_ns = 3600 * NS_PER_S, midnight_ns = SINK_UPKEEP_MIDNIGHT_S * NS_PER_S;

    (void)state;
    assert_true(sink_upkeep_pause_ns(20000 * NS_PER_DAY + 12 * hour_ns) == hour_ns);
    assert_true(sink_upkeep_pause_ns(20001 * NS_PER_DAY - 10 * NS_PER_S) == midnight_ns + 10 * NS_PER_S);
    assert_true(sink_upkeep_pause_ns(20000 * NS_PER_DAY) == midnight_ns);
    assert_true(sink_upkeep_pause_ns(20000 * NS_PER_DAY + midnight_ns) == hour_ns);
    assert_true(sink_upkeep_pause_ns(0) == midnight_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_needed_is_a_size_or_a_share),
        cmocka_unit_test(test_full_opens_with_a_tenth_more),
        cmocka_unit_test(test_nothing_needed_is_never_full),
        cmocka_unit_test(test_day_is_over_when_all_of_it_is),
        cmocka_unit_test(test_day_is_never_over_without_retention_or_a_clock),
        cmocka_unit_test(test_oldest_is_not_todays_nor_the_only_one),
        cmocka_unit_test(test_past_is_retention_where_it_is_set),
        cmocka_unit_test(test_pass_comes_each_hour_and_after_midnight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
