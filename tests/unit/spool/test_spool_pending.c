/*
 * Ranges of pending sequence numbers, against a plain array of flags.
 */
#include "spool_fixture.h"

#include <stdlib.h>

#include "spool_internal.h"
#include "spool_pending.h"

#define MODEL_SEQS 200

static MDB_txn *begin(struct fixture *fixture)
{
    MDB_txn *txn;

    assert_int_equal(mdb_txn_begin(fixture->spool->env, NULL, 0, &txn), 0);
    return txn;
}

static void subtract(struct fixture *fixture, MDB_txn *txn, uint64_t first, uint64_t end)
{
    assert_int_equal(spool_pending_subtract(txn, fixture->spool->pending, (struct spool_range){first, end}), 0);
}

/* Asserts that the ranges are exactly these: first, end, first, end, ..., the last end open. */
static void expect(struct fixture *fixture, MDB_txn *txn, const uint64_t *bounds, size_t count)
{
    struct spool_range range;
    uint64_t from = 0;

    for (size_t i = 0; i < count; i += 2) {
        assert_int_equal(spool_pending_find(txn, fixture->spool->pending, from, &range), 0);
        assert_int_equal(range.first, bounds[i]);
        assert_int_equal(range.end, bounds[i + 1]);
        from = range.end;
    }
    assert_int_equal(from, SPOOL_SEQ_OPEN);
}

static void test_subtract_from_every_side(void **state)
{
    struct fixture *fixture = *state;
    MDB_txn *txn = begin(fixture);

    expect(fixture, txn, (uint64_t[]){1, SPOOL_SEQ_OPEN}, 2);
    subtract(fixture, txn, 1, 2); /* the front */
    expect(fixture, txn, (uint64_t[]){2, SPOOL_SEQ_OPEN}, 2);
    subtract(fixture, txn, 10, 20); /* the middle */
    expect(fixture, txn, (uint64_t[]){2, 10, 20, SPOOL_SEQ_OPEN}, 4);
    subtract(fixture, txn, 12, 15); /* what is gone already */
    expect(fixture, txn, (uint64_t[]){2, 10, 20, SPOOL_SEQ_OPEN}, 4);
    subtract(fixture, txn, 8, 12); /* a range's tail and beyond */
    expect(fixture, txn, (uint64_t[]){2, 8, 20, SPOOL_SEQ_OPEN}, 4);
    subtract(fixture, txn, 15, 22); /* a range's front from before it */
    expect(fixture, txn, (uint64_t[]){2, 8, 22, SPOOL_SEQ_OPEN}, 4);
    subtract(fixture, txn, 30, 40);
    subtract(fixture, txn, 1, 35); /* several ranges at once */
    expect(fixture, txn, (uint64_t[]){40, SPOOL_SEQ_OPEN}, 2);
    mdb_txn_abort(txn);
}

static void test_find_gives_the_range_or_the_next(void **state)
{
    struct fixture *fixture = *state;
    MDB_txn *txn = begin(fixture);
    struct spool_range range;

    subtract(fixture, txn, 1, 5);
    subtract(fixture, txn, 10, 20);
    assert_int_equal(spool_pending_find(txn, fixture->spool->pending, 1, &range), 0);
    assert_int_equal(range.first, 5);
    assert_int_equal(spool_pending_find(txn, fixture->spool->pending, 9, &range), 0);
    assert_int_equal(range.first, 5);
    assert_int_equal(spool_pending_find(txn, fixture->spool->pending, 10, &range), 0);
    assert_int_equal(range.first, 20);
    assert_int_equal(spool_pending_find(txn, fixture->spool->pending, SPOOL_SEQ_OPEN - 1, &range), 0);
    assert_int_equal(range.first, 20);
    mdb_txn_abort(txn);
}

static void add(struct fixture *fixture, MDB_txn *txn, uint64_t first, uint64_t end)
{
    assert_int_equal(spool_pending_add(txn, fixture->spool->pending, (struct spool_range){first, end}), 0);
}

static void test_add_joins_what_it_touches(void **state)
{
    struct fixture *fixture = *state;
    MDB_txn *txn = begin(fixture);

    subtract(fixture, txn, 1, 100);
    add(fixture, txn, 10, 20); /* alone */
    expect(fixture, txn, (uint64_t[]){10, 20, 100, SPOOL_SEQ_OPEN}, 4);
    add(fixture, txn, 12, 15); /* there already */
    add(fixture, txn, 10, 20);
    expect(fixture, txn, (uint64_t[]){10, 20, 100, SPOOL_SEQ_OPEN}, 4);
    add(fixture, txn, 20, 22); /* at its end */
    add(fixture, txn, 8, 10);  /* at its start */
    expect(fixture, txn, (uint64_t[]){8, 22, 100, SPOOL_SEQ_OPEN}, 4);
    add(fixture, txn, 30, 40);
    add(fixture, txn, 50, 60);
    add(fixture, txn, 21, 55); /* over several */
    expect(fixture, txn, (uint64_t[]){8, 60, 100, SPOOL_SEQ_OPEN}, 4);
    add(fixture, txn, 99, 100); /* up to the open one */
    expect(fixture, txn, (uint64_t[]){8, 60, 99, SPOOL_SEQ_OPEN}, 4);
    add(fixture, txn, 1, 1000); /* over everything */
    expect(fixture, txn, (uint64_t[]){1, SPOOL_SEQ_OPEN}, 2);
    mdb_txn_abort(txn);
}

