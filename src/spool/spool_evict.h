/*
 * spool_evict.h - removing delivered records, the oldest first.  Inside the writer's transaction.
 */
#ifndef TRACESPOOL_SPOOL_EVICT_H
#define TRACESPOOL_SPOOL_EVICT_H

#include "spool_internal.h"
#include "spool_state.h"

/* The oldest delivered record; MDB_NOTFOUND when there is none. */
int spool_evict_find(MDB_txn *txn, const struct spool *spool, uint64_t *seq, uint64_t *received_ns);

/* Removes a record that is neither pending nor held. */
int spool_evict_remove(MDB_txn *txn, const struct spool *spool, uint64_t seq, struct spool_counters *counters);

/* Removes a record whatever its state was, which the caller has taken out of the ranges. */
int spool_evict_record(MDB_txn *txn, const struct spool *spool, uint64_t seq, struct spool_counters *counters);

/*
 * Removes the oldest history until `pages` more would be within `limit_pages`.
 * MDB_NOTFOUND when there is not enough; what was removed stays removed.
 */
int spool_evict_until(MDB_txn *txn, const struct spool *spool, uint64_t limit_pages, uint64_t pages,
                      struct spool_counters *counters, bool *changed);

/* The same with the oldest records that are pending: they are lost, and counted as dropped. */
int spool_evict_drop_until(MDB_txn *txn, const struct spool *spool, uint64_t limit_pages, uint64_t pages,
                           struct spool_counters *counters, bool *changed);

#endif
