/*
 * receiver.h - the OTLP/gRPC endpoint: TraceService/Export into the spool.
 */
#ifndef TRACESPOOL_RECEIVER_H
#define TRACESPOOL_RECEIVER_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "spool_writer.h"

struct receiver;

struct receiver_options {
    const char *listen;       /* "host:port", "[::]:port"; port 0 picks a free one */
    unsigned threads;         /* pollers */
    size_t max_request_bytes; /* before and after inflating */
};

/* Listens and answers until receiver_stop.  -1: ERR_CONFIG (address in use, malformed), ERR_RETRY (memory, threads). */
int receiver_start(struct receiver **receiver, const struct receiver_options *options, struct spool_writer *writer,
                   struct err *err);

/* The bound port. */
int receiver_port(const struct receiver *receiver);

/*
 * Stops listening, answers new calls UNAVAILABLE, waits for those in hand up
 * to `timeout_ms`, cancels the rest, joins the pollers, frees.  The writer
 * must still run.  NULL is allowed.  Main's thread.
 */
void receiver_stop(struct receiver *receiver, unsigned timeout_ms);

#endif
