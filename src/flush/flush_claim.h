/*
 * flush_claim.h - which records are in whose hands.
 *
 * A claim is one range of sequence numbers a thread.  No two overlap, so no
 * record is delivered by two threads at a time.  A thread's next claim looks
 * from the end of the spool that it is for again, so records that an operator
 * makes pending again are found whatever their numbers.
 */
#ifndef TRACESPOOL_FLUSH_CLAIM_H
#define TRACESPOOL_FLUSH_CLAIM_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "flush.h"
#include "spool.h"

struct flush_claims {
    unsigned threads; /* set once: among so many what is pending is shared out */
    pthread_mutex_t lock;
    struct spool_range ranges[FLUSH_THREADS_MAX]; /* under lock; one a thread, empty when it has nothing in hand */
};

void flush_claim_init(struct flush_claims *claims, unsigned threads);
void flush_claim_fini(struct flush_claims *claims);

/* From which end thread number `thread` of `threads` takes its claim number `turn`.  Pure. */
enum spool_end flush_claim_end(enum flush_order order, unsigned thread, unsigned threads, uint64_t turn);

/*
 * Takes pending records from `end` for `thread`, which has nothing in hand:
 * all from the first to the last of what is returned, seqs ascending, are its
 * own until flush_claim_leave.  `records` takes FLUSH_RECORDS_MAX; payloads are
 * in `arena`.  *count 0, and no claim, when there is nothing to take.  Any
 * thread.  -1, and no claim: as spool_read_pending.
 */
int flush_claim_take(struct flush_claims *claims, unsigned thread, enum spool_end end, struct spool *spool,
                     struct arena *arena, struct spool_record *records, size_t *count, struct err *err);

/* What the thread had in hand is delivered, or is anybody's again. */
void flush_claim_leave(struct flush_claims *claims, unsigned thread);

#endif
