/*
 * test_flush_write.c - what the flusher makes of the ways in which a sink fails.
 */
#include "flush_fixture.h"

#include "clock.h"
#include "metrics.h"

static struct flush_options one_thread(size_t batch_documents)
{
    return (struct flush_options){.settings = {.order = FLUSH_OLDEST_FIRST, .batch_documents = batch_documents},
                                  .threads = 1,
                                  .max_request_bytes = REQUEST_MAX,
                                  .unknown_ms = FLUSH_UNKNOWN_MS};
}

static void fail_as(struct fixture *f, enum err_class class, unsigned writes)
{
    f->sink.fail_class = class;
    f->sink.fail_writes = writes;
}

static void assert_delivered(struct fixture *f, uint64_t spans)
{
    fixture_until(f, nothing_pending, "everything is delivered");
    assert_int_equal(f->sink.spans, spans);
    assert_int_equal(f->sink.again, 0);
}

/* --- overload --------------------------------------------------------------- */

static void test_overload_halves_writes_which_grow_again(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(64);
    size_t i = 0, sum = 0;

    fixture_put_numbers(f, 1, 1001);
    fail_as(f, ERR_OVERLOAD, 2);
    fixture_start_with(f, &options);
    assert_delivered(f, 1000);
    assert_int_equal(f->sink.documents_of_writes[0], 16);
    assert_int_equal(f->sink.documents_of_writes[1], 16 + 64 / FLUSH_WRITE_STEPS + 1);
    for (; i < f->sink.write_count; i++)
        sum += f->sink.documents_of_writes[i];
    assert_int_equal(sum, 1000);
    while (i > 0 && f->sink.documents_of_writes[i - 1] != 64)
        i--;
    assert_true(i > 2); /* they came back to what is configured */
}

static void test_overload_ends_at_one_document(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(2);

    fixture_put_numbers(f, 1, 11);
    fail_as(f, ERR_OVERLOAD, 3);
    fixture_start_with(f, &options);
    assert_delivered(f, 10);
    assert_int_equal(f->sink.documents_of_writes[0], 1);
}

/* --- what nobody knows ------------------------------------------------------- */

static void test_unknown_is_taken_apart_after_a_while(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(100);

    options.unknown_ms = 300;
    fixture_put_numbers(f, 1, 11);
    fail_as(f, ERR_UNKNOWN, UINT32_MAX);
    fixture_start_with(f, &options);
    assert_delivered(f, 10);
    assert_true(f->sink.failed_writes >= 1);
    assert_int_equal(f->sink.writes_apart, 1);
}

static void test_unknown_that_passes_is_not_taken_apart(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(100);

    fixture_put_numbers(f, 1, 11);
    fail_as(f, ERR_UNKNOWN, 3);
    fixture_start_with(f, &options);
    assert_delivered(f, 10);
    assert_int_equal(f->sink.failed_writes, 3);
    assert_int_equal(f->sink.writes_apart, 0);
}

/* An outage of any length is not what nobody knows. */
static void test_known_failures_are_never_taken_apart(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(100);

    options.unknown_ms = 1;
    fixture_put_numbers(f, 1, 11);
    fail_as(f, ERR_RETRY, 4);
    fixture_start_with(f, &options);
    assert_delivered(f, 10);
    assert_int_equal(f->sink.writes_apart, 0);
}

/* --- states ------------------------------------------------------------------- */

static bool misconfigured(struct fixture *f, const struct spool_stat *stat)
{
    (void)f;
    return stat->delivery.state == SPOOL_DELIVERY_MISCONFIGURED;
}

static bool storage_full(struct fixture *f, const struct spool_stat *stat)
{
    (void)f;
    return stat->delivery.state == SPOOL_DELIVERY_STORAGE_FULL;
}

/* The sink's word ends a wait that would be longer than this test's patience. */
static void assert_word_ends_the_wait(struct fixture *f, enum err_class class, condition *noted, const char *name,
                                      enum metric shown)
{
    struct flush_options options = one_thread(100);
    struct spool_stat stat;

    fixture_put_numbers(f, 1, 11);
    fail_as(f, class, UINT32_MAX);
    fixture_start_with(f, &options);
    stat = fixture_until(f, noted, "the state is noted");
    assert_string_equal(spool_delivery_state_name(stat.delivery.state), name);
    assert_string_equal(stat.delivery.text, "the sink is away");
    assert_int_equal(metrics_get(shown), 1);
    assert_int_equal(metrics_get(METRIC_FLUSH_STATE_STARTING) + metrics_get(METRIC_FLUSH_STATE_FLOWING), 0);
    assert_int_equal(stat.pending_records, 10);
    fake_sink_fail(&f->sink, 0);
    fake_sink_tell(&f->sink, true);
    assert_delivered(f, 10);
    assert_int_equal(metrics_get(shown), 0);
    assert_int_equal(metrics_get(METRIC_FLUSH_STATE_FLOWING), 1);
}

