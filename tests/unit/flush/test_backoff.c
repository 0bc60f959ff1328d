/* test_backoff.c - bounds and growth of the wait, over every attempt and extreme draws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backoff.h"
#include "bounds.h"

static void test_wait_is_within_bounds_for_any_draw(void **state)
{
    static const uint64_t draws[] = {0, 1, 12345, 99999999, UINT64_MAX - 1, UINT64_MAX};

    (void)state;
    for (uint64_t attempt = 0; attempt < 200; attempt++) {
        for (unsigned i = 0; i < sizeof(draws) / sizeof(draws[0]); i++)
            assert_in_range(backoff_ms(attempt, draws[i]), FLUSH_BACKOFF_MIN_MS, FLUSH_BACKOFF_MAX_MS);
    }
    assert_in_range(backoff_ms(UINT64_MAX, UINT64_MAX), FLUSH_BACKOFF_MIN_MS, FLUSH_BACKOFF_MAX_MS);
}

/* The largest wait over all draws of an attempt: draws below 2 x FLUSH_BACKOFF_MAX_MS reach every value. */
static uint64_t ceiling(uint64_t attempt)
{
    uint64_t most = 0;

    for (uint64_t draw = 0; draw < 2 * FLUSH_BACKOFF_MAX_MS; draw++) {
        uint64_t wait = backoff_ms(attempt, draw);

        most = wait > most ? wait : most;
    }
    return most;
}

static void test_ceiling_doubles_up_to_the_maximum(void **state)
{
    (void)state;
    assert_int_equal(ceiling(1), 200);
    assert_int_equal(ceiling(2), 400);
    assert_int_equal(ceiling(5), 3200);
    assert_int_equal(ceiling(9), FLUSH_BACKOFF_MAX_MS);
    assert_int_equal(ceiling(100), FLUSH_BACKOFF_MAX_MS);
}

static void test_draws_spread_over_the_whole_range(void **state)
{
    unsigned low = 0, high = 0;

    (void)state;
    for (uint64_t draw = 0; draw < 10000; draw++) {
        uint64_t wait = backoff_ms(20, draw * 0x9e3779b97f4a7c15ULL);

        low += wait < FLUSH_BACKOFF_MAX_MS / 4;
        high += wait > FLUSH_BACKOFF_MAX_MS / 4 * 3;
    }
    assert_in_range(low, 2000, 3000);
    assert_in_range(high, 2000, 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_is_within_bounds_for_any_draw),
        cmocka_unit_test(test_ceiling_doubles_up_to_the_maximum),
        cmocka_unit_test(test_draws_spread_over_the_whole_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
