/*
 * spool_pending.h - sets of sequence numbers as ranges: what is pending, and what is held.
 *
 * Inside the caller's transaction.  Key: the range's first seq, big-endian;
 * value: its end, exclusive, big-endian, and a
 * checksum of both (invariant 3 in spool_internal.h).
 */
#ifndef TRACESPOOL_SPOOL_PENDING_H
#define TRACESPOOL_SPOOL_PENDING_H

#include "spool_internal.h"

/* A range as it is stored; MDB_CORRUPTED when it is none. */
int spool_pending_decode(MDB_val key, MDB_val value, struct spool_range *range);

/* The range that holds `seq`, or else the next one after it; MDB_NOTFOUND when there is neither. */
int spool_pending_find(MDB_txn *txn, MDB_dbi pending, uint64_t seq, struct spool_range *range);

/* The last range that starts at or before `seq`, whether it holds it or not; MDB_NOTFOUND when there is none. */
int spool_pending_find_before(MDB_txn *txn, MDB_dbi pending, uint64_t seq, struct spool_range *range);

/* Whether `seq` is in a range. */
int spool_pending_holds(MDB_txn *txn, MDB_dbi pending, uint64_t seq, bool *holds);

/* A record's state: pending, held, or neither. */
int spool_pending_state(MDB_txn *txn, const struct spool *spool, uint64_t seq, enum spool_record_state *state);

/* Every range in order, until `visit` returns other than 0, which is then returned. */
int spool_pending_each(MDB_txn *txn, MDB_dbi pending, int (*visit)(void *context, struct spool_range range),
                       void *context);

/* Of a new spool: everything from `first` on. */
int spool_pending_create(MDB_txn *txn, MDB_dbi pending, uint64_t first);

/* Takes `gone` out of every range; what is not pending is passed over.  gone.end is not SPOOL_SEQ_OPEN. */
int spool_pending_subtract(MDB_txn *txn, MDB_dbi pending, struct spool_range gone);

/* Adds `more`, joined with the ranges that it touches or overlaps.  more.end is not SPOOL_SEQ_OPEN. */
int spool_pending_add(MDB_txn *txn, MDB_dbi pending, struct spool_range more);

#endif
