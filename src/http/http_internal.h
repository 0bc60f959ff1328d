/*
 * http_internal.h - the bodies of server, worker, connection and call, for the
 * files of this folder.
 *
 * Invariants:
 * 1. A connection belongs to one worker, which is one daemon of
 *    libmicrohttpd with one thread; a call is touched by that thread only,
 *    but while another thread has it (STORING).
 * 2. A connection is in its worker's list, and counts against the quota, from
 *    before libmicrohttpd gets it to libmicrohttpd's word that it is closed.
 *    Both words, that it started and that it is closed, come while the
 *    descriptor is open: so under the worker's lock the descriptor of one that
 *    has started is.  One that never starts, since memory was short or the
 *    daemon was stopped, is closed without a word: it is given up after
 *    read_timeout, or when the worker stops.
 * 3. `storing` counts suspended connections; libmicrohttpd must not be stopped
 *    while there is one, so there is no new one once a worker waits for that.
 */
#ifndef TRACESPOOL_HTTP_INTERNAL_H
#define TRACESPOOL_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "http_server.h"
#include "intake_export.h"
#include "pulse.h"

#define HTTP_PATH "/v1/traces"

/* What a connection's client is to do next, which has its time. */
enum http_wait { HTTP_WAIT_FIRST, HTTP_WAIT_NEXT, HTTP_WAIT_REQUEST, HTTP_WAIT_NOTHING, HTTP_WAIT_TAKE };

struct http_worker {
    /* set once */
    struct http_server *server;
    struct MHD_Daemon *daemon;

    /* the daemon's thread */
    struct pulse pulse;
    struct intake_scratch scratch;

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t stored; /* storing fell */
    struct http_conn *conns;
    unsigned storing;
    bool stopping; /* `storing` only falls */
};

struct http_conn {
    struct http_worker *worker;
    int fd;

    /* under the worker's lock */
    bool is_started;
    enum http_wait wait;
    uint64_t since_ns;
    struct http_conn *prev;
    struct http_conn *next;
};

/* What the request's head said. */
struct http_request {
    enum intake_format format;
    enum otlp_codec codec;
    size_t content_length; /* SIZE_MAX: not said */
};

enum http_call_state {
    HTTP_CALL_READING, /* the body comes in */
    HTTP_CALL_REFUSED, /* the answer is made; the rest of the body is dropped */
    HTTP_CALL_STORING, /* another thread has it, the spool's writer in the end */
    HTTP_CALL_STORED,  /* and gave it back */
    HTTP_CALL_ANSWERED
};

struct http_call {
    struct intake_export export; /* another thread's while STORING */
    struct http_conn *conn;
    struct MHD_Connection *connection;
    _Atomic enum http_call_state state;
    struct http_request request;
    struct buf message;
    size_t dropped_bytes; /* of a refused body */
    uint64_t begun_ns;    /* monotonic; these two while tracing is on */
    struct tracing_context parent;
    int status; /* of a refusal that is HTTP's own; 0: the answer's */
    bool must_close;
};

struct http_server {
    /* set once */
    struct http_server_options options;
    struct intake *intake;
    pthread_t sweeper;
    unsigned worker_count;
    struct http_worker workers[RECEIVER_THREADS_MAX];

    atomic_uint next_worker;

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* stopping */
    bool stopping;
};

/* --- http_worker.c ----------------------------------------------------------- */

int http_worker_start(struct http_worker *worker, struct http_server *server, struct err *err);
void http_worker_accept(struct http_worker *worker, int fd);
void http_worker_stop(struct http_worker *worker);

/* The connection's client has something else to do from now on. */
void http_worker_wait(struct http_conn *conn, enum http_wait wait);

/* Closes the connections whose time is up. Any thread. */
void http_worker_sweep(struct http_worker *worker, uint64_t now_ns);

/* The writer gets the call (false: no more, the worker stops), or has given it back (on its thread: wakes the connection). */
bool http_worker_suspend(struct http_call *call);
void http_worker_resume(struct http_call *call);

/* --- http_call.c -------------------------------------------------------------- */

/* libmicrohttpd's: each step of a request, and its end. */
enum MHD_Result http_call_step(void *worker, struct MHD_Connection *connection, const char *path, const char *method,
                               const char *version, const char *body, size_t *body_len, void **call);
void http_call_end(void *worker, struct MHD_Connection *connection, void **call, enum MHD_RequestTerminationCode code);

/* --- http_request.c: pure ------------------------------------------------------ */

/*
 * What the head's fields mean; NULL: the field is not there.  0, or the HTTP
 * status that refuses it, with `answer` filled.
 */
int http_request_check(struct http_request *request, const char *path, const char *method, const char *content_type,
                       const char *content_encoding, const char *content_length, struct intake_answer *answer);

/* --- http_trace.c ------------------------------------------------------------ */

/* The Export's span: begun when its head is good, over with its answer or when its client is gone. */
void http_trace_begin(struct http_call *call);
void http_trace_end(struct http_call *call, bool is_answered);

/* --- http_reply.c --------------------------------------------------------------- */

/* The HTTP status of an answer. Pure. */
int http_reply_status(const struct intake_answer *answer);

/* Retry-After's seconds, rounded up: a client must not come too early. Pure. */
uint64_t http_reply_retry_s(uint64_t delay_ms);

/* Queues the call's answer, in the format of the request. MHD_NO: the connection is to be closed. */
enum MHD_Result http_reply_queue(struct http_call *call);

#endif
