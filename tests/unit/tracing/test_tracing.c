/*
 * test_tracing.c - which spans are recorded, what is in them, and what becomes
 * of those that find no room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "clock.h"
#include "metrics.h"
#include "tracing.h"
#include "tracing_random.h"
#include "tracing_ring.h"
#include "tracing_sampler.h"

#define ALL TRACING_SAMPLER_ALL
#define WRITERS 4
#define WRITTEN 1000 /* spans of each */

static struct tracing_span batch[TRACING_BATCH_SPANS];
static uint64_t dropped_before;

static uint64_t dropped(void)
{
    return metrics_get(METRIC_TRACING_DROPPED) - dropped_before;
}

static struct tracing_context parent_of(bool is_sampled)
{
    struct tracing_context parent = {.is_valid = true, .is_sampled = is_sampled};

    memset(parent.trace_id, 7, sizeof(parent.trace_id));
    memset(parent.span_id, 9, sizeof(parent.span_id));
    return parent;
}

static void record(const char *name)
{
    struct tracing_live live;
    struct tracing_span span;

    tracing_begin(&live, NULL, false, clock_mono_ns());
    tracing_span_init(&span, &live, name, TRACING_INTERNAL);
    tracing_record(&span);
}

static int turn_on(void **state)
{
    (void)state;
    dropped_before = metrics_get(METRIC_TRACING_DROPPED);
    return tracing_turn_on(ALL, NULL);
}

static int turn_off(void **state)
{
    (void)state;
    tracing_turn_off();
    return 0;
}

/* --- the sampler -------------------------------------------------------------- */

static void test_sampler_takes_the_ratio(void **state)
{
    static const uint32_t ratios[] = {0, 10000, 250000, 500000, ALL};
    uint8_t id[16];

    (void)state;
    for (size_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
        unsigned taken = 0;

        for (unsigned n = 0; n < 100000; n++) {
            tracing_random_fill(id, sizeof(id));
            taken += tracing_sampler_takes(id, ratios[i]);
        }
        /* 1,000 is more than six standard deviations of the widest of them. */
        assert_in_range(taken, ratios[i] / 10 < 1000 ? 0 : ratios[i] / 10 - 1000, ratios[i] / 10 + 1000);
        if (ratios[i] == 0 || ratios[i] == ALL)
            assert_int_equal(taken, ratios[i] / 10);
    }
}

/* As the SDK for Go decides: 8 bytes big-endian, halved, against the ratio's share of 2^63. */
static void test_sampler_looks_at_the_last_8_bytes(void **state)
{
    uint8_t id[16];

    (void)state;
    memset(id, 0xFF, sizeof(id));
    assert_false(tracing_sampler_takes(id, ALL - 1));
    memset(id + 8, 0, 8);
    assert_true(tracing_sampler_takes(id, 1));
    assert_false(tracing_sampler_takes(id, 0));
    id[8] = 0x80;
    assert_false(tracing_sampler_takes(id, 500000));
    assert_true(tracing_sampler_takes(id, 500001));
}

/* --- begin ---------------------------------------------------------------------- */

static void test_begin_below_a_parent_does_as_that(void **state)
{
    struct tracing_context sampled = parent_of(true), unsampled = parent_of(false);
    struct tracing_live live;

    (void)state;
    tracing_begin(&live, &sampled, true, 5);
    assert_true(live.context.is_sampled);
    assert_true(live.has_parent);
    assert_true(live.parent_is_remote);
    assert_int_equal(live.begun_ns, 5);
    assert_memory_equal(live.context.trace_id, sampled.trace_id, TRACING_TRACE_ID_BYTES);
    assert_memory_equal(live.parent_span_id, sampled.span_id, TRACING_SPAN_ID_BYTES);
    assert_memory_not_equal(live.context.span_id, sampled.span_id, TRACING_SPAN_ID_BYTES);
    tracing_begin(&live, &unsampled, true, 5); /* although the ratio is all */
    assert_false(live.context.is_sampled);
}

static void test_begin_without_a_valid_parent_is_a_root(void **state)
{
    struct tracing_context none = {.is_valid = false};
    struct tracing_live a, b;

    (void)state;
    tracing_begin(&a, NULL, false, 1);
    tracing_begin(&b, &none, true, 1);
    assert_true(a.context.is_sampled);
    assert_true(b.context.is_sampled);
    assert_false(a.has_parent);
    assert_false(b.has_parent);
    assert_false(b.parent_is_remote);
    assert_memory_not_equal(a.context.trace_id, b.context.trace_id, TRACING_TRACE_ID_BYTES);
}

/* --- what is in a span ------------------------------------------------------------ */

