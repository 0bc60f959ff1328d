#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bounds.h"
#include "clock.h"
#include "sink_day.h"

#define PAST_NS (SINK_PLACEMENT_PAST_DAYS * NS_PER_DAY)
#define RECEIVED_NS (20000 * NS_PER_DAY + 5 * NS_PER_S) /* 2024-10-04 00:00:05 */

static void test_day_of_plausible_start_is_its_own(void **state)
{
    (void)state;
    assert_int_equal(sink_day_of(RECEIVED_NS, RECEIVED_NS, PAST_NS), 20000);
    assert_int_equal(sink_day_of(RECEIVED_NS - 6 * NS_PER_S, RECEIVED_NS, PAST_NS), 19999);
    assert_int_equal(sink_day_of(RECEIVED_NS - SINK_PLACEMENT_PAST_DAYS * NS_PER_DAY, RECEIVED_NS, PAST_NS),
                     20000 - SINK_PLACEMENT_PAST_DAYS);
    assert_int_equal(sink_day_of(RECEIVED_NS + SINK_PLACEMENT_FUTURE_DAYS * NS_PER_DAY, RECEIVED_NS, PAST_NS),
                     20000 + SINK_PLACEMENT_FUTURE_DAYS);
}

static void test_day_of_implausible_start_is_the_receipts(void **state)
{
    (void)state;
    assert_int_equal(sink_day_of(0, RECEIVED_NS, PAST_NS), 20000);
    assert_int_equal(sink_day_of(UINT64_MAX, RECEIVED_NS, PAST_NS), 20000);
    assert_int_equal(sink_day_of(RECEIVED_NS - SINK_PLACEMENT_PAST_DAYS * NS_PER_DAY - 1, RECEIVED_NS, PAST_NS), 20000);
    assert_int_equal(sink_day_of(RECEIVED_NS + SINK_PLACEMENT_FUTURE_DAYS * NS_PER_DAY + 1, RECEIVED_NS, PAST_NS),
                     20000);
}

/* Near the ends of the clock nothing wraps. */
static void test_day_of_extreme_receipt_does_not_wrap(void **state)
{
    (void)state;
    assert_int_equal(sink_day_of(0, 0, PAST_NS), 0);
    assert_int_equal(sink_day_of(0, NS_PER_DAY, PAST_NS), 0);
    assert_int_equal(sink_day_of(UINT64_MAX, UINT64_MAX, PAST_NS), UINT64_MAX / NS_PER_DAY);
    assert_int_equal(sink_day_of(0, UINT64_MAX, PAST_NS), UINT64_MAX / NS_PER_DAY);
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

static void test_past_moves_the_fence(void **state)
{
    (void)state;
    assert_int_equal(sink_day_of(RECEIVED_NS - 3 * NS_PER_DAY, RECEIVED_NS, 3 * NS_PER_DAY), 19997);
    assert_int_equal(sink_day_of(RECEIVED_NS - 3 * NS_PER_DAY - 1, RECEIVED_NS, 3 * NS_PER_DAY), 20000);
    assert_int_equal(sink_day_of(RECEIVED_NS - 300 * NS_PER_DAY, RECEIVED_NS, 400 * NS_PER_DAY), 19700);
}

static void test_read_takes_only_our_days(void **state)
{
    static const char *const others[] = {
        "traces",          "traces_2024100",  "traces_202410041",
        "traces_2024100x", "spans_20241004",  "",
        "traces_20240230", "traces_20241301", "traces_20240001",
        "traces_20240100", "traces_+2024104", "traces_ 20241004",
        "traces_19691231", "Traces_20241004", "xtraces_20241004",
    };
    char name[SINK_DAY_NAME_MAX];
    uint32_t day = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (sink_day_read(others[i], &day))
            fail_msg("\"%s\" was taken for a day", others[i]);
        assert_int_equal(day, 7);
    }
    for (uint32_t each = 0; each < 200000; each += 61) {
        assert_true(sink_day_read(sink_day_name(name, each), &day));
        assert_int_equal(day, each);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_day_of_plausible_start_is_its_own),
        cmocka_unit_test(test_day_of_implausible_start_is_the_receipts),
        cmocka_unit_test(test_day_of_extreme_receipt_does_not_wrap),
        cmocka_unit_test(test_name_is_the_calendars_day),
        cmocka_unit_test(test_past_moves_the_fence),
        cmocka_unit_test(test_read_takes_only_our_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
