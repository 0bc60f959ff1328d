/* pulse.c: who is stuck, and who is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pulse.h"

#define BOUND_MS 1000

static struct pulse one, other;
static char text[128];

static bool stuck_after(uint64_t ms)
{
    return pulse_find_stuck(clock_mono_ns() + ms * NS_PER_MS, text, sizeof(text));
}

static void test_nobody_is_never_stuck(void **state)
{
    (void)state;
    assert_false(stuck_after(1000000));
}

static void test_waiting_is_never_stuck(void **state)
{
    (void)state;
    pulse_start(&one, "one", BOUND_MS);
    assert_false(stuck_after(1000000));
    pulse_busy(&one);
    pulse_idle(&one);
    assert_false(stuck_after(1000000));
    pulse_stop(&one);
}

static void test_work_past_the_bound_is_stuck(void **state)
{
    (void)state;
    pulse_start(&one, "one", BOUND_MS);
    pulse_start(&other, "the other", 3 * BOUND_MS);
    pulse_busy(&one);
    pulse_busy(&other);
    assert_false(stuck_after(BOUND_MS / 2));
    assert_true(stuck_after(2 * BOUND_MS));
    assert_string_equal(text, "the thread \"one\" has been at one piece of work for 2 s");
    pulse_idle(&one);
    assert_false(stuck_after(2 * BOUND_MS));
    assert_true(stuck_after(4 * BOUND_MS));
    assert_string_equal(text, "the thread \"the other\" has been at one piece of work for 4 s");
    pulse_stop(&other);
    assert_false(stuck_after(4 * BOUND_MS));
    pulse_stop(&one);
}

static void test_stop_without_start_is_allowed(void **state)
{
    struct pulse never = {.name = NULL};

    (void)state;
    pulse_start(&one, "one", BOUND_MS);
    pulse_stop(&never);
    pulse_busy(&one);
    assert_true(stuck_after(2 * BOUND_MS));
    pulse_stop(&one);
    pulse_stop(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_is_never_stuck),
        cmocka_unit_test(test_waiting_is_never_stuck),
        cmocka_unit_test(test_work_past_the_bound_is_stuck),
        cmocka_unit_test(test_stop_without_start_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
