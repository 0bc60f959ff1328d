/*
 * tracing_ring.h - spans that wait to be exported: TRACING_RING_SPANS of them.
 *
 * The process has one.  Any thread puts; one takes.
 */
#ifndef TRACESPOOL_TRACING_RING_H
#define TRACESPOOL_TRACING_RING_H

#include <stdbool.h>

#include "err.h"
#include "tracing.h"

/* -1: ERR_BUSY, no memory. */
int tracing_ring_open(struct err *err);

/* What is in it is dropped and counted, and so is what is put later.  Closed already is allowed. */
void tracing_ring_close(void);

/* A copy; dropped and counted when the ring is full. */
void tracing_ring_put(const struct tracing_span *span);

/* Waits until a batch is there, `deadline_ns` (monotonic) has passed, or tracing_ring_wake was called. */
void tracing_ring_wait(uint64_t deadline_ns);

/* Ends every wait from now on at once. */
void tracing_ring_wake(void);

/* The oldest, up to TRACING_BATCH_SPANS of them.  Returns their number. */
size_t tracing_ring_take(struct tracing_span spans[TRACING_BATCH_SPANS]);

#endif
