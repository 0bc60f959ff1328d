/*
 * test_flush_order.c - what the threads deliver first, what they keep to
 * themselves, and what they give up.
 *
 * Record number and seq are the same here: a spool's first seq is 1.
 */
#include "flush_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define BACKLOG 3000 /* three claims: two of FLUSH_RECORDS_MAX and a rest */

static_assert(BACKLOG > 2 * FLUSH_RECORDS_MAX && BACKLOG < 3 * FLUSH_RECORDS_MAX, "the tests count on three claims");

/* --- conditions -------------------------------------------------------------- */

static bool some_write_hangs(struct fixture *f, const struct spool_stat *stat)
{
    bool hangs;

    (void)stat;
    pthread_mutex_lock(&f->sink.lock);
    hangs = f->sink.hanging > 0;
    pthread_mutex_unlock(&f->sink.lock);
    return hangs;
}

static bool backlog_but_one_claim_is_done(struct fixture *f, const struct spool_stat *stat)
{
    (void)f;
    return stat->pending_records <= FLUSH_RECORDS_MAX;
}

static bool newcomer_is_stored(struct fixture *f, const struct spool_stat *stat)
{
    (void)stat;
    return fake_sink_has(&f->sink, BACKLOG + 1);
}

/* --- order ------------------------------------------------------------------- */

/* The sink got `expected` (first, last pairs, ending with 0) in this order. */
static void expect_numbers(const struct fixture *f, const uint64_t (*expected)[2])
{
    size_t at = 0;

    for (; (*expected)[0] != 0; expected++) {
        for (uint64_t number = (*expected)[0]; number <= (*expected)[1]; number++, at++) {
            assert_true(at < f->sink.count);
            assert_int_equal(f->sink.numbers[at], number);
        }
    }
    assert_int_equal(f->sink.count, at);
}

static void deliver_backlog(struct fixture *f, enum flush_order order, unsigned threads)
{
    fixture_put_numbers(f, 1, BACKLOG + 1);
    fixture_start(f, order, threads, 1000);
    fixture_until(f, nothing_pending, "everything is delivered");
    assert_int_equal(f->sink.count, BACKLOG);
    assert_int_equal(f->sink.again, 0);
    assert_int_equal(f->sink.met, 0);
}

static void test_one_thread_oldest_first_goes_up(void **state)
{
    struct fixture *f = *state;

    deliver_backlog(f, FLUSH_OLDEST_FIRST, 1);
    expect_numbers(f, (const uint64_t[][2]){{1, BACKLOG}, {0, 0}});
}

static void test_one_thread_newest_first_goes_down_by_claims(void **state)
{
    struct fixture *f = *state;

    deliver_backlog(f, FLUSH_NEWEST_FIRST, 1);
    expect_numbers(f, (const uint64_t[][2]){{1977, 3000}, {953, 1976}, {1, 952}, {0, 0}});
}

static void test_one_thread_both_takes_turns(void **state)
{
    struct fixture *f = *state;

    deliver_backlog(f, FLUSH_BOTH, 1);
    expect_numbers(f, (const uint64_t[][2]){{1977, 3000}, {1, 1024}, {1025, 1976}, {0, 0}});
}

static void test_several_threads_deliver_each_record_once_in_any_order(void **state)
{
    static const unsigned threads[] = {2, 4};

    for (unsigned i = 0; i < 2; i++) {
        for (int order = FLUSH_OLDEST_FIRST; order <= FLUSH_BOTH; order++) {
            deliver_backlog(*state, (enum flush_order)order, threads[i]);
            fixture_teardown(state);
            fixture_setup(state);
        }
    }
}

/* --- a thread that does not come on -------------------------------------------- */

/* One write hangs; the thread beside it delivers all that is not in the same claim, and what comes. */
static void deliver_around_a_hanging_write(struct fixture *f, enum flush_order order, uint64_t hanging)
{
    struct spool_stat stat;

    fake_sink_hang(&f->sink, hanging);
    fixture_put_numbers(f, 1, BACKLOG + 1);
    fixture_start(f, order, 2, 1000);
    fixture_until(f, some_write_hangs, "the batch with that record is in hand");
    fixture_put_numbers(f, BACKLOG + 1, BACKLOG + 2);
    fixture_until(f, newcomer_is_stored, "the newcomer is stored");
    stat = fixture_until(f, backlog_but_one_claim_is_done, "the rest of the backlog is delivered");
    assert_true(stat.pending_records > 0);
    assert_false(fake_sink_has(&f->sink, hanging));
    fake_sink_hang(&f->sink, 0);
    fixture_until(f, nothing_pending, "what hung is delivered");
    assert_int_equal(f->sink.count, BACKLOG + 1);
    assert_int_equal(f->sink.again, 0);
    assert_int_equal(f->sink.met, 0);
}

static void test_both_delivers_a_newcomer_while_the_oldest_hang(void **state)
{
    deliver_around_a_hanging_write(*state, FLUSH_BOTH, 1);
}

static void test_both_delivers_everything_while_the_newest_hang(void **state)
{
    deliver_around_a_hanging_write(*state, FLUSH_BOTH, BACKLOG);
}

static void test_oldest_first_goes_on_beside_a_hanging_write(void **state)
{
    deliver_around_a_hanging_write(*state, FLUSH_OLDEST_FIRST, 1);
}

static void test_newest_first_goes_on_beside_a_hanging_write(void **state)
{
    deliver_around_a_hanging_write(*state, FLUSH_NEWEST_FIRST, BACKLOG);
}

