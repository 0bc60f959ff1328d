/*
 * flush_internal.h - the flusher's body, for src/flush only.
 *
 * Invariants:
 * 1. A pending record is in the hands of at most one thread: what a thread
 *    writes lies in its claim, and claims do not overlap.
 * 2. A record is subtracted from `pending` only after every one of its
 *    fragments was stored, stored before, or parked durably.
 */
#ifndef TRACESPOOL_FLUSH_INTERNAL_H
#define TRACESPOOL_FLUSH_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "flush.h"
#include "flush_batch.h"
#include "flush_claim.h"
#include "flush_pace.h"
#include "pulse.h"

struct flush_thread {
    /* set once */
    struct flusher *flusher;
    unsigned number; /* 0 .. options.threads - 1 */
    pthread_t id;

    /* owned by the thread */
    struct pulse pulse;
    struct sink_session *session; /* NULL until it could be opened */
    struct arena claim_arena;     /* payloads of the claimed records */
    struct spool_record claimed[FLUSH_RECORDS_MAX];
    size_t claimed_count;
    uint64_t claims;     /* made so far */
    uint64_t generation; /* the spool's, when the claim was made */
    uint64_t asks;       /* the flusher's, right after */
    uint64_t chances;    /* the flusher's, when what may fail was begun, but for its own successes */
    struct flush_batch batch;
    struct flush_settings settings; /* since the claim was made */
    struct sink_verdict *verdicts;  /* at least settings.batch_documents of them */
    size_t verdict_capacity;
    size_t write_documents;    /* in one write: fewer than settings.batch_documents after an overload */
    uint64_t attempts;         /* failed writes in a row */
    uint64_t unknown_since_ns; /* monotonic: they fail since then, in a way that nobody knows; 0: they do not */
    uint64_t random;           /* state of the jitter's generator */
};

struct flusher {
    /* set once */
    struct flush_options options;
    struct spool *spool;
    struct spool_writer *writer;
    struct sink *sink;
    struct flush_thread *threads;
    unsigned started; /* threads that run */

    struct flush_claims claims; /* has its own lock */

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* stopping, or one of the next two grew: ends a backoff */
    bool stopping;
    struct flush_settings settings;
    uint64_t asks;    /* an operator has changed the spool, or asks for a try */
    uint64_t chances; /* reasons to try again at once: a success, or the sink's word */
    struct flush_pace pace;
    struct spool_delivery delivery;
    uint64_t noted_ns; /* monotonic, when delivery was last written to the spool */
    bool note_owed;    /* it has failed again since then */
};

/* --- flush_state.c: what is known of the sink ------------------------------ */

bool flush_stopping(struct flusher *flusher);

/* For /metrics. */
void flush_show_state(enum spool_delivery_state state);

/* What may fail is begun: a reason to try again that comes from here on ends the wait after it. */
void flush_note_attempt(struct flush_thread *thread);

/* The thread's write was answered: whoever backs off may try at once. */
void flush_note_success(struct flush_thread *thread);

/* The sink's word: that writes may pass again, the same; or that none would.  The sink's thread; `context` is the flusher. */
void flush_note_told(void *context, bool passable);

/* Writes what is owed of that, if anything is: before a thread waits for work. */
void flush_pay_note(struct flusher *flusher);

/* An operator has changed the spool, or asks for a try: whoever backs off does it.  The writer's thread. */
void flush_note_edited(void *context);

/* How often that was. */
uint64_t flush_asks(struct flusher *flusher);

/* Waits until `spans` more may be sent by the rate.  False when stopping, or when the claim is to be given up. */
bool flush_wait_for_rate(struct flush_thread *thread, uint64_t spans);

/*
 * Something failed and is to be done again: waits, longer each time in a row,
 * until then, a reason to try at once (which an overload does not take for
 * one), an operator's wish, or stopping.  False when stopping.
 */
bool flush_back_off(struct flush_thread *thread, const struct err *failure);

/*
 * The same for what a thread does with its claim, and false also when the
 * claim is to be given up: an operator has changed the spool since it was
 * made, and may have held or removed records of it.
 */
bool flush_try_again(struct flush_thread *thread, const struct err *failure);

/*
 * The spool has no page for a note just now, of which MongoDB is not to blame:
 * waits, longer with each of `attempts`, which begin at 1.  False when stopping.
 */
bool flush_wait_for_spool(struct flush_thread *thread, uint64_t attempts);

/* --- flush_write.c --------------------------------------------------------- */

/*
 * At most settings.batch_documents fragments, until each has its verdict in
 * thread->verdicts, however long it takes.  -1: the claim is given up.
 */
int flush_write(struct flush_thread *thread, const struct otlp_fragment *fragments, size_t count, struct err *err);

/* --- flush_trace.c: the span of one write (tracing.h) ----------------------- */

void flush_trace_begin(struct tracing_live *live);

/* `failure` NULL: `verdicts` are filled. */
void flush_trace_end(struct flush_thread *thread, const struct tracing_live *live,
                     const struct otlp_fragment *fragments, size_t count, const struct sink_verdict *verdicts,
                     const struct err *failure);

/* --- flush_refused.c ------------------------------------------------------- */

struct flush_refusal {
    const struct otlp_fragment *fragment;
    uint64_t seq; /* of the record that it came from */
    struct sink_verdict verdict;
};

/* Counts it; true when it is SINK_REFUSED. */
bool flush_count_verdict(const struct otlp_fragment *fragment, const struct sink_verdict *verdict);

/* Writes the spans of what was refused one by one, and parks those that are refused alone.  -1 as flush_deliver. */
int flush_refused(struct flush_thread *thread, const struct flush_refusal *refused, size_t count, struct err *err);

/* --- flush_deliver.c ------------------------------------------------------- */

/*
 * Writes every fragment of the thread's batch, parks what is refused, and
 * subtracts the batch's records.  Writes are repeated for as long as it takes.
 * -1: the batch is to be delivered again from its start, which is harmless
 * (out of memory, the writer or the flusher is stopping), unless the claim is
 * to be given up, which flush_try_again tells.
 */
int flush_deliver(struct flush_thread *thread, struct err *err);

/* Parks a whole record that cannot be made into fragments: it becomes held, so its bytes stay.  -1 as above. */
int flush_park_record(struct flush_thread *thread, const struct spool_record *record, const struct err *why,
                      struct err *err);

#endif
