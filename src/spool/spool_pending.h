/*
 * spool_pending.h - ranges of sequence numbers that are not delivered.
 *
 * Inside the caller's transaction.  Key: the range's first seq, big-endian;
 * value: its end, exclusive, big-endian (invariant 3 in spool_internal.h).
 */
#ifndef TRACESPOOL_SPOOL_PENDING_H
#define TRACESPOOL_SPOOL_PENDING_H

#include "spool_internal.h"

struct spool_range {
    uint64_t first;
    uint64_t end; /* exclusive */
};

/* The range that holds `seq`, or else the next one after it; MDB_NOTFOUND when there is neither. */
int spool_pending_find(MDB_txn *txn, MDB_dbi pending, uint64_t seq, struct spool_range *range);

/* Of a new spool: everything from `first` on. */
int spool_pending_create(MDB_txn *txn, MDB_dbi pending, uint64_t first);

/* Takes `gone` out of every range; what is not pending is passed over.  gone.end is not SPOOL_SEQ_OPEN. */
int spool_pending_subtract(MDB_txn *txn, MDB_dbi pending, struct spool_range gone);

#endif
