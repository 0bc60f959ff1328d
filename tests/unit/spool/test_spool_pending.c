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
        cmocka_unit_test_setup_teardown(test_subtract_at_random_equals_the_model, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
