/*
 * spool_pending.c - finding, subtracting and adding ranges.
 *
 * Runs in the writer's transactions, and the finding also in any reader's.
 * Delivery in order moves the start of the one open range; out of order it
 * leaves a range before a gap, which goes when the gap's front is delivered.
 * There are never more ranges than records in flight, so a subtraction is a
 * few steps in a tree of one page.
 */
#include "spool_pending.h"

#include <assert.h>

#include "checksum.h"
#include "spool_record.h"

#define SEQ_BYTES 8
#define RANGE_VALUE_BYTES 16

/*
 * A range is two numbers on which everything hangs, in a tree that has no
 * checksums: a bit that flips in one would make a pending record history, which
 * goes.  So the value has a checksum of both.
 */
static uint64_t checksum_of(struct spool_range range)
{
    uint8_t bytes[2 * SEQ_BYTES];

    spool_key_put_u64(bytes, range.first);
    spool_key_put_u64(bytes + SEQ_BYTES, range.end);
    return checksum_64(slice_of(bytes, sizeof(bytes)));
}

/* Format 1 had no checksum in the value. */
int spool_pending_decode(MDB_val key, MDB_val value, struct spool_range *range)
{
    const uint8_t *in = value.mv_data;

    if (key.mv_size != SEQ_BYTES || (value.mv_size != SEQ_BYTES && value.mv_size != RANGE_VALUE_BYTES))
        return MDB_CORRUPTED;
    range->first = spool_key_get_u64(key.mv_data);
    range->end = spool_key_get_u64(in);
    if (value.mv_size == RANGE_VALUE_BYTES && spool_key_get_u64(in + SEQ_BYTES) != checksum_of(*range))
        return MDB_CORRUPTED;
    return range->first < range->end ? 0 : MDB_CORRUPTED;
}

static int put_range(MDB_txn *txn, MDB_dbi pending, struct spool_range range)
{
    uint8_t first[SEQ_BYTES] = {0}, end[RANGE_VALUE_BYTES] = {0};
    MDB_val key = spool_val(first, sizeof(first)), value = spool_val(end, sizeof(end));

    assert(range.first > 0 && range.first < range.end);
    spool_key_put_u64(first, range.first);
    spool_key_put_u64(end, range.end);
    spool_key_put_u64(end + SEQ_BYTES, checksum_of(range));
    return mdb_put(txn, pending, &key, &value, 0);
}

static int delete_range(MDB_txn *txn, MDB_dbi pending, uint64_t first)
{
    uint8_t bytes[SEQ_BYTES] = {0};
    MDB_val key = spool_val(bytes, sizeof(bytes));

    spool_key_put_u64(bytes, first);
    return mdb_del(txn, pending, &key, NULL);
}

/* The last range that starts at or before `seq`. */
static int find_before(MDB_cursor *cursor, uint64_t seq, struct spool_range *range)
{
    uint8_t bytes[SEQ_BYTES] = {0};
    MDB_val key = spool_val(bytes, sizeof(bytes)), value;
    int rc;

    spool_key_put_u64(bytes, seq);
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    else if (rc == 0 && spool_key_get_u64(key.mv_data) != seq)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_PREV);
    return rc == 0 ? spool_pending_decode(key, value, range) : rc;
}

int spool_pending_find(MDB_txn *txn, MDB_dbi pending, uint64_t seq, struct spool_range *range)
{
    MDB_val key, value;
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, pending, &cursor);

    if (rc != 0)
        return rc;
    rc = find_before(cursor, seq, range);
    if (rc == MDB_NOTFOUND)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    else if (rc == 0 && range->end <= seq)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    else
        goto out;
    if (rc == 0)
        rc = spool_pending_decode(key, value, range);
out:
    mdb_cursor_close(cursor);
    return rc;
}

int spool_pending_find_before(MDB_txn *txn, MDB_dbi pending, uint64_t seq, struct spool_range *range)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, pending, &cursor);

    if (rc != 0)
        return rc;
    rc = find_before(cursor, seq, range);
    mdb_cursor_close(cursor);
    return rc;
}

int spool_pending_holds(MDB_txn *txn, MDB_dbi pending, uint64_t seq, bool *holds)
{
    struct spool_range range;
    int rc = spool_pending_find_before(txn, pending, seq, &range);

    *holds = rc == 0 && seq < range.end;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int spool_pending_state(MDB_txn *txn, const struct spool *spool, uint64_t seq, enum spool_record_state *state)
{
    bool pending, held = false;
    int rc = spool_pending_holds(txn, spool->pending, seq, &pending);

    if (rc == 0 && !pending)
        rc = spool_pending_holds(txn, spool->held, seq, &held);
    *state = pending ? SPOOL_PENDING : held ? SPOOL_HELD : SPOOL_DELIVERED;
    return rc;
}

int spool_pending_each(MDB_txn *txn, MDB_dbi pending, int (*visit)(void *context, struct spool_range range),
                       void *context)
{
    struct spool_range range;
    MDB_val key, value;
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, pending, &cursor);

    if (rc != 0)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        if ((rc = spool_pending_decode(key, value, &range)) != 0 || (rc = visit(context, range)) != 0)
            break;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int spool_pending_create(MDB_txn *txn, MDB_dbi pending, uint64_t first)
{
    return put_range(txn, pending, (struct spool_range){first, SPOOL_SEQ_OPEN});
}

int spool_pending_subtract(MDB_txn *txn, MDB_dbi pending, struct spool_range gone)
{
    struct spool_range range;
    int rc;

    assert(gone.first > 0 && gone.first < gone.end && gone.end != SPOOL_SEQ_OPEN);
    while ((rc = spool_pending_find(txn, pending, gone.first, &range)) == 0 && range.first < gone.end) {
        if ((rc = delete_range(txn, pending, range.first)) != 0)
            return rc;
        if (range.first < gone.first &&
            (rc = put_range(txn, pending, (struct spool_range){range.first, gone.first})) != 0)
            return rc;
        if (range.end > gone.end)
            return put_range(txn, pending, (struct spool_range){gone.end, range.end});
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int spool_pending_add(MDB_txn *txn, MDB_dbi pending, struct spool_range more)
{
    struct spool_range range;
    int rc;

    assert(more.first > 0 && more.first < more.end && more.end != SPOOL_SEQ_OPEN);
    /* The one that starts before it and touches it. */
    rc = spool_pending_find_before(txn, pending, more.first, &range);
    if (rc == 0 && range.end >= more.first) {
        if (range.end >= more.end)
            return 0;
        more.first = range.first;
    }
    /* Those that start within it or at its end. */
    while ((rc == 0 || rc == MDB_NOTFOUND) && (rc = spool_pending_find(txn, pending, more.first, &range)) == 0 &&
           range.first <= more.end) {
        if ((rc = delete_range(txn, pending, range.first)) != 0)
            return rc;
        if (range.end > more.end)
            more.end = range.end;
    }
    return rc == 0 || rc == MDB_NOTFOUND ? put_range(txn, pending, more) : rc;
}
