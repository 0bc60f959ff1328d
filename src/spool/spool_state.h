/*
 * spool_state.h - the small values under a name: format, id, counters, delivery.
 *
 * The counters are one value, written in every transaction that changes
 * anything, so they agree with the records whatever happens (invariant 5).
 */
#ifndef TRACESPOOL_SPOOL_STATE_H
#define TRACESPOOL_SPOOL_STATE_H

#include "spool_internal.h"
#include "spool_order.h"
#include "spool_record.h"

#define SPOOL_ID_BYTES 16

/* All are u64 on disk, in this order; new ones go to the end. */
struct spool_counters {
    uint64_t next_seq;
    uint64_t kept_records; /* pending, held and history */
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
    uint64_t generation; /* moves when somebody else than the daemon has written */
    uint64_t held_records;
    uint64_t held_spans;
    uint64_t dropped_records; /* see struct spool_stat */
    uint64_t dropped_spans;
    uint64_t removed_records;
    struct spool_pace pace;
    uint64_t delivered_records;
    struct spool_marks marks;
    struct spool_order order;
};

static inline struct spool_sums spool_counters_sums(const struct spool_counters *counters)
{
    return (struct spool_sums){counters->received_records, counters->received_spans, counters->delivered_records,
                               counters->delivered_spans};
}

/* Of a new spool: format, a random id, counters, nothing delivered; its first record will be `first_seq`. */
int spool_state_create(MDB_txn *txn, const struct spool *spool, uint64_t first_seq);

/* MDB_NOTFOUND when the environment is not a spool. */
int spool_state_get_format(MDB_txn *txn, MDB_dbi state, uint32_t *format);
int spool_state_put_format(MDB_txn *txn, MDB_dbi state); /* SPOOL_FORMAT_VERSION */

int spool_state_get_counters(MDB_txn *txn, const struct spool *spool, struct spool_counters *counters);
int spool_state_put_counters(MDB_txn *txn, const struct spool *spool, const struct spool_counters *counters);

/* The same as get, in a read transaction of its own. */
int spool_state_read_counters(const struct spool *spool, struct spool_counters *counters);

/*
 * A record whose first header is `head` leaves or enters a state.  A damaged
 * header has no numbers to subtract: sums are right again once nothing is left.
 */
void spool_counters_leave_pending(struct spool_counters *counters, const struct spool_part *head);
void spool_counters_enter_pending(struct spool_counters *counters, const struct spool_part *head);
void spool_counters_leave_held(struct spool_counters *counters, const struct spool_part *head);
void spool_counters_enter_held(struct spool_counters *counters, const struct spool_part *head);

/* All zero when nothing was noted yet. */
int spool_state_get_delivery(MDB_txn *txn, const struct spool *spool, struct spool_delivery *delivery);
int spool_state_put_delivery(MDB_txn *txn, const struct spool *spool, const struct spool_delivery *delivery);

#endif
