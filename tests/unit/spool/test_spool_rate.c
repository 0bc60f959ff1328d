/*
 * test_spool_rate.c - what comes in and goes out a second, from marks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "spool_rate.h"

#define BEGIN (1700000000 * NS_PER_S)

/* So many batches of ten spans received, half of them delivered. */
static struct spool_sums sums_of(uint64_t batches)
{
    return (struct spool_sums){batches, 10 * batches, batches / 2, 10 * batches / 2};
}

/* A batch every 100 ms for `seconds`, from `marks` as they are. */
static uint64_t feed(struct spool_marks *marks, uint64_t begin_ns, uint64_t batches, unsigned seconds)
{
    for (unsigned i = 0; i < 10 * seconds; i++) {
        struct spool_sums before = sums_of(batches++);

        spool_rate_note(marks, &before, begin_ns + i * 100 * NS_PER_MS);
    }
    return batches;
}

static void assert_recent(const struct spool_marks *marks, uint64_t batches, uint64_t now_ns, double expected)
{
    struct spool_sums sums = sums_of(batches);
    struct spool_rate rate;

    assert_true(spool_rate_recent(marks, &sums, now_ns, &rate));
    assert_true(rate.received_records >= expected * 0.99 && rate.received_records < expected * 1.01 + 0.001);
    assert_true(rate.received_spans >= expected * 9.9 && rate.received_spans < expected * 10.1 + 0.001);
    assert_true(rate.delivered_records >= expected * 0.45 && rate.delivered_records < expected * 0.55 + 0.001);
    assert_true(rate.delivered_spans >= expected * 4.5 && rate.delivered_spans < expected * 5.5 + 0.001);
}

static void assert_unknown(const struct spool_marks *marks, uint64_t batches, uint64_t now_ns)
{
    struct spool_sums sums = sums_of(batches);
    struct spool_rate rate;

    assert_false(spool_rate_recent(marks, &sums, now_ns, &rate));
}

static void test_recent_is_that_of_the_last_seconds(void **state)
{
    struct spool_marks marks = {0};
    uint64_t batches = feed(&marks, BEGIN, 0, 60);

    (void)state;
    assert_recent(&marks, batches, BEGIN + 60 * NS_PER_S, 10);
    /* Ten times as fast: after two marks nothing of what was before has a part in it. */
    for (unsigned i = 0; i < 200; i++, batches += 10) {
        struct spool_sums before = sums_of(batches);

        spool_rate_note(&marks, &before, BEGIN + 60 * NS_PER_S + i * 100 * NS_PER_MS);
    }
    assert_recent(&marks, batches, BEGIN + 80 * NS_PER_S, 100);
}

static void test_recent_is_unknown_before_a_second_has_passed(void **state)
{
    struct spool_marks marks = {0};

    (void)state;
    assert_recent(&marks, 0, BEGIN, 0); /* a new spool */
    assert_unknown(&marks, 1, BEGIN);   /* an older daemon's */
    feed(&marks, BEGIN, 0, 1);
    assert_unknown(&marks, 10, BEGIN + 900 * NS_PER_MS);
    assert_recent(&marks, 10, BEGIN + NS_PER_S, 10);
}

static void test_recent_is_zero_when_it_is_quiet(void **state)
{
    struct spool_marks marks = {0};
    uint64_t batches = feed(&marks, BEGIN, 0, 30);

    (void)state;
    assert_recent(&marks, batches, BEGIN + 50 * NS_PER_S, 0);
    assert_recent(&marks, batches, BEGIN + 3600 * NS_PER_S, 0);
}

static void test_recent_after_a_pause_leaves_the_pause_out(void **state)
{
    struct spool_marks marks = {0};
    uint64_t batches = feed(&marks, BEGIN, 0, 30);

    (void)state;
    batches = feed(&marks, BEGIN + 3600 * NS_PER_S, batches, 2);
    assert_recent(&marks, batches, BEGIN + 3602 * NS_PER_S, 10);
}

static void test_recent_survives_a_clock_that_is_set_back(void **state)
{
    struct spool_marks marks = {0};
    uint64_t batches = feed(&marks, BEGIN, 0, 30);

    (void)state;
    assert_unknown(&marks, batches, BEGIN - 3600 * NS_PER_S);
    batches = feed(&marks, BEGIN - 3600 * NS_PER_S, batches, 3);
    assert_recent(&marks, batches, BEGIN - 3597 * NS_PER_S, 10);
}

static void test_between_two_looks(void **state)
{
    struct spool_sums before = sums_of(100), after = sums_of(120);
    struct spool_rate rate;

    (void)state;
    assert_true(spool_rate_between(&before, &after, 2 * NS_PER_S, &rate));
    assert_true(rate.received_records == 10 && rate.received_spans == 100);
    assert_true(rate.delivered_records == 5 && rate.delivered_spans == 50);
    assert_false(spool_rate_between(&before, &after, 0, &rate));
    assert_false(spool_rate_between(&after, &before, NS_PER_S, &rate)); /* another spool */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recent_is_that_of_the_last_seconds),
        cmocka_unit_test(test_recent_is_unknown_before_a_second_has_passed),
        cmocka_unit_test(test_recent_is_zero_when_it_is_quiet),
        cmocka_unit_test(test_recent_after_a_pause_leaves_the_pause_out),
        cmocka_unit_test(test_recent_survives_a_clock_that_is_set_back),
        cmocka_unit_test(test_between_two_looks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
