/*
 * test_spool_order.c - where the records of a time begin, in spools whose times
 * are in order and in spools whose times are not.
 */
#include <lmdb.h>
#include <stdlib.h>

#include "bounds.h"
#include "clock.h"
#include "spool_edit.h"
#include "spool_fixture.h"
#include "spool_internal.h"
#include "spool_order.h"
#include "spool_state.h"

#define BEGIN (1700000000 * NS_PER_S)
#define SLACK_NS (SPOOL_ORDER_SLACK_MS * NS_PER_MS)
#define RECORDS 400

/* --- the mark --------------------------------------------------------------- */

static void test_note_marks_what_is_no_more_than_the_slack_behind(void **state)
{
    struct spool_order order = {0};

    (void)state;
    assert_true(spool_order_note(&order, 5, BEGIN));
    assert_int_equal(order.from_seq, 5);
    assert_true(spool_order_note(&order, 6, BEGIN + NS_PER_S));
    assert_true(spool_order_note(&order, 7, BEGIN + NS_PER_S - SLACK_NS));
    assert_false(spool_order_note(&order, 8, BEGIN + NS_PER_S - SLACK_NS - 1));
    assert_true(spool_order_note(&order, 9, BEGIN + NS_PER_S));
    assert_int_equal(order.from_seq, 5);
    assert_true(order.latest_ns == BEGIN + NS_PER_S);
}

static void test_is_before_leaves_the_slack(void **state)
{
    (void)state;
    assert_true(spool_order_is_before(BEGIN, BEGIN + SLACK_NS + 1));
    assert_false(spool_order_is_before(BEGIN, BEGIN + SLACK_NS));
    assert_false(spool_order_is_before(BEGIN, BEGIN - 1));
    assert_false(spool_order_is_before(BEGIN, 0));
}

/* --- the search ------------------------------------------------------------- */

static uint64_t times[RECORDS + 1]; /* by seq */

static int setup(void **state)
{
    return fixture_setup_by(state, fixture_init_fast, FIXTURE_SIZE);
}

/* The fixture makes the time of its seed. */
static void put_at(struct fixture *fixture, uint64_t seq, uint64_t received_ns)
{
    times[seq] = received_ns;
    assert_int_equal(fixture_put(fixture, received_ns - 1000000, 100), seq);
}

/* One a second from `first` to RECORDS. */
static void put_ordered(struct fixture *fixture, uint64_t first)
{
    for (uint64_t seq = first; seq <= RECORDS; seq++)
        put_at(fixture, seq, BEGIN + seq * NS_PER_S);
}

static uint64_t find_since(struct fixture *fixture, uint64_t since_ns)
{
    struct err err;
    uint64_t seq = 0;

    if (spool_find_since(fixture->spool, since_ns, &seq, &err) != 0)
        fail_msg("find: %s", err.text);
    return seq;
}

/* Whatever the times are, nothing that was received then lies before the answer. */
static void assert_nothing_is_missed(struct fixture *fixture, uint64_t oldest, uint64_t newest)
{
    for (uint64_t of = oldest; of <= newest; of++) {
        for (int away = -1; away <= 1; away++) {
            uint64_t since_ns = times[of] + (uint64_t)(int64_t)away, found = find_since(fixture, since_ns);

            assert_true(found >= oldest && found <= newest + 1);
            for (uint64_t seq = oldest; seq < found; seq++)
                assert_true(times[seq] < since_ns);
        }
    }
}

static void test_find_in_an_empty_spool(void **state)
{
    assert_int_equal(find_since(*state, BEGIN), 1);
}

static void test_find_in_order_is_the_slack_before_the_time(void **state)
{
    put_ordered(*state, 1);
    assert_nothing_is_missed(*state, 1, RECORDS);
    assert_int_equal(find_since(*state, 0), 1);
    assert_int_equal(find_since(*state, BEGIN), 1);
    assert_int_equal(find_since(*state, BEGIN + 300 * NS_PER_S), 300 - SPOOL_ORDER_SLACK_MS / 1000);
    assert_int_equal(find_since(*state, BEGIN + 300 * NS_PER_S + 1), 300 - SPOOL_ORDER_SLACK_MS / 1000 + 1);
    assert_int_equal(find_since(*state, UINT64_MAX), RECORDS + 1);
}

/* Records first .. end - 1. */
static void take_away(struct fixture *fixture, uint64_t first, uint64_t end)
{
    struct spool_edit edit = {.kind = SPOOL_EDIT_REMOVE,
                              .range = {first, end},
                              .until_ns = UINT64_MAX,
                              .states = SPOOL_EDIT_STATE(SPOOL_PENDING)};
    struct spool_edit_result result = {0};
    struct spool *spool;
    struct err err;

    fixture_close(fixture);
    assert_int_equal(spool_open_edit(&spool, fixture->path, &err), 0);
    while (spool_edit_step(spool, &edit, &first, &result, &err) == 1)
        continue;
    spool_close(spool);
    assert_int_equal(result.records, end - edit.range.first);
    fixture_open(fixture);
}

