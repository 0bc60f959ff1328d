/*
 * spool_state.h - the small values under a name: format, id, counters, delivery.
 *
 * The counters are one value, written in every transaction that changes
 * anything, so they agree with the records whatever happens (invariant 5).
 */
#ifndef TRACESPOOL_SPOOL_STATE_H
#define TRACESPOOL_SPOOL_STATE_H

#include "spool_internal.h"

#define SPOOL_ID_BYTES 16

/* All are u64 on disk, in this order; new ones go to the end. */
struct spool_counters {
    uint64_t next_seq;
    uint64_t held_records; /* pending and history */
    uint64_t pending_records;
    uint64_t pending_spans;
    uint64_t pending_bytes;
    uint64_t parked_entries;
    uint64_t received_records;
    uint64_t received_spans;
    uint64_t delivered_spans;
    uint64_t evicted_records;
    uint64_t refusing;   /* 0 or 1 */
    uint64_t clean;      /* 1 after a clean stop, until the next writer starts */
    uint64_t size_bytes; /* of the spool, for those who only read */
};

/* Of a new spool: format, a random id, counters, nothing delivered. */
int spool_state_create(MDB_txn *txn, const struct spool *spool);

/* MDB_NOTFOUND when the environment is not a spool. */
int spool_state_get_format(MDB_txn *txn, MDB_dbi state, uint32_t *format);

int spool_state_get_counters(MDB_txn *txn, const struct spool *spool, struct spool_counters *counters);
int spool_state_put_counters(MDB_txn *txn, const struct spool *spool, const struct spool_counters *counters);

/* All zero when nothing was noted yet. */
int spool_state_get_delivery(MDB_txn *txn, const struct spool *spool, struct spool_delivery *delivery);
int spool_state_put_delivery(MDB_txn *txn, const struct spool *spool, const struct spool_delivery *delivery);

#endif