static void test_storage_full_is_noted_and_ends_at_the_sinks_word(void **state)
{
    assert_word_ends_the_wait(*state, ERR_FULL, storage_full, "storage full", METRIC_FLUSH_STATE_STORAGE_FULL);
}

static void test_misconfiguration_ends_at_the_sinks_word(void **state)
{
    assert_word_ends_the_wait(*state, ERR_CONFIG, misconfigured, "misconfigured", METRIC_FLUSH_STATE_MISCONFIGURED);
}

static bool one_hangs(struct fixture *f, const struct spool_stat *stat)
{
    bool hangs;

    (void)stat;
    pthread_mutex_lock(&f->sink.lock);
    hangs = f->sink.hanging == 1;
    pthread_mutex_unlock(&f->sink.lock);
    return hangs;
}

/* A primary is found again while the attempt that has met none is still on its way. */
static void test_word_during_the_attempt_ends_the_wait_after_it(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(100);

    fixture_put_numbers(f, 1, 11);
    fail_as(f, ERR_CONFIG, 1);
    fake_sink_hang(&f->sink, 1);
    fixture_start_with(f, &options);
    fixture_until(f, one_hangs, "the write is on its way");
    fake_sink_tell(&f->sink, true);
    fake_sink_hang(&f->sink, 0);
    assert_delivered(f, 10);
}

/* --- notes ---------------------------------------------------------------------- */

#define PROBERS 4
#define FLOOD 300

static uint64_t failed_writes(struct fixture *f)
{
    uint64_t count;

    pthread_mutex_lock(&f->sink.lock);
    count = f->sink.failed_writes;
    pthread_mutex_unlock(&f->sink.lock);
    return count;
}

static uint64_t awaited;

static bool has_failed_as_often(struct fixture *f, const struct spool_stat *stat)
{
    (void)stat;
    return failed_writes(f) >= awaited;
}

static bool all_are_noted(struct fixture *f, const struct spool_stat *stat)
{
    (void)f;
    return stat->delivery.attempts == PROBERS;
}

/* The next probe of any of them is later than this test's patience. */
static void test_each_probe_is_noted_before_the_next(void **state)
{
    struct fixture *f = *state;

    fail_as(f, ERR_CONFIG, UINT32_MAX);
    fixture_start(f, FLUSH_OLDEST_FIRST, PROBERS, 100);
    for (awaited = 1; awaited <= PROBERS; awaited++) { /* each in the hands of another thread */
        fixture_put_numbers(f, awaited, awaited + 1);
        fixture_until(f, has_failed_as_often, "one more thread has failed");
    }
    fixture_until(f, all_are_noted, "all of them are noted");
}

/* A word that comes before the thread waits is lost: it is told again and again. */
static bool has_failed_at_the_sinks_word(struct fixture *f, const struct spool_stat *stat)
{
    fake_sink_tell(&f->sink, true);
    return has_failed_as_often(f, stat);
}

static void test_flood_of_failures_is_noted_now_and_then(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(100);
    uint64_t commits, elapsed_ms, begin_ns;

    fixture_put_numbers(f, 1, 2);
    fail_as(f, ERR_CONFIG, UINT32_MAX);
    commits = metrics_get(METRIC_SPOOL_COMMITS);
    begin_ns = clock_mono_ns();
    fixture_start_with(f, &options);
    awaited = FLOOD;
    fixture_until(f, has_failed_at_the_sinks_word, "many attempts");
    elapsed_ms = (clock_mono_ns() - begin_ns) / NS_PER_MS;
    assert_true(metrics_get(METRIC_SPOOL_COMMITS) - commits <= 2 + elapsed_ms / FLUSH_NOTE_FAILED_MS);
}

static bool flowing(struct fixture *f, const struct spool_stat *stat)
{
    (void)f;
    return stat->delivery.state == SPOOL_DELIVERY_FLOWING;
}

