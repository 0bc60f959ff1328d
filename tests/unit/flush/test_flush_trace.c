/*
 * test_flush_trace.c - the span of each write: one that is stored, one that
 * fails, one of which something is refused.
 */
#include "flush_fixture.h"

#include <string.h>

#include "tracing.h"
#include "tracing_ring.h"
#include "tracing_sampler.h"

static struct tracing_span spans[TRACING_BATCH_SPANS];

static const struct tracing_attribute *attribute_of(const struct tracing_span *span, const char *key)
{
    for (unsigned i = 0; i < span->attribute_count; i++)
        if (strcmp(span->attributes[i].key, key) == 0)
            return &span->attributes[i];
    return NULL;
}

static void assert_number(const struct tracing_span *span, const char *key, int64_t number)
{
    const struct tracing_attribute *attribute = attribute_of(span, key);

    assert_non_null(attribute);
    assert_int_equal(attribute->number, number);
}

static void assert_text(const struct tracing_span *span, const char *key, const char *text)
{
    const struct tracing_attribute *attribute = attribute_of(span, key);

    assert_non_null(attribute);
    assert_string_equal(span->texts + attribute->text_at, text);
}

static void assert_write(const struct tracing_span *span, int64_t attempt)
{
    assert_string_equal(span->name, "deliver");
    assert_int_equal(span->kind, TRACING_CLIENT);
    assert_false(span->live.has_parent);
    assert_true(span->live.begun_ns <= span->end_ns);
    assert_text(span, "db.system.name", "fake");
    assert_number(span, "tracespool.seq.first", 1);
    assert_number(span, "tracespool.seq.last", 10);
    assert_number(span, "tracespool.attempt", attempt);
}

/* Ten records of one span each, delivered as one batch. */
static size_t deliver(struct fixture *f)
{
    struct flush_options options = {.settings = {.order = FLUSH_OLDEST_FIRST, .batch_documents = 100},
                                    .threads = 1,
                                    .max_request_bytes = REQUEST_MAX,
                                    .unknown_ms = FLUSH_UNKNOWN_MS};

    fixture_put_numbers(f, 1, 11);
    fixture_start_with(f, &options);
    fixture_until(f, nothing_pending, "everything is delivered");
    fixture_stop(f);
    return tracing_ring_take(spans);
}

static int set_up(void **state)
{
    return tracing_turn_on(TRACING_SAMPLER_ALL, NULL) == 0 ? fixture_setup(state) : -1;
}

static int tear_down(void **state)
{
    int rc = fixture_teardown(state);

    tracing_turn_off();
    return rc;
}

static void test_write_that_fails_and_its_second_try(void **state)
{
    struct fixture *f = *state;

    f->sink.fail_writes = 1;
    assert_int_equal(deliver(f), 2);
    assert_write(&spans[0], 1);
    assert_true(spans[0].failed);
    assert_string_equal(spans[0].texts + spans[0].failure_at, "the sink is away");
    assert_text(&spans[0], "error.type", "retry");
    assert_null(attribute_of(&spans[0], "tracespool.outcome"));
    assert_write(&spans[1], 2);
    assert_false(spans[1].failed);
    assert_text(&spans[1], "tracespool.outcome", "stored");
    assert_null(attribute_of(&spans[1], "error.type"));
    assert_number(&spans[1], "tracespool.documents", 10);
    assert_number(&spans[1], "tracespool.spans", 10);
    assert_memory_not_equal(spans[0].live.context.trace_id, spans[1].live.context.trace_id, TRACING_TRACE_ID_BYTES);
}

static void test_write_of_which_some_is_refused(void **state)
{
    struct fixture *f = *state;

    f->sink.refused_every = 5;
    assert_int_equal(deliver(f), 1);
    assert_write(&spans[0], 1);
    assert_false(spans[0].failed);
    assert_text(&spans[0], "tracespool.outcome", "refused");
}

static void test_off_there_is_none(void **state)
{
    tracing_turn_off();
    assert_int_equal(deliver(*state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write_that_fails_and_its_second_try, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_write_of_which_some_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_off_there_is_none, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
