/*
 * spool_pending.c - finding and subtracting ranges.
 *
 * Runs in the writer's transactions, and the finding also in any reader's.
 * Delivery in order moves the start of the one open range; out of order it
 * leaves a range before a gap, which goes when the gap's front is delivered.
 * There are never more ranges than records in flight, so a subtraction is a
 * few steps in a tree of one page.
 */
#include "spool_pending.h"

#include <assert.h>

#include "spool_record.h"

#define SEQ_BYTES 8

static int decode(MDB_val key, MDB_val value, struct spool_range *range)
{
    if (key.mv_size != SEQ_BYTES || value.mv_size != SEQ_BYTES)
        return MDB_CORRUPTED;
    range->first = spool_key_get_u64(key.mv_data);
    range->end = spool_key_get_u64(value.mv_data);
    return range->first < range->end ? 0 : MDB_CORRUPTED;
}

static int put_range(MDB_txn *txn, MDB_dbi pending, struct spool_range range)
{
    uint8_t first[SEQ_BYTES] = {0}, end[SEQ_BYTES] = {0};
    MDB_val key = spool_val(first, sizeof(first)), value = spool_val(end, sizeof(end));

    assert(range.first > 0 && range.first < range.end);
    spool_key_put_u64(first, range.first);
    spool_key_put_u64(end, range.end);
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
    return rc == 0 ? decode(key, value, range) : rc;
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
        rc = decode(key, value, range);
out:
    mdb_cursor_close(cursor);
    return rc;
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
