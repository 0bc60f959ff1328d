/*
 * test_spool_drain.c - the rate of deliveries and the delay that follows from it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bounds.h"
#include "clock.h"
#include "spool_drain.h"

#define START_NS (5 * NS_PER_S)
#define MIB (UINT64_C(1) << 20)

/* `bytes` at every step of `step_ms`, for `steps` of them. */
static void run(struct spool_drain *drain, uint64_t bytes, uint64_t step_ms, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++)
        spool_drain_note(drain, bytes, drain->noted_ns + step_ms * NS_PER_MS);
}

static void assert_rate(const struct spool_drain *drain, uint64_t low, uint64_t high)
{
    assert_in_range((uint64_t)drain->bytes_per_s, low, high);
}

static void test_wait_without_a_rate_is_the_longest(void **state)
{
    struct spool_drain drain;

    (void)state;
    spool_drain_init(&drain, START_NS);
    assert_int_equal(spool_drain_wait_ms(&drain, 1), SPOOL_RETRY_MAX_MS);
    assert_int_equal(spool_drain_wait_ms(&drain, UINT64_MAX), SPOOL_RETRY_MAX_MS);
    run(&drain, 0, 1000, 100);
    assert_int_equal(spool_drain_wait_ms(&drain, 1), SPOOL_RETRY_MAX_MS);
}

static void test_wait_for_nothing_is_the_shortest(void **state)
{
    struct spool_drain drain;

    (void)state;
    spool_drain_init(&drain, START_NS);
    assert_int_equal(spool_drain_wait_ms(&drain, 0), SPOOL_RETRY_MIN_MS);
    run(&drain, MIB, 1000, 10);
    assert_int_equal(spool_drain_wait_ms(&drain, 0), SPOOL_RETRY_MIN_MS);
}

static void test_wait_is_what_is_missing_by_the_rate(void **state)
{
    struct spool_drain drain = {.bytes_per_s = 1000};

    (void)state;
    assert_int_equal(spool_drain_wait_ms(&drain, 999), SPOOL_RETRY_MIN_MS);
    assert_int_equal(spool_drain_wait_ms(&drain, 1000), SPOOL_RETRY_MIN_MS);
    assert_int_equal(spool_drain_wait_ms(&drain, 1500), 1500);
    assert_int_equal(spool_drain_wait_ms(&drain, 10000), 10000);
    assert_int_equal(spool_drain_wait_ms(&drain, 29999), 29999);
    assert_int_equal(spool_drain_wait_ms(&drain, 30000), SPOOL_RETRY_MAX_MS);
    assert_int_equal(spool_drain_wait_ms(&drain, SPOOL_SIZE_MAX_BYTES), SPOOL_RETRY_MAX_MS);
    drain.bytes_per_s = 1e-300; /* what is left of a rate after days without a delivery */
    assert_int_equal(spool_drain_wait_ms(&drain, 1), SPOOL_RETRY_MAX_MS);
    drain.bytes_per_s = 1e12;
    assert_int_equal(spool_drain_wait_ms(&drain, SPOOL_SIZE_MAX_BYTES), 17592);
}

static void test_note_steady_rate_is_found(void **state)
{
    struct spool_drain drain;

    (void)state;
    spool_drain_init(&drain, START_NS);
    run(&drain, 10 * MIB, 1000, SPOOL_DRAIN_SMOOTH_MS / 1000);
    assert_rate(&drain, 5 * MIB, 8 * MIB); /* half and more of it, after this time */
    run(&drain, 10 * MIB, 1000, 60);
    assert_rate(&drain, 10 * MIB - 1000, 10 * MIB);
}

static void test_note_distance_of_notes_does_not_matter(void **state)
{
    static const uint64_t steps_ms[] = {1, 10, 100, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof(steps_ms) / sizeof(steps_ms[0]); i++) {
        struct spool_drain drain;
        uint64_t step_ms = steps_ms[i];

        spool_drain_init(&drain, START_NS);
        run(&drain, step_ms * 1000, step_ms, (unsigned)(60000 / step_ms));
        assert_rate(&drain, 990000, 1000000);
    }
}

/* Deliveries that are told together, with commits of puts between them. */
static void test_note_bursts_are_smoothed(void **state)
{
    struct spool_drain drain;

    (void)state;
    spool_drain_init(&drain, START_NS);
    for (unsigned i = 0; i < 60; i++) {
        run(&drain, MIB, 10, 1);
        run(&drain, 0, 10, 99);
        assert_true(i < 20 || (drain.bytes_per_s > 0.8 * MIB && drain.bytes_per_s < 1.2 * MIB));
    }
}

static void test_note_rate_is_forgotten(void **state)
{
    struct spool_drain drain;
    uint64_t wait_ms, before_ms;

    (void)state;
    spool_drain_init(&drain, START_NS);
    run(&drain, 8 * MIB, 1000, 60);
    before_ms = spool_drain_wait_ms(&drain, 16 * MIB);
    assert_in_range(before_ms, 2000, 2001);
    for (unsigned i = 0; i < 60; i++) {
        run(&drain, 0, 1000, 1);
        wait_ms = spool_drain_wait_ms(&drain, 16 * MIB);
        assert_true(wait_ms > before_ms || wait_ms == SPOOL_RETRY_MAX_MS);
        before_ms = wait_ms;
    }
    assert_int_equal(before_ms, SPOOL_RETRY_MAX_MS);
    run(&drain, 8 * MIB, 1000, 10);
    assert_true(spool_drain_wait_ms(&drain, 16 * MIB) < 3000);
}

static void test_note_at_the_same_time_counts(void **state)
{
    struct spool_drain drain;

    (void)state;
    spool_drain_init(&drain, START_NS);
    spool_drain_note(&drain, MIB, START_NS);
    spool_drain_note(&drain, MIB, START_NS);
    assert_rate(&drain, 2 * MIB * 1000 / SPOOL_DRAIN_SMOOTH_MS - 1, 2 * MIB * 1000 / SPOOL_DRAIN_SMOOTH_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_without_a_rate_is_the_longest),
        cmocka_unit_test(test_wait_for_nothing_is_the_shortest),
        cmocka_unit_test(test_wait_is_what_is_missing_by_the_rate),
        cmocka_unit_test(test_note_steady_rate_is_found),
        cmocka_unit_test(test_note_distance_of_notes_does_not_matter),
        cmocka_unit_test(test_note_bursts_are_smoothed),
        cmocka_unit_test(test_note_rate_is_forgotten),
        cmocka_unit_test(test_note_at_the_same_time_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
