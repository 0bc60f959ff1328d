/*
 * ingest_connection.h - one HTTP/2 connection with gRPC calls on it.
 */
#ifndef TRACESPOOL_INGEST_CONNECTION_H
#define TRACESPOOL_INGEST_CONNECTION_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "ingest_out.h"
#include "ingest_pool.h"
#include "ingest_reply.h"

struct ingest_call {
    struct ingest_call *next; /* while it is idle */
    struct ingest_request *request;
    size_t sent; /* bytes of its frame that are in the connection's `out` or written */
    uint64_t due_ns;
    struct ingest_reply reply;
};

/* A call has ended.  It is the connection's again afterwards. */
typedef void ingest_ended(void *context, const struct ingest_call *call, enum ingest_verdict verdict);

struct ingest_connection {
    int fd;
    const char *authority;
    nghttp2_session *session;
    uint64_t random;
    ingest_ended *ended;
    void *context;

    struct ingest_call *calls;
    struct ingest_call *idle;
    unsigned in_flight;
    struct ingest_request **ready; /* a ring of requests that are in no call; the one that rested longest comes next */
    unsigned ready_size;
    unsigned ready_first;
    unsigned ready_count;

    struct err going_away; /* ERR_NONE: the server has not said so */
    struct ingest_out out;
};

/*
 * Connects to `target`, HOST:PORT, which stays the caller's, and greets.  Every
 * `every`-th request of the pool from `first` on is this connection's, and
 * there must be `calls` of them at least.  0, or -1 with nothing to close.
 */
int ingest_connection_open(struct ingest_connection *connection, const char *target, unsigned calls,
                           const struct ingest_pool *pool, unsigned first, unsigned every, uint64_t seed,
                           struct err *err);
void ingest_connection_close(struct ingest_connection *connection);

/*
 * Whether a call may be begun: not all are in flight, and nothing waits to be
 * written.  The latter keeps a request from being renewed while a part of it,
 * of a call that ended early, is still in `out`.
 */
bool ingest_connection_takes(const struct ingest_connection *connection);

/* Begins a call with ids that were not sent before. */
int ingest_connection_call(struct ingest_connection *connection, uint64_t due_ns, struct err *err);

/* As much as the socket takes, or has.  -1: the connection is of no use any more, which no server has a reason for. */
int ingest_connection_write(struct ingest_connection *connection, struct err *err);
int ingest_connection_read(struct ingest_connection *connection, struct err *err);

#endif
