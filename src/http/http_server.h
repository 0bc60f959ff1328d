/*
 * http_server.h - OTLP/HTTP: POST /v1/traces, as protobuf or JSON.
 */
#ifndef TRACESPOOL_HTTP_SERVER_H
#define TRACESPOOL_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "intake.h"
#include "net_quota.h"
#include "net_tokens.h"

struct http_server;

struct http_server_options {
    unsigned threads;
    size_t max_header_bytes;   /* of one request */
    unsigned read_timeout_ms;  /* for a request to come in whole, and for its answer to be taken */
    unsigned idle_timeout_ms;  /* a connection without a request is closed */
    unsigned max_connections;  /* the quota's */
    struct net_quota *quota;   /* what each connection is given back to */
    struct net_tokens *tokens; /* NULL: requests need no credentials */
};

/* Starts the threads; `intake` must outlive it. -1: ERR_RETRY (memory, threads, descriptors). */
int http_server_start(struct http_server **server, const struct http_server_options *options, struct intake *intake,
                      struct err *err);

/* net_listener's `accepted`; the context is the server. Any thread. */
void http_server_accept(void *server, int fd);

/*
 * Ends every connection, joins the threads, frees.  What is with the spool's
 * writer is waited for; other requests are cut, so wait for the intake to be
 * idle before.  No http_server_accept may come any more.  NULL is allowed.
 */
void http_server_stop(struct http_server *server);

#endif
