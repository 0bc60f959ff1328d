/*
 * test_spool_trace.c - the span of a record on its way into the spool.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include "clock.h"
#include "tracing.h"
#include "tracing_ring.h"
#include "tracing_sampler.h"

static struct tracing_span spans[TRACING_BATCH_SPANS];

static int64_t number_of(const struct tracing_span *span, const char *key)
{
    for (unsigned i = 0; i < span->attribute_count; i++)
        if (strcmp(span->attributes[i].key, key) == 0)
            return span->attributes[i].number;
    return -1;
}

static int set_up(void **state)
{
    return tracing_turn_on(TRACING_SAMPLER_ALL, NULL) == 0 ? fixture_setup(state) : -1;
}

static int tear_down(void **state)
{
    tracing_turn_off();
    return fixture_teardown(state);
}

/* --- a put, until it is told ------------------------------------------------ */

static sem_t told;
static struct err failure; /* ERR_NONE: stored */

static void note(struct spool_put *put, const struct err *why)
{
    (void)put;
    failure = why == NULL ? (struct err){.class = ERR_NONE} : *why;
    sem_post(&told);
}

static uint64_t put_one(struct fixture *fixture, const struct tracing_live *live)
{
    static uint8_t bytes[5000];
    struct spool_put put = {.payload = slice_of(bytes, sizeof(bytes)), .spans = 1, .done = note, .trace = live};
    struct err err;

    if (spool_writer_put(fixture->writer, &put, &err) != 0)
        fail_msg("%s", err.text);
    sem_wait(&told);
    return put.seq;
}

static void test_stored_record_has_a_span(void **state)
{
    struct tracing_live parent;
    uint64_t seq;

    tracing_begin(&parent, NULL, false, clock_mono_ns());
    seq = put_one(*state, &parent);
    assert_int_equal(tracing_ring_take(spans), 1);
    assert_string_equal(spans[0].name, "spool commit");
    assert_int_equal(spans[0].kind, TRACING_INTERNAL);
    assert_memory_equal(spans[0].live.context.trace_id, parent.context.trace_id, TRACING_TRACE_ID_BYTES);
    assert_memory_equal(spans[0].live.parent_span_id, parent.context.span_id, TRACING_SPAN_ID_BYTES);
    assert_false(spans[0].live.parent_is_remote);
    assert_int_equal(number_of(&spans[0], "tracespool.seq"), seq);
    assert_int_equal(number_of(&spans[0], "tracespool.record.bytes"), 5000);
    assert_int_equal(number_of(&spans[0], "tracespool.group.records"), 1);
    assert_int_equal(number_of(&spans[0], "tracespool.group.bytes"), 5000);
    assert_int_equal(spans[0].event_count, 1);
    assert_true(spans[0].live.begun_ns >= parent.begun_ns);
    assert_true(spans[0].live.begun_ns <= spans[0].events[0].at_ns);
    assert_true(spans[0].events[0].at_ns <= spans[0].end_ns);
    assert_false(spans[0].failed);
}

static void test_refused_record_has_one_that_says_why(void **state)
{
    struct tracing_live parent;

    tracing_begin(&parent, NULL, false, clock_mono_ns());
    fixture_fault("spool.begin", 1, ENOMEM);
    assert_int_equal(put_one(*state, &parent), 0);
    assert_int_equal(tracing_ring_take(spans), 1);
    assert_true(spans[0].failed);
    assert_string_equal(spans[0].texts + spans[0].failure_at, failure.text);
    assert_int_equal(number_of(&spans[0], "tracespool.seq"), -1);
}

static void test_without_a_sampled_parent_there_is_none(void **state)
{
    struct tracing_live parent = {.begun_ns = 1};

    put_one(*state, &parent);
    put_one(*state, NULL);
    assert_int_equal(tracing_ring_take(spans), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stored_record_has_a_span, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_record_has_one_that_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_sampled_parent_there_is_none, set_up, tear_down),
    };

    sem_init(&told, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
