/*
 * receiver.h - both OTLP endpoints, gRPC and HTTP, in front of the spool.
 */
#ifndef TRACESPOOL_RECEIVER_H
#define TRACESPOOL_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "intake.h"
#include "net_tls.h"
#include "spool_writer.h"

struct receiver;

struct receiver_options {
    const char *grpc;               /* "host:port", "[v6]:port" (port 0 picks a free one), "unix:/path"; "": none */
    const char *http;               /* the same */
    struct net_tls_options tls;     /* cert_file "" or NULL: no TLS */
    const char *bearer_tokens_file; /* "" or NULL: no credentials */
    unsigned threads;               /* of each endpoint */
    struct intake_options intake;
    unsigned max_connections; /* of both endpoints together */
    size_t max_header_bytes;
    unsigned read_timeout_ms;
    unsigned idle_timeout_ms;
};

/*
 * Listens and answers until receiver_stop; texts are not kept, `writer` must
 * outlive it.  -1: ERR_CONFIG (address in use, a file that cannot be read),
 * ERR_RETRY (memory, threads).
 */
int receiver_start(struct receiver **receiver, const struct receiver_options *options, struct spool_writer *writer,
                   struct err *err);

/* The bound ports; 0: a path, or no such endpoint. */
int receiver_grpc_port(const struct receiver *receiver);
int receiver_http_port(const struct receiver *receiver);

/* Whether an Export would be admitted now.  Any thread. */
bool receiver_is_open(struct receiver *receiver);

/*
 * Reads certificates and tokens again, all of them or those whose files have
 * changed, and logs what came of it; what cannot be read stays as it was.
 * Connections go on.  One thread.
 */
void receiver_reload(struct receiver *receiver, bool only_changed);

/*
 * Answers new calls UNAVAILABLE, waits for those in hand up to `timeout_ms`,
 * cuts the rest, frees.  The writer must still run.  NULL is allowed.
 */
void receiver_stop(struct receiver *receiver, unsigned timeout_ms);

#endif
