/*
 * test_flush_pace.c - when more may be sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "flush_pace.h"

static void test_without_a_rate_never_waits(void **state)
{
    struct flush_pace pace = {0};

    (void)state;
    assert_int_equal(flush_pace_take(&pace, 0, 1000000, 5), 5);
    assert_int_equal(flush_pace_take(&pace, 0, 1000000, 5), 5);
}

static void test_what_was_sent_is_paid_for_first(void **state)
{
    struct flush_pace pace = {0};

    (void)state;
    assert_int_equal(flush_pace_take(&pace, 100, 50, NS_PER_S), NS_PER_S);
    assert_int_equal(flush_pace_take(&pace, 100, 200, NS_PER_S), NS_PER_S + NS_PER_S / 2);
    assert_int_equal(flush_pace_take(&pace, 100, 1, 2 * NS_PER_S), 3 * NS_PER_S + NS_PER_S / 2);
}

/* After an hour without work the next hour's spans do not go out at once. */
static void test_idle_time_is_not_saved_up(void **state)
{
    struct flush_pace pace = {0};

    (void)state;
    flush_pace_take(&pace, 10, 10, NS_PER_S);
    assert_int_equal(flush_pace_take(&pace, 10, 10, 3600 * NS_PER_S), 3600 * NS_PER_S);
    assert_int_equal(flush_pace_take(&pace, 10, 10, 3600 * NS_PER_S), 3601 * NS_PER_S);
}

/* FLUSH_RATE_MAX and the most spans of a write do not overflow. */
static void test_bounds(void **state)
{
    struct flush_pace pace = {0};
    uint64_t year_ns = 365 * NS_PER_DAY;

    (void)state;
    assert_int_equal(flush_pace_take(&pace, 1, 10000000, year_ns), year_ns);
    assert_int_equal(flush_pace_take(&pace, 1, 1, year_ns), year_ns + 10000000 * NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_rate_never_waits),
        cmocka_unit_test(test_what_was_sent_is_paid_for_first),
        cmocka_unit_test(test_idle_time_is_not_saved_up),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
