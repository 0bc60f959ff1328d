/*
 * spool_edit.c - replay, hold, release, remove: ranges of records, a bounded
 * number a transaction.
 *
 * One thread of a process that is not the daemon.  Each record is looked at on
 * its own, so a range may have holes, and what is in another state or was
 * received at another time is passed over.  A record of which nothing is
 * intact has no time and is found by its number only.
 */
#include "spool_edit.h"

#include "spool_edit_txn.h"
#include "spool_park.h"

#define SEQ_BYTES 8

static bool is_wanted(const struct spool_edit *edit, const struct spool_part *head, enum spool_record_state state)
{
    if (head->received_ns < edit->since_ns || (edit->until_ns != UINT64_MAX && head->received_ns >= edit->until_ns))
        return false;
    switch (edit->kind) {
    case SPOOL_EDIT_REPLAY:
        return state == SPOOL_DELIVERED;
    case SPOOL_EDIT_HOLD:
        return state == SPOOL_PENDING;
    case SPOOL_EDIT_RELEASE:
        return state == SPOOL_HELD;
    case SPOOL_EDIT_REMOVE:
        return (edit->states & SPOOL_EDIT_STATE(state)) != 0;
    }
    return false;
}

/* Removes the record's parked entries: all of them, or the one that stands for the record as a whole. */
static int remove_parked(struct spool_edit_txn *txn, uint64_t seq, bool whole_only, struct spool_edit_result *result)
{
    struct spool_parts_reader reader;
    uint8_t prefix[SPOOL_PARK_PREFIX_BYTES];
    uint32_t index = 0;
    bool more = true;
    int rc = spool_parts_open(&reader, txn->txn, txn->spool->parked, SPOOL_PARK_PREFIX_BYTES);

    if (rc != 0)
        return rc;
    while (more) {
        spool_park_encode_prefix(prefix, seq, index);
        if ((rc = spool_parts_seek(&reader, prefix)) != 0 || spool_parts_seq(&reader) != seq)
            break;
        index = spool_key_get_u32(reader.prefix + SEQ_BYTES);
        if (!whole_only || spool_park_is_whole(&reader)) {
            result->parked++;
            if (txn->writes)
                rc = spool_park_remove(txn->txn, txn->spool, seq, index, &txn->counters);
        }
        more = rc == 0 && index++ != UINT32_MAX;
    }
    spool_parts_close(&reader);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int change(struct spool_edit_txn *txn, const struct spool_edit *edit, const struct spool_part *head,
                  enum spool_record_state state)
{
    if (!txn->writes)
        return 0;
    switch (edit->kind) {
    case SPOOL_EDIT_HOLD:
        return spool_edit_move(txn, head, state, SPOOL_HELD);
    case SPOOL_EDIT_REPLAY:
    case SPOOL_EDIT_RELEASE:
        return spool_edit_move(txn, head, state, SPOOL_PENDING);
    case SPOOL_EDIT_REMOVE:
        return spool_edit_remove(txn, head, state);
    }
    return 0;
}

/* The record under the cursor. */
static int edit_one(struct spool_edit_txn *txn, const struct spool_edit *edit, uint64_t *seq,
                    struct spool_edit_result *result)
{
    enum spool_record_state state;
    struct spool_part head;
    bool damaged;
    int rc = spool_parts_head(&txn->records, &head, &damaged);

    if (rc == 0)
        rc = spool_edit_state(txn, head.seq, &state);
    if (rc != 0)
        return rc;
    *seq = head.seq;
    if (!is_wanted(edit, &head, state)) {
        result->passed++;
        return 0;
    }
    result->records++;
    result->spans += head.spans;
    result->stored_bytes += head.stored_bytes;
    rc = change(txn, edit, &head, state);
    if (rc == 0 && (edit->kind == SPOOL_EDIT_RELEASE || edit->kind == SPOOL_EDIT_REMOVE))
        rc = remove_parked(txn, head.seq, edit->kind == SPOOL_EDIT_RELEASE, result);
    return rc;
}

/* The first number from `from` on that may be meant. */
static uint64_t next_meant(const struct spool_edit *edit, uint64_t from)
{
    size_t low = 0, high = edit->only_count;

    if (edit->only == NULL)
        return from;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (edit->only[middle] < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low < edit->only_count ? edit->only[low] : SPOOL_SEQ_OPEN;
}

/* Whether the record under the cursor is one that is meant. */
static bool is_meant(const struct spool_edit *edit, uint64_t seq)
{
    return next_meant(edit, seq) == seq;
}

/* MDB_NOTFOUND when the range has come to its end. */
static int edit_some(struct spool_edit_txn *txn, const struct spool_edit *edit, uint64_t *from,
                     struct spool_edit_result *result)
{
    uint64_t end = edit->range.end < txn->counters.next_seq ? edit->range.end : txn->counters.next_seq, seq;
    uint8_t prefix[SEQ_BYTES];
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < SPOOL_EDIT_RECORDS_MAX; i++) {
        *from = next_meant(edit, *from);
        if (*from >= end)
            return MDB_NOTFOUND;
        spool_key_put_u64(prefix, *from);
        if ((rc = spool_parts_seek(&txn->records, prefix)) != 0)
            break;
        seq = spool_parts_seq(&txn->records);
        if (seq >= end)
            return MDB_NOTFOUND;
        if (is_meant(edit, seq))
            rc = edit_one(txn, edit, &seq, result);
        if (rc == 0)
            *from = seq + 1;
    }
    return rc;
}

int spool_edit_step(struct spool *spool, const struct spool_edit *edit, uint64_t *from,
                    struct spool_edit_result *result, struct err *err)
{
    struct spool_edit_result counted = *result;
    struct spool_edit_txn txn;
    uint64_t next = *from;
    bool done;
    int rc;

    if (spool_edit_begin(&txn, spool, edit->dry_run, 0, err) == -1)
        return -1;
    rc = edit_some(&txn, edit, &next, &counted);
    done = rc == MDB_NOTFOUND;
    if (spool_edit_end(&txn, done ? 0 : rc, err) == -1)
        return -1;
    *from = next;
    *result = counted;
    return done ? 0 : 1;
}

int spool_edit_ask(struct spool *spool, struct err *err)
{
    struct spool_edit_txn txn;

    if (spool_edit_begin(&txn, spool, false, 0, err) == -1)
        return -1;
    txn.changed = true;
    return spool_edit_end(&txn, 0, err);
}