static void test_find_among_what_is_left(void **state)
{
    put_ordered(*state, 1);
    take_away(*state, 1, 101);
    take_away(*state, 150, 300);
    assert_nothing_is_missed(*state, 101, RECORDS);
    assert_int_equal(find_since(*state, 0), 101);
    assert_in_range(find_since(*state, BEGIN + 250 * NS_PER_S), 150, 190);
    assert_int_equal(find_since(*state, BEGIN + 380 * NS_PER_S), 380 - SPOOL_ORDER_SLACK_MS / 1000);
}

/* Spans that were requeued keep their times of long ago. */
static void test_find_passes_over_what_is_late(void **state)
{
    for (uint64_t seq = 1; seq <= RECORDS; seq++)
        put_at(*state, seq, BEGIN + (seq % 4 == 0 ? seq : 10000 + seq) * NS_PER_S);
    assert_nothing_is_missed(*state, 1, RECORDS);
    assert_in_range(find_since(*state, BEGIN + 10300 * NS_PER_S), 239, 240);
}

/* More late ones side by side than are looked at: what lies before them is looked through as well. */
static void test_find_gives_up_before_many_late_ones(void **state)
{
    for (uint64_t seq = 1; seq <= RECORDS; seq++)
        put_at(*state, seq, BEGIN + (seq > 150 && seq <= 350 ? seq : 10000 + seq) * NS_PER_S);
    assert_nothing_is_missed(*state, 1, RECORDS);
    assert_in_range(find_since(*state, BEGIN + 10400 * NS_PER_S), 100, 152);
}

/* For as long as it was set back by, nothing can be told. */
static void test_find_after_a_clock_was_set_back(void **state)
{
    for (uint64_t seq = 1; seq <= RECORDS; seq++)
        put_at(*state, seq, BEGIN + (seq <= 100 ? 100 + 2 * seq : 2 * seq) * NS_PER_S);
    assert_nothing_is_missed(*state, 1, RECORDS);
    assert_in_range(find_since(*state, times[RECORDS]), RECORDS - SPOOL_ORDER_SLACK_MS / 2000, RECORDS);
}

static void test_find_in_any_disorder(void **state)
{
    srand(7);
    for (uint64_t seq = 1; seq <= RECORDS; seq++)
        put_at(*state, seq, BEGIN + seq * NS_PER_S + (uint64_t)(rand() % 120) * NS_PER_S);
    assert_nothing_is_missed(*state, 1, RECORDS);
}

/* Times of what an older tracespool has left were compared with nothing. */
static void test_find_after_an_older_tracespool(void **state)
{
    struct fixture *fixture = *state;
    struct spool_counters counters;
    MDB_txn *txn;

    for (uint64_t seq = 1; seq <= 10; seq++)
        put_at(fixture, seq, BEGIN + 10000 * NS_PER_S);
    assert_int_equal(mdb_txn_begin(fixture->spool->env, NULL, 0, &txn), 0);
    assert_int_equal(spool_state_get_counters(txn, fixture->spool, &counters), 0);
    counters.order = (struct spool_order){0}; /* it wrote counters without these */
    assert_int_equal(spool_state_put_counters(txn, fixture->spool, &counters), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    assert_int_equal(find_since(fixture, UINT64_MAX), 1);
    put_ordered(fixture, 11);
    assert_nothing_is_missed(fixture, 1, RECORDS);
    assert_int_equal(find_since(fixture, UINT64_MAX), 1);
    take_away(fixture, 1, 11);
    assert_nothing_is_missed(fixture, 11, RECORDS);
    assert_int_equal(find_since(fixture, UINT64_MAX), RECORDS + 1);
}

#define SPOOL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_note_marks_what_is_no_more_than_the_slack_behind),
        cmocka_unit_test(test_is_before_leaves_the_slack),
        SPOOL_TEST(test_find_in_an_empty_spool),
        SPOOL_TEST(test_find_in_order_is_the_slack_before_the_time),
        SPOOL_TEST(test_find_among_what_is_left),
        SPOOL_TEST(test_find_passes_over_what_is_late),
        SPOOL_TEST(test_find_gives_up_before_many_late_ones),
        SPOOL_TEST(test_find_after_a_clock_was_set_back),
        SPOOL_TEST(test_find_in_any_disorder),
        SPOOL_TEST(test_find_after_an_older_tracespool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
