/*
 * h2_server.h - OTLP/gRPC: TraceService/Export over HTTP/2, and
 * grpc.health.v1.Health/Check.
 */
#ifndef TRACESPOOL_H2_SERVER_H
#define TRACESPOOL_H2_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "intake.h"
#include "net_quota.h"
#include "net_tokens.h"

struct h2_server;

struct h2_server_options {
    unsigned threads;
    size_t max_header_bytes;   /* of one call, as HTTP/2 counts: 32 more than the bytes of each field */
    unsigned read_timeout_ms;  /* for a call to come in whole, and for its answer to be taken */
    unsigned idle_timeout_ms;  /* a connection without a call is closed */
    struct net_quota *quota;   /* what each connection is given back to */
    struct net_tokens *tokens; /* NULL: calls need no credentials */
};

/* Starts the threads; `intake` must outlive it. -1: ERR_RETRY (memory, threads, descriptors). */
int h2_server_start(struct h2_server **server, const struct h2_server_options *options, struct intake *intake,
                    struct err *err);

/* net_listener's `accepted`; the context is the server. Any thread. */
void h2_server_accept(void *server, int fd);

/*
 * Tells every client to go (GOAWAY), lets the calls in hand be answered until
 * `deadline_ns` (monotonic), cuts what is left, joins the threads, frees.
 * What is with the spool's writer is always waited for.  No h2_server_accept
 * may come any more.  NULL is allowed.
 */
void h2_server_stop(struct h2_server *server, uint64_t deadline_ns);

#endif