static void test_span_keeps_what_it_is_told(void **state)
{
    struct tracing_context parent = parent_of(true);
    struct tracing_live live;
    struct tracing_span span;
    char text[16] = "changed later";

    (void)state;
    tracing_begin(&live, &parent, false, 100);
    tracing_span_init(&span, &live, "name", TRACING_CLIENT);
    tracing_span_text(&span, "text", text);
    tracing_span_number(&span, "number", UINT64_MAX);
    tracing_span_event(&span, "event", 150);
    tracing_span_fail(&span, "why");
    memset(text, 'x', sizeof(text));
    tracing_record(&span);
    assert_int_equal(tracing_ring_take(batch), 1);
    assert_string_equal(batch[0].name, "name");
    assert_int_equal(batch[0].attribute_count, 2);
    assert_string_equal(batch[0].texts + batch[0].attributes[0].text_at, "changed later");
    assert_int_equal(batch[0].attributes[1].number, INT64_MAX);
    assert_int_equal(batch[0].events[0].at_ns, 150);
    assert_true(batch[0].failed);
    assert_string_equal(batch[0].texts + batch[0].failure_at, "why");
}

static void test_texts_that_do_not_fit_are_cut(void **state)
{
    static char text[2 * TRACING_TEXT_BYTES];
    struct tracing_live live;
    struct tracing_span span;

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    tracing_begin(&live, NULL, false, 1);
    tracing_span_init(&span, &live, "name", TRACING_CLIENT);
    tracing_span_text(&span, "first", "b");
    tracing_span_text(&span, "cut", text);
    tracing_span_text(&span, "none", "c");
    tracing_span_fail(&span, "d");
    assert_string_equal(span.texts + span.attributes[0].text_at, "b");
    assert_int_equal(strlen(span.texts + span.attributes[1].text_at), TRACING_TEXT_BYTES - 4);
    assert_string_equal(span.texts + span.attributes[2].text_at, "");
    assert_true(span.failed);
    assert_string_equal(span.texts + span.failure_at, "");
}

/* --- the ring ------------------------------------------------------------------------ */

static void test_full_ring_drops_and_counts(void **state)
{
    size_t taken = 0, count;

    (void)state;
    for (int i = 0; i < TRACING_RING_SPANS + 5; i++)
        record(i < TRACING_RING_SPANS ? "kept" : "dropped");
    assert_int_equal(dropped(), 5);
    while ((count = tracing_ring_take(batch)) > 0) {
        for (size_t i = 0; i < count; i++)
            assert_string_equal(batch[i].name, "kept");
        taken += count;
    }
    assert_int_equal(taken, TRACING_RING_SPANS);
    record("again");
    assert_int_equal(tracing_ring_take(batch), 1);
    assert_string_equal(batch[0].name, "again");
    assert_int_equal(dropped(), 5);
}

static void test_closed_ring_drops_what_it_held_and_what_comes(void **state)
{
    (void)state;
    record("held");
    assert_true(tracing_is_on());
    tracing_turn_off();
    assert_false(tracing_is_on());
    assert_int_equal(dropped(), 1);
    record("late"); /* by who has asked before */
    assert_int_equal(dropped(), 2);
    assert_int_equal(tracing_turn_on(ALL, NULL), 0);
    assert_int_equal(tracing_ring_take(batch), 0);
}

static void *record_many(void *context)
{
    (void)context;
    for (int i = 0; i < WRITTEN; i++)
        record("one of many");
    return NULL;
}

static void test_threads_record_while_one_takes(void **state)
{
    pthread_t threads[WRITERS];
    size_t taken = 0;

    (void)state;
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, record_many, NULL), 0);
    while (taken + dropped() < WRITERS * WRITTEN) {
        tracing_ring_wait(clock_mono_ns() + NS_PER_MS);
        taken += tracing_ring_take(batch);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(taken + dropped(), WRITERS * WRITTEN);
}

static void test_wait_ends_with_a_batch_or_a_wake(void **state)
{
    (void)state;
    for (int i = 0; i < TRACING_BATCH_SPANS; i++)
        record("one");
    tracing_ring_wait(UINT64_MAX / 2); /* at once, or the test never ends */
    assert_int_equal(tracing_ring_take(batch), TRACING_BATCH_SPANS);
    tracing_ring_wake();
    tracing_ring_wait(UINT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sampler_takes_the_ratio),
        cmocka_unit_test(test_sampler_looks_at_the_last_8_bytes),
        cmocka_unit_test_setup_teardown(test_begin_below_a_parent_does_as_that, turn_on, turn_off),
        cmocka_unit_test_setup_teardown(test_begin_without_a_valid_parent_is_a_root, turn_on, turn_off),
        cmocka_unit_test_setup_teardown(test_span_keeps_what_it_is_told, turn_on, turn_off),
        cmocka_unit_test_setup_teardown(test_texts_that_do_not_fit_are_cut, turn_on, turn_off),
        cmocka_unit_test_setup_teardown(test_full_ring_drops_and_counts, turn_on, turn_off),
        cmocka_unit_test_setup_teardown(test_closed_ring_drops_what_it_held_and_what_comes, turn_on, turn_off),
        cmocka_unit_test_setup_teardown(test_threads_record_while_one_takes, turn_on, turn_off),
        cmocka_unit_test_setup_teardown(test_wait_ends_with_a_batch_or_a_wake, turn_on, turn_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
