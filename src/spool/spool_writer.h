/*
 * spool_writer.h - the one thread that writes the spool: group commit.
 *
 * While one transaction syncs, callers queue the next group; a group is
 * written and synced as a whole.  An operation is durable when its caller is
 * told so, never before.
 */
#ifndef TRACESPOOL_SPOOL_WRITER_H
#define TRACESPOOL_SPOOL_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "slice.h"
#include "spool.h"

struct spool_writer;
struct tracing_live;

/*
 * One request to store.  The caller owns it and its payload, and leaves both
 * alone from spool_writer_put until `done` is called, exactly once, on the
 * writer's thread.  `done` must not block.
 */
struct spool_put {
    struct slice payload;
    uint64_t raw_bytes;
    uint64_t received_ns;
    uint32_t spans;
    uint8_t codec;
    void (*done)(struct spool_put *put, const struct err *failure); /* failure NULL: it is durable, seq is set */
    void *context;
    const struct tracing_live *trace; /* what its span is a child of; NULL, or not sampled: it has none */
    uint64_t seq;                     /* set before done */

    /* the writer's */
    uint64_t checksum;
    uint64_t queued_ns; /* monotonic, with a span only */
    struct spool_put *next;
};

/* `on_fatal` is called once on the writer's thread when durability is in doubt; it must not return (fail-stop). */
int spool_writer_start(struct spool_writer **writer, struct spool *spool, void (*on_fatal)(const struct err *err),
                       struct err *err);

/* Refuses new puts, commits what is queued, tells every caller, ends the thread, marks a clean stop. NULL is allowed. */
void spool_writer_stop(struct spool_writer *writer);

/*
 * Queues `put`; any thread; never blocks on the disk.  -1, and `done` is not
 * called: ERR_BUSY when the spool is full, the queue is at its bound, or the
 * writer is stopping; ERR_POISON with code EMSGSIZE when the payload could not
 * be stored in a spool of this size even if it were empty.
 */
int spool_writer_put(struct spool_writer *writer, struct spool_put *put, struct err *err);

/* Whether a put would be admitted now: a hint for refusing before a message is read.  Any thread. */
bool spool_writer_admits(struct spool_writer *writer);

/*
 * How long a sender that is refused now should stay away, for RetryInfo and
 * Retry-After: SPOOL_RETRY_MIN_MS to SPOOL_RETRY_MAX_MS.  While the spool is
 * full, until deliveries will probably have made the room at which it admits
 * again, by their rate of the last seconds; the longest while nothing is
 * delivered.  The shortest when the queue is full, which a few commits change;
 * when the writer is stopping, as the next one may be there soon; and while
 * everything is admitted.  Any thread; as cheap as spool_writer_admits.
 */
uint64_t spool_writer_retry_ms(struct spool_writer *writer);

/*
 * The records are delivered: subtracts them from `pending`.  Any thread;
 * returns when it is durable.  Seqs that are not pending are passed over.
 * -1: ERR_BUSY when the writer is stopping, or when not even the spool's
 * headroom has a page left (the same call may pass later).
 */
int spool_writer_delivered(struct spool_writer *writer, const uint64_t *seqs, size_t count, struct err *err);

/*
 * Stores each entry under its (seq, index), replacing one that is there; all of
 * them in as few transactions as their size allows.  As above; -1 also when
 * some are stored and some are not.  Payloads and texts are copied.  An entry
 * that is `whole` has no payload and says why its record, which stays where it
 * is and becomes held, cannot be delivered; when that is not pending any more,
 * it is passed over.
 */
int spool_writer_park(struct spool_writer *writer, const struct spool_parked *parked, size_t count, struct err *err);

/* Notes what the flusher knows of MongoDB.  As above. */
int spool_writer_note_delivery(struct spool_writer *writer, const struct spool_delivery *delivery, struct err *err);

/*
 * Waits until a record with seq >= `from` has been committed, `deadline_ns`
 * (monotonic) has passed, or spool_writer_wake was called.  Any thread.
 * Returns the next sequence number: records below it are readable.
 */
uint64_t spool_writer_wait(struct spool_writer *writer, uint64_t from, uint64_t deadline_ns);

/*
 * Moves when another process has changed what is pending, held or parked
 * (spool_edit.h); noticed within SPOOL_TICK_MS.  Any thread.
 */
uint64_t spool_writer_generation(struct spool_writer *writer);

/*
 * From now on `edited` is called, on the writer's thread, whenever that number
 * has moved.  It must not block, nor call the writer.  NULL: never again, and
 * when this returns no call is under way.  Any thread; one watcher at a time.
 */
void spool_writer_watch(struct spool_writer *writer, void (*edited)(void *context), void *context);

/* Ends every present spool_writer_wait, and with `forever` every later one at once.  Any thread. */
void spool_writer_wake(struct spool_writer *writer, bool forever);

#endif
