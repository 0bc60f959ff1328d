#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bounds.h"
#include "clock.h"
#include "sink_day.h"

#define RECEIVED_NS (20000 * NS_PER_DAY + 5 * NS_PER_S) /* 2024-10-04 00:00:05 */

static void test_day_of_plausible_start_is_its_own(void **state)
{
    (void)state;
    assert_int_equal(sink_day_of(RECEIVED_NS, RECEIVED_NS), 20000);
    assert_int_equal(sink_day_of(RECEIVED_NS - 6 * NS_PER_S, RECEIVED_NS), 19999);
    assert_int_equal(sink_day_of(RECEIVED_NS - SINK_PLACEMENT_PAST_DAYS * NS_PER_DAY, RECEIVED_NS),
                     20000 - SINK_PLACEMENT_PAST_DAYS);
    assert_int_equal(sink_day_of(RECEIVED_NS + SINK_PLACEMENT_FUTURE_DAYS * NS_PER_DAY, RECEIVED_NS),
                     20000 + SINK_PLACEMENT_FUTURE_DAYS);
}

static void test_day_of_implausible_start_is_the_receipts(void **state)
{
    (void)state;
    assert_int_equal(sink_day_of(0, RECEIVED_NS), 20000);
    assert_int_equal(sink_day_of(UINT64_MAX, RECEIVED_NS), 20000);
    assert_int_equal(sink_day_of(RECEIVED_NS - SINK_PLACEMENT_PAST_DAYS * NS_PER_DAY - 1, RECEIVED_NS), 20000);
    assert_int_equal(sink_day_of(RECEIVED_NS + SINK_PLACEMENT_FUTURE_DAYS * NS_PER_DAY + 1, RECEIVED_NS), 20000);
}

/* Near the ends of the clock nothing wraps. */
static void test_day_of_extreme_receipt_does_not_wrap(void **state)
{
    (void)state;
    assert_int_equal(sink_day_of(0, 0), 0);
    assert_int_equal(sink_day_of(0, NS_PER_DAY), 0);
    assert_int_equal(sink_day_of(UINT64_MAX, UINT64_MAX), UINT64_MAX / NS_PER_DAY);
    assert_int_equal(sink_day_of(0, UINT64_MAX), UINT64_MAX / NS_PER_DAY);
}

static void test_name_is_the_calendars_day(void **state)
{
    char name[SINK_DAY_NAME_MAX];

    (void)state;
    assert_string_equal(sink_day_name(name, 0), "traces_19700101");
    assert_string_equal(sink_day_name(name, 20000), "traces_20241004");
    assert_string_equal(sink_day_name(name, 19782), "traces_20240229");
    assert_string_equal(sink_day_name(name, (uint32_t)(UINT64_MAX / NS_PER_DAY)), "traces_25540721");
}

static void test_is_name_takes_only_our_days(void **state)
{
    (void)state;
    assert_true(sink_day_is_name("traces_20241004"));
    assert_false(sink_day_is_name("traces"));
    assert_false(sink_day_is_name("traces_2024100"));
    assert_false(sink_day_is_name("traces_202410041"));
    assert_false(sink_day_is_name("traces_2024100x"));
    assert_false(sink_day_is_name("spans_20241004"));
    assert_false(sink_day_is_name(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_day_of_plausible_start_is_its_own),
        cmocka_unit_test(test_day_of_implausible_start_is_the_receipts),
        cmocka_unit_test(test_day_of_extreme_receipt_does_not_wrap),
        cmocka_unit_test(test_name_is_the_calendars_day),
        cmocka_unit_test(test_is_name_takes_only_our_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
