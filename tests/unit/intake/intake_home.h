/*
 * intake_home.h - a real spool with its writer in a temporary directory, for
 * the tests of what is in front of it: requests to send, what came of them,
 * and a writer that can be held.
 *
 * Everything asserts; waits have a deadline.
 */
#ifndef INTAKE_HOME_H
#define INTAKE_HOME_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "spool.h"
#include "spool_writer.h"

#define HOME_TIMEOUT_MS 20000 /* for anything that must happen */
#define HOME_SPOOL_BYTES (256UL << 20)
#define HOME_TRACE_ID "0123456789abcdef"
#define HOME_SPAN_ID "01234567"

struct home {
    char path[64];
    struct spool *spool;
    struct spool_writer *writer;
};

/* A smaller spool fills sooner; history is kept. */
void home_open(struct home *home, uint64_t spool_bytes);
void home_close(struct home *home);

struct spool_stat home_stat(struct home *home);

/* The record `seq`, inflated into `out`; its payload is not kept. */
struct spool_record home_read(struct home *home, uint64_t seq, struct buf *out);

/* The same, and it must be these bytes. */
void home_assert_stored(struct home *home, uint64_t seq, struct slice request);

/* Appends a ResourceSpans with one span; `name` may be any bytes. */
void home_put_span(struct buf *out, const char *trace_id, const char *span_id, struct slice name);

/* A capture of tests/data/otlp, appended to `out`. */
void home_load(struct buf *out, const char *name);

/* Until `reached` is true. */
void home_wait(bool (*reached)(void *context), void *context);

/* Until no call is in hand, which is when nothing is held for one either. */
void home_wait_idle(void);

/* Until `calls` are in hand and hold `bytes` (SIZE_MAX: any). */
void home_wait_calls(uint64_t calls, uint64_t bytes);

/*
 * A put of the test's own whose `done` holds the writer's thread until it is
 * let go: calls stay with the writer.  One at a time; the block takes a record.
 */
struct home_block {
    struct spool_put put;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool reached;
    bool released;
};

void home_block_writer(struct home *home, struct home_block *block);
void home_release_writer(struct home_block *block); /* and waits until its thread has gone on */

#endif
