/*
 * spool_evict.h - removing delivered records, the oldest first.  Inside the writer's transaction.
 */
#ifndef TRACESPOOL_SPOOL_EVICT_H
#define TRACESPOOL_SPOOL_EVICT_H

#include "spool_internal.h"
#include "spool_state.h"

/* The oldest delivered record; MDB_NOTFOUND when there is none. */
int spool_evict_find(MDB_txn *txn, const struct spool *spool, uint64_t *seq, uint64_t *received_ns);

/* Removes a record that is not pending. */
int spool_evict_remove(MDB_txn *txn, const struct spool *spool, uint64_t seq, struct spool_counters *counters);

#endif
