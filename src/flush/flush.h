/*
 * flush.h - the loop from the spool to the sink.
 *
 * K threads, each: claim pending records that nobody has, decode and cut
 * fragments, write them, park what is refused, subtract the records.  A batch
 * whose outcome is unknown is sent again, for ever; one that fails in a way
 * that nobody knows is taken apart after a while, so that one document does
 * not block the others.
 */
#ifndef TRACESPOOL_FLUSH_H
#define TRACESPOOL_FLUSH_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "sink.h"
#include "spool.h"
#include "spool_writer.h"

struct flusher;

/* Which of the pending records are claimed first. */
enum flush_order {
    FLUSH_OLDEST_FIRST,
    FLUSH_NEWEST_FIRST,
    FLUSH_BOTH, /* half of the threads, rounded up, newest first, the others oldest first; one thread by turns */
};

/* What may be changed while it runs. */
struct flush_settings {
    enum flush_order order;
    size_t batch_documents; /* fragments in one write, 1 .. SINK_MESSAGE_DOCUMENTS_MAX */
    uint64_t rate; /* spans a second over all threads, so that a MongoDB that comes back is not drowned; 0: any */
};

struct flush_options {
    struct flush_settings settings;
    unsigned threads;
    size_t max_request_bytes; /* bound on inflating one record */
    unsigned unknown_ms;      /* FLUSH_UNKNOWN_MS, but in tests */
};

int flusher_start(struct flusher **flusher, const struct flush_options *options, struct spool *spool,
                  struct spool_writer *writer, struct sink *sink, struct err *err);

/* From the next claim of each thread on.  Any thread. */
void flusher_configure(struct flusher *flusher, const struct flush_settings *settings);

/*
 * Ends backoffs and waits at once, lets a write in hand come to its end (the
 * sink's timeouts bound it), joins.  The writer must still run.  NULL is allowed.
 */
void flusher_stop(struct flusher *flusher);

#endif
