/* test_fault.c - the countdown, and arming through the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "fault.h"

static void test_countdown_fails_once(void **state)
{
    (void)state;
    assert_int_equal(fault_point("a.b"), 0);
    fault_arm("a.b", 3, 5);
    assert_int_equal(fault_point("a.b"), 0);
    assert_int_equal(fault_point("a.c"), 0);
    assert_int_equal(fault_point("a.b"), 0);
    assert_int_equal(fault_point("a.b"), 5);
    assert_int_equal(fault_point("a.b"), 0);
}

static void test_disarm(void **state)
{
    (void)state;
    fault_arm("a.b", 1, 5);
    fault_arm("a.b", 0, 5);
    assert_int_equal(fault_point("a.b"), 0);
}

static void test_environment_arms_several(void **state)
{
    (void)state;
    setenv("TRACESPOOL_FAULT", "one.two:1:28,three.four:2:5", 1);
    fault_arm_from_environment();
    unsetenv("TRACESPOOL_FAULT");
    assert_int_equal(fault_point("one.two"), 28);
    assert_int_equal(fault_point("three.four"), 0);
    assert_int_equal(fault_point("three.four"), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_countdown_fails_once),
        cmocka_unit_test(test_disarm),
        cmocka_unit_test(test_environment_arms_several),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