static void test_stop_leaves_claims_to_the_next_start(void **state)
{
    struct fixture *f = *state;

    fake_sink_fail(&f->sink, UINT32_MAX);
    fixture_put_numbers(f, 1, BACKLOG + 1);
    fixture_start(f, FLUSH_BOTH, 4, 1000);
    fixture_until(f, backing_off, "the outage is noted");
    fixture_stop(f);
    assert_int_equal(f->sink.count, 0);
    fake_sink_fail(&f->sink, 0);
    fixture_start(f, FLUSH_BOTH, 4, 1000);
    fixture_until(f, nothing_pending, "everything is delivered");
    assert_int_equal(f->sink.count, BACKLOG);
    assert_int_equal(f->sink.again, 0);
}

/* --- an operator beside it ------------------------------------------------------ */

static uint64_t failed_writes(struct fixture *f)
{
    uint64_t failed;

    pthread_mutex_lock(&f->sink.lock);
    failed = f->sink.failed_writes;
    pthread_mutex_unlock(&f->sink.lock);
    return failed;
}

static void test_records_replayed_with_old_numbers_are_found(void **state)
{
    static const unsigned threads[] = {1, 2, 4};
    struct spool_stat stat;

    for (unsigned i = 0; i < 3; i++) {
        for (int order = FLUSH_OLDEST_FIRST; order <= FLUSH_BOTH; order++) {
            struct fixture *f = *state;

            fixture_put_numbers(f, 1, 31);
            fixture_start(f, (enum flush_order)order, threads[i], 1000);
            fixture_until(f, nothing_pending, "everything is delivered");
            fixture_edit(f, SPOOL_EDIT_REPLAY, 5, 10);
            fixture_edit(f, SPOOL_EDIT_REPLAY, 20, 22);
            stat = fixture_until(f, nothing_pending, "what was replayed is delivered");
            assert_int_equal(stat.held_records, 0);
            assert_int_equal(f->sink.count, 30);
            assert_int_equal(f->sink.again, 7);
            assert_int_equal(f->sink.met, 0);
            fixture_teardown(state);
            fixture_setup(state);
        }
    }
}

static uint64_t generation_before;
static uint64_t failed_before;

static bool generation_has_moved(struct fixture *f, const struct spool_stat *stat)
{
    (void)stat;
    return spool_writer_generation(f->writer) > generation_before;
}

static bool another_write_has_failed(struct fixture *f, const struct spool_stat *stat)
{
    (void)stat;
    return failed_writes(f) > failed_before;
}

static void test_what_is_held_or_removed_in_an_outage_is_not_sent(void **state)
{
    struct fixture *f = *state;
    struct spool_stat stat;

    fake_sink_fail(&f->sink, UINT32_MAX);
    fixture_put_numbers(f, 1, 11);
    fixture_start(f, FLUSH_OLDEST_FIRST, 1, 1000);
    fixture_until(f, backing_off, "the outage is noted");

    generation_before = spool_writer_generation(f->writer);
    fixture_edit(f, SPOOL_EDIT_HOLD, 3, 6);
    fixture_until(f, generation_has_moved, "the writer has noticed");
    generation_before = spool_writer_generation(f->writer);
    fixture_edit(f, SPOOL_EDIT_REMOVE, 7, 8);
    fixture_until(f, generation_has_moved, "the writer has noticed");
    failed_before = failed_writes(f); /* a write that was under way fails too, and after it the claim is given up */
    fixture_until(f, another_write_has_failed, "one more write");

    fake_sink_fail(&f->sink, 0);
    stat = fixture_until(f, nothing_pending, "the others are delivered");
    assert_int_equal(stat.held_records, 3);
    expect_numbers(f, (const uint64_t[][2]){{1, 2}, {6, 6}, {8, 10}, {0, 0}});

    fixture_edit(f, SPOOL_EDIT_RELEASE, 3, 6);
    fixture_until(f, nothing_pending, "the released ones are delivered");
    expect_numbers(f, (const uint64_t[][2]){{1, 2}, {6, 6}, {8, 10}, {3, 5}, {0, 0}});
    assert_int_equal(f->sink.again, 0);
}

/* Puts, outages and replays at a time: whatever happens, each is stored, and never by two at a time. */
static void test_nothing_is_lost_or_in_two_hands_under_stress(void **state)
{
    struct fixture *f = *state;
    uint64_t end = 1;

    fixture_start(f, FLUSH_BOTH, 4, 100);
    for (unsigned round = 0; round < 20; round++) {
        fixture_put_numbers(f, end, end + 500);
        end += 500;
        fake_sink_fail(&f->sink, round % 3);
        if (round % 4 == 3) {
            fixture_until(f, nothing_pending, "something is delivered that can be replayed");
            fixture_edit(f, SPOOL_EDIT_REPLAY, end / 3, end / 2);
        }
    }
    fixture_until(f, nothing_pending, "everything is delivered");
    assert_int_equal(f->sink.count, end - 1);
    assert_int_equal(f->sink.met, 0);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_one_thread_oldest_first_goes_up),
        TEST(test_one_thread_newest_first_goes_down_by_claims),
        TEST(test_one_thread_both_takes_turns),
        TEST(test_several_threads_deliver_each_record_once_in_any_order),
        TEST(test_both_delivers_a_newcomer_while_the_oldest_hang),
        TEST(test_both_delivers_everything_while_the_newest_hang),
        TEST(test_oldest_first_goes_on_beside_a_hanging_write),
        TEST(test_newest_first_goes_on_beside_a_hanging_write),
        TEST(test_stop_leaves_claims_to_the_next_start),
        TEST(test_records_replayed_with_old_numbers_are_found),
        TEST(test_what_is_held_or_removed_in_an_outage_is_not_sent),
        TEST(test_nothing_is_lost_or_in_two_hands_under_stress),
    };
    int status;

    if (fixture_edit_main(argc, argv, &status))
        return status;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