static void test_add_to_an_empty_set(void **state)
{
    struct fixture *fixture = *state;
    MDB_txn *txn = begin(fixture);
    bool holds;

    assert_int_equal(spool_pending_holds(txn, fixture->spool->held, 5, &holds), 0);
    assert_false(holds);
    assert_int_equal(spool_pending_add(txn, fixture->spool->held, (struct spool_range){5, 6}), 0);
    assert_int_equal(spool_pending_holds(txn, fixture->spool->held, 5, &holds), 0);
    assert_true(holds);
    assert_int_equal(spool_pending_holds(txn, fixture->spool->held, 6, &holds), 0);
    assert_false(holds);
    assert_int_equal(spool_pending_holds(txn, fixture->spool->held, 4, &holds), 0);
    assert_false(holds);
    assert_int_equal(spool_pending_subtract(txn, fixture->spool->held, (struct spool_range){5, 6}), 0);
    assert_int_equal(spool_pending_holds(txn, fixture->spool->held, 5, &holds), 0);
    assert_false(holds);
    mdb_txn_abort(txn);
}

/* Invariant 3: as few ranges as there can be. */
static void expect_model(struct fixture *fixture, MDB_txn *txn, const bool *pending)
{
    struct spool_range range = {.end = 1};
    bool holds;

    for (uint64_t seq = 1; seq <= MODEL_SEQS; seq++) {
        assert_int_equal(spool_pending_holds(txn, fixture->spool->pending, seq, &holds), 0);
        assert_int_equal(holds, pending[seq]);
    }
    for (uint64_t after = 0; range.end != SPOOL_SEQ_OPEN; after = range.end) {
        assert_int_equal(spool_pending_find(txn, fixture->spool->pending, after, &range), 0);
        assert_true(range.first > after || after == 0);
    }
}

static void test_add_and_subtract_at_random_equal_the_model(void **state)
{
    struct fixture *fixture = *state;
    bool pending[MODEL_SEQS + 1];
    MDB_txn *txn = begin(fixture);
    unsigned seed = 2;

    for (size_t i = 0; i <= MODEL_SEQS; i++)
        pending[i] = i > 0;
    for (unsigned round = 0; round < 1500; round++) {
        uint64_t first = (uint64_t)rand_r(&seed) % MODEL_SEQS + 1, end = first + 1 + (uint64_t)rand_r(&seed) % 12;
        bool more = rand_r(&seed) % 2 == 0;

        if (more)
            add(fixture, txn, first, end);
        else
            subtract(fixture, txn, first, end);
        for (uint64_t seq = first; seq < end && seq <= MODEL_SEQS; seq++)
            pending[seq] = more;
        expect_model(fixture, txn, pending);
    }
    mdb_txn_abort(txn);
}

static void test_subtract_at_random_equals_the_model(void **state)
{
    struct fixture *fixture = *state;
    bool pending[MODEL_SEQS + 1];
    MDB_txn *txn = begin(fixture);
    struct spool_range range;
    unsigned seed = 1;

    for (size_t i = 0; i <= MODEL_SEQS; i++)
        pending[i] = i > 0;
    for (unsigned round = 0; round < 150; round++) {
        uint64_t first = (uint64_t)rand_r(&seed) % MODEL_SEQS + 1, end = first + 1 + (uint64_t)rand_r(&seed) % 4;

        subtract(fixture, txn, first, end);
        for (uint64_t seq = first; seq < end && seq <= MODEL_SEQS; seq++)
            pending[seq] = false;
        for (uint64_t seq = 1; seq <= MODEL_SEQS; seq++) {
            assert_int_equal(spool_pending_find(txn, fixture->spool->pending, seq, &range), 0);
            assert_int_equal(range.first <= seq, pending[seq]);
        }
    }
    mdb_txn_abort(txn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_subtract_from_every_side, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_find_gives_the_range_or_the_next, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_add_joins_what_it_touches, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_add_to_an_empty_set, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_add_and_subtract_at_random_equal_the_model, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_subtract_at_random_equals_the_model, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
