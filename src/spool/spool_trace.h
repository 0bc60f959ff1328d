/*
 * spool_trace.h - the span of a record on its way into the spool, from queued
 * to durable or refused (tracing.h).
 */
#ifndef TRACESPOOL_SPOOL_TRACE_H
#define TRACESPOOL_SPOOL_TRACE_H

#include "err.h"
#include "spool_writer.h"

/* What was committed together, as far as spans tell of it. */
struct spool_trace_group {
    uint64_t begun_ns; /* monotonic, when its transaction began; 0: nobody traces */
    uint64_t records;
    uint64_t bytes;
};

/* The caller's thread: it is about to be queued. */
void spool_trace_queue(struct spool_put *put);

/* The writer's thread, before the transaction. */
struct spool_trace_group spool_trace_group(const struct spool_put *puts);

/* The same, after it and before `done`.  `refusal` is looked at when the put has no seq. */
void spool_trace_told(const struct spool_put *put, const struct spool_trace_group *group, const struct err *refusal);

#endif
