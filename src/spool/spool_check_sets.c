/*
 * spool_check_sets.c - the ranges of what is pending and of what is held (invariants 3 and 4).
 *
 * The caller's thread; SPOOL_CHECK_KEYS_MAX keys a transaction.  A number that
 * is pending or held and has no record is a lost batch, the worst that a check
 * can find.  Ranges that were changed between two transactions are taken as
 * they are now.
 */
#include "spool_check_internal.h"
#include "spool_parts.h"
#include "spool_pending.h"
#include "spool_state.h"

#define SEQ_BYTES 8

struct walk {
    struct spool_check *check;
    MDB_dbi set;
    enum spool_check_kind kind;
    const char *name;
    uint64_t first; /* of the range that is being looked at */
    uint64_t from;  /* the seqs below have been looked at */

    /* of this transaction */
    MDB_txn *txn;
    MDB_cursor *ranges;
    struct spool_parts_reader records;
    uint64_t next_seq;
    uint64_t end;  /* of the ranges so far; 0: there was none */
    unsigned left; /* keys to look at */
};

static unsigned long long as_number(uint64_t value)
{
    return (unsigned long long)value;
}

static void find_range(struct walk *walk, struct spool_range range, const char *what)
{
    spool_check_find(walk->check, walk->kind, range.first, false, "the %s range of batches %llu to %llu %s", walk->name,
                     as_number(range.first), as_number(range.end - 1), what);
}

/* --- one range ------------------------------------------------------------- */

/* Batches first .. end - 1 are in the set: each has to be there.  Moves `from` as far as it comes. */
static int check_records(struct walk *walk, uint64_t end)
{
    uint8_t prefix[SEQ_BYTES];
    uint64_t seq;
    int rc;

    for (; walk->from < end && walk->left > 0; walk->left--) {
        spool_key_put_u64(prefix, walk->from);
        rc = spool_parts_seek(&walk->records, prefix);
        if (rc != 0 && rc != MDB_NOTFOUND)
            return rc;
        seq = rc == 0 ? spool_parts_seq(&walk->records) : end;
        if (seq > end)
            seq = end;
        if (seq > walk->from + 1)
            spool_check_find(walk->check, walk->kind, walk->from, false,
                             "batches %llu to %llu are %s, and are not there: lost", as_number(walk->from),
                             as_number(seq - 1), walk->name);
        else if (seq > walk->from)
            spool_check_find(walk->check, walk->kind, walk->from, false, "batch %llu is %s, and is not there: lost",
                             as_number(walk->from), walk->name);
        walk->from = seq < end ? seq + 1 : end;
    }
    return 0;
}