/* Nothing is sent, so nothing fails: the sink's word is all that is known. */
static void test_what_the_sink_finds_out_is_noted_while_nothing_is_sent(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(100);
    struct spool_stat stat;

    fixture_start_with(f, &options);
    fake_sink_tell(&f->sink, true);
    fake_sink_tell(&f->sink, false);
    stat = fixture_until(f, backing_off, "the word is noted");
    assert_int_equal(stat.delivery.attempts, 0);
    assert_string_equal(stat.delivery.text, "no server is known that takes writes");
    assert_int_equal(stat.delivery.last_ok_ns, 0);
    fake_sink_tell(&f->sink, true);
    stat = fixture_until(f, flowing, "that it is over is noted");
    assert_string_equal(stat.delivery.text, "");
    /* What an attempt has found out is not taken back by a word. */
    fixture_put_numbers(f, 1, 2);
    assert_delivered(f, 1);
    fail_as(f, ERR_CONFIG, UINT32_MAX);
    fixture_put_numbers(f, 2, 3);
    stat = fixture_until(f, misconfigured, "the failure is noted");
    fake_sink_tell(&f->sink, false);
    fixture_put_numbers(f, 3, 4); /* a transaction behind it */
    stat = fixture_until(f, misconfigured, "the failure is noted still");
    assert_string_equal(stat.delivery.text, "the sink is away");
}

static void test_stopped_flusher_is_told_no_more(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(100);

    fixture_start_with(f, &options);
    assert_non_null(f->sink.told);
    fixture_stop(f);
    assert_null(f->sink.told);
}

/* --- the rate ------------------------------------------------------------------- */

static void test_rate_bounds_writes_and_time(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(100);
    uint64_t begin_ns = clock_mono_ns();

    options.settings.rate = 20;
    fixture_put_numbers(f, 1, 51);
    fixture_start_with(f, &options);
    assert_delivered(f, 50);
    assert_int_equal(f->sink.largest_write, 20);
    assert_true(clock_mono_ns() - begin_ns >= 2 * NS_PER_S); /* two full writes are paid for before the third */
}

static bool first_is_there(struct fixture *f, const struct spool_stat *stat)
{
    (void)stat;
    return fake_sink_has(&f->sink, 1);
}

/* All of it would take a quarter of an hour. */
static void test_stop_ends_the_wait_for_the_rate(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(1);
    struct spool_stat stat;
    struct err err;

    options.settings.rate = 1;
    fixture_put_numbers(f, 1, 1001);
    fixture_start_with(f, &options);
    fixture_until(f, first_is_there, "the first span is written");
    fixture_stop(f);
    fixture_must(spool_stat(f->spool, &stat, &err), &err);
    assert_true(stat.pending_records > 900);
}

/* --- settings ------------------------------------------------------------------ */

/* From the next claim on: the one in hand goes on as it was begun. */
static void test_changed_settings_hold_from_the_next_claim(void **state)
{
    struct fixture *f = *state;
    struct flush_options options = one_thread(4);
    struct flush_settings larger = {.order = FLUSH_OLDEST_FIRST, .batch_documents = 50};
    struct flush_settings smaller = {.order = FLUSH_OLDEST_FIRST, .batch_documents = 2};
    size_t first;

    fixture_put_numbers(f, 1, 101);
    fixture_start_with(f, &options);
    assert_delivered(f, 100);
    assert_int_equal(f->sink.largest_write, 4);

    flusher_configure(f->flusher, &larger);
    fixture_put_numbers(f, 101, 1001); /* many claims, the first of which may have been begun before */
    assert_delivered(f, 1000);
    assert_in_range(f->sink.largest_write, 5, 50);

    flusher_configure(f->flusher, &smaller);
    fixture_put_numbers(f, 1001, 1003);
    assert_delivered(f, 1002);
    first = f->sink.write_count;
    fixture_put_numbers(f, 1003, 1203);
    assert_delivered(f, 1202);
    assert_true(f->sink.write_count < FAKE_SINK_WRITES_MAX);
    for (size_t i = first; i < f->sink.write_count; i++)
        assert_in_range(f->sink.documents_of_writes[i], 1, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_overload_halves_writes_which_grow_again),
        TEST(test_overload_ends_at_one_document),
        TEST(test_unknown_is_taken_apart_after_a_while),
        TEST(test_unknown_that_passes_is_not_taken_apart),
        TEST(test_known_failures_are_never_taken_apart),
        TEST(test_storage_full_is_noted_and_ends_at_the_sinks_word),
        TEST(test_misconfiguration_ends_at_the_sinks_word),
        TEST(test_word_during_the_attempt_ends_the_wait_after_it),
        TEST(test_each_probe_is_noted_before_the_next),
        TEST(test_flood_of_failures_is_noted_now_and_then),
        TEST(test_what_the_sink_finds_out_is_noted_while_nothing_is_sent),
        TEST(test_stopped_flusher_is_told_no_more),
        TEST(test_rate_bounds_writes_and_time),
        TEST(test_stop_ends_the_wait_for_the_rate),
        TEST(test_changed_settings_hold_from_the_next_claim),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
