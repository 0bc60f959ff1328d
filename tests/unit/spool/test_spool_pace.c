/*
 * test_spool_pace.c - when what is pending will be gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bounds.h"
#include "clock.h"
#include "spool_pace.h"

#define START_NS (1700000000 * NS_PER_S)
#define STEP_NS (100 * NS_PER_MS)

/* Delivers `spans` at every step, for so long; returns what is pending then. */
static uint64_t drain(struct spool_pace *pace, uint64_t *now_ns, uint64_t pending, uint64_t spans, uint64_t seconds)
{
    for (uint64_t end_ns = *now_ns + seconds * NS_PER_S; *now_ns < end_ns; *now_ns += STEP_NS) {
        pending -= spans;
        spool_pace_note(pace, pending, *now_ns);
    }
    return pending;
}

static void test_left_is_unknown_before_anything_was_delivered(void **state)
{
    struct spool_pace pace = {0};

    (void)state;
    assert_int_equal(spool_pace_left_ns(&pace, 1000, START_NS), 0);
    spool_pace_note(&pace, 1000, START_NS);
    assert_int_equal(spool_pace_left_ns(&pace, 1000, START_NS), 0);
    assert_int_equal(spool_pace_left_ns(&pace, 1, START_NS + (SPOOL_PACE_MIN_MS - 1) * NS_PER_MS), 0);
}

static void test_left_of_a_steady_drain(void **state)
{
    struct spool_pace pace = {0};
    uint64_t now_ns = START_NS, pending = 1000000, left_ns;

    (void)state;
    for (uint64_t seconds = 2; seconds < 60; seconds += 2) {
        pending = drain(&pace, &now_ns, pending, 1000, 2);
        left_ns = spool_pace_left_ns(&pace, pending, now_ns); /* 10,000 spans a second */
        assert_in_range(left_ns, pending * NS_PER_S / 12000, pending * NS_PER_S / 8000);
    }
}

static void test_left_follows_a_change_of_pace(void **state)
{
    struct spool_pace pace = {0};
    uint64_t now_ns = START_NS, pending = drain(&pace, &now_ns, 10000000, 10000, 60);

    (void)state;
    pending = drain(&pace, &now_ns, pending, 100, 4 * SPOOL_PACE_MS / 1000); /* 1,000 spans a second */
    assert_in_range(spool_pace_left_ns(&pace, pending, now_ns), pending * NS_PER_S / 1200, pending * NS_PER_S / 800);
}

static void test_left_is_unknown_while_more_comes_than_goes(void **state)
{
    struct spool_pace pace = {0};

    (void)state;
    spool_pace_note(&pace, 1000, START_NS);
    spool_pace_note(&pace, 2000, START_NS + 3 * NS_PER_S);
    assert_int_equal(spool_pace_left_ns(&pace, 1000, START_NS + 3 * NS_PER_S), 0);
    assert_int_equal(spool_pace_left_ns(&pace, 2000, START_NS + 3 * NS_PER_S), 0);
}

static void test_left_is_unknown_when_nothing_goes_any_more(void **state)
{
    struct spool_pace pace = {0};
    uint64_t now_ns = START_NS, pending = drain(&pace, &now_ns, 1000000, 1000, 30);

    (void)state;
    assert_int_equal(spool_pace_left_ns(&pace, pending, now_ns + NS_PER_DAY), 0);
}

/* What was pending before an outage is less than after it: the drain would not be seen for a while. */
static void test_note_begins_anew_after_a_pause(void **state)
{
    struct spool_pace pace = {0};
    uint64_t now_ns = START_NS, pending = drain(&pace, &now_ns, 100000, 10, 30);

    (void)state;
    now_ns += NS_PER_DAY;
    pending = drain(&pace, &now_ns, pending + 1000000, 1000, 2);
    assert_in_range(spool_pace_left_ns(&pace, pending, now_ns), pending * NS_PER_S / 12000, pending * NS_PER_S / 8000);
}

static void test_note_begins_anew_when_the_clock_is_set_back(void **state)
{
    struct spool_pace pace = {0};
    uint64_t now_ns = START_NS, pending = drain(&pace, &now_ns, 1000000, 1000, 30);

    (void)state;
    now_ns -= NS_PER_DAY;
    assert_int_equal(spool_pace_left_ns(&pace, pending, now_ns), 0);
    pending = drain(&pace, &now_ns, pending, 1000, 2);
    assert_in_range(spool_pace_left_ns(&pace, pending, now_ns), pending * NS_PER_S / 12000, pending * NS_PER_S / 8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_left_is_unknown_before_anything_was_delivered),
        cmocka_unit_test(test_left_of_a_steady_drain),
        cmocka_unit_test(test_left_follows_a_change_of_pace),
        cmocka_unit_test(test_left_is_unknown_while_more_comes_than_goes),
        cmocka_unit_test(test_left_is_unknown_when_nothing_goes_any_more),
        cmocka_unit_test(test_note_begins_anew_after_a_pause),
        cmocka_unit_test(test_note_begins_anew_when_the_clock_is_set_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