static int check_held_alone(struct walk *walk, struct spool_range range)
{
    struct spool_range other;
    int rc = spool_pending_find(walk->txn, walk->check->spool->pending, range.first, &other);

    if (rc == 0 && other.first < range.end)
        find_range(walk, range, "is pending too");
    if (range.end > walk->next_seq)
        find_range(walk, range, "is longer than the numbers that are given");
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int check_range(struct walk *walk, struct spool_range range)
{
    if (range.first == 0)
        find_range(walk, range, "begins with no number");
    if (walk->end != 0 && range.first <= walk->end)
        find_range(walk, range, "overlaps or touches the one before");
    if (walk->kind == SPOOL_CHECK_HELD)
        return check_held_alone(walk, range);
    if (range.end == SPOOL_SEQ_OPEN && range.first > walk->next_seq)
        find_range(walk, range, "begins behind the next number");
    if (range.end != SPOOL_SEQ_OPEN && range.end > walk->next_seq)
        find_range(walk, range, "is longer than the numbers that are given");
    return 0;
}

/* --- all ranges ------------------------------------------------------------- */

static int get_range(struct walk *walk, MDB_cursor_op op, uint64_t at, struct spool_range *range)
{
    uint8_t seq[SEQ_BYTES] = {0}; /* gcc, with a sanitizer, does not see that it is filled */
    MDB_val key = spool_val(seq, sizeof(seq)), value;
    int rc;

    spool_key_put_u64(seq, at);
    rc = mdb_cursor_get(walk->ranges, &key, &value, op);
    return rc == 0 ? spool_pending_decode(key, value, range) : rc;
}

/* The range at which the last transaction stopped; another one may hold its rest now. */
static int go_on(struct walk *walk, struct spool_range *range, bool *begun)
{
    struct spool_range now;
    int rc = get_range(walk, MDB_SET_RANGE, walk->first, range);

    *begun = rc == 0 && range->first == walk->first && walk->first > 0;
    if (*begun || walk->first == 0 || (rc != 0 && rc != MDB_NOTFOUND))
        return rc;
    rc = spool_pending_find(walk->txn, walk->set, walk->from, &now);
    return rc == 0 ? get_range(walk, MDB_SET, now.first, range) : rc;
}

/* The range under the cursor, as far as the keys of this transaction go. */
static int run_range(struct walk *walk, struct spool_range range, bool begun)
{
    int rc = begun ? 0 : check_range(walk, range);

    if (rc != 0)
        return rc;
    if (walk->end < range.end)
        walk->end = range.end;
    walk->first = range.first;
    if (walk->from < range.first)
        walk->from = range.first;
    return check_records(walk, range.end < walk->next_seq ? range.end : walk->next_seq);
}

static int run_ranges(struct walk *walk)
{
    struct spool_range range;
    bool begun;
    int rc = go_on(walk, &range, &begun);

    while (rc == 0) {
        if ((rc = run_range(walk, range, begun)) != 0 || walk->left == 0)
            return rc;
        begun = false;
        walk->left--;
        rc = get_range(walk, MDB_NEXT, 0, &range);
    }
    return rc;
}

static int run_step(struct walk *walk)
{
    struct spool_counters counters;
    const struct spool *spool = walk->check->spool;
    int rc = mdb_txn_begin(spool->env, NULL, MDB_RDONLY, &walk->txn);

    if (rc != 0)
        return rc;
    walk->end = 0;
    walk->left = SPOOL_CHECK_KEYS_MAX;
    if ((rc = spool_state_get_counters(walk->txn, spool, &counters)) == 0 &&
        (rc = mdb_cursor_open(walk->txn, walk->set, &walk->ranges)) == 0) {
        walk->next_seq = counters.next_seq;
        if ((rc = spool_parts_open(&walk->records, walk->txn, spool->records, SEQ_BYTES)) == 0) {
            rc = run_ranges(walk);
            spool_parts_close(&walk->records);
        }
        mdb_cursor_close(walk->ranges);
    }
    mdb_txn_abort(walk->txn);
    return rc;
}

static int run_set(struct walk *walk)
{
    int rc;

    while ((rc = run_step(walk)) == 0) {
    }
    if (rc == MDB_CORRUPTED) {
        spool_check_find(walk->check, walk->kind, 0, false, "a %s range is no range", walk->name);
        return 0;
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* What is acknowledged next must be pending: the last range is open. */
static int check_open_range(struct spool_check *check)
{
    struct spool_range range;
    MDB_txn *txn;
    int rc = mdb_txn_begin(check->spool->env, NULL, MDB_RDONLY, &txn);

    if (rc != 0)
        return rc;
    rc = spool_pending_find_before(txn, check->spool->pending, SPOOL_SEQ_OPEN - 1, &range);
    mdb_txn_abort(txn);
    if (rc == MDB_NOTFOUND || (rc == 0 && range.end != SPOOL_SEQ_OPEN))
        spool_check_find(check, SPOOL_CHECK_PENDING, 0, false,
                         "the last pending range is not open: batches that come would not be delivered");
    return rc == MDB_NOTFOUND || rc == MDB_CORRUPTED ? 0 : rc;
}

int spool_check_sets(struct spool_check *check)
{
    struct walk pending = {
        .check = check, .set = check->spool->pending, .kind = SPOOL_CHECK_PENDING, .name = "pending", .from = 1};
    struct walk held = {.check = check, .set = check->spool->held, .kind = SPOOL_CHECK_HELD, .name = "held", .from = 1};
    int rc = check_open_range(check);

    if (rc == 0)
        rc = run_set(&pending);
    return rc == 0 ? run_set(&held) : rc;
}
