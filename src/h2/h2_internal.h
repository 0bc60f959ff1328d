/*
 * h2_internal.h - the bodies of server, loop, connection and call, for the
 * files of this folder.
 *
 * Invariants:
 * 1. A connection belongs to one loop for its life, and so do its calls: they
 *    are touched by that loop's thread only, but for what is marked below.
 * 2. A call is in `waiting` from its headers to its end, except while another
 *    thread has it (STORING); the list is in the order of deadlines, since all
 *    of them are one timeout after the moment at which a call is put there.
 * 3. call->conn is NULL once the stream is gone.  Only a call that another
 *    thread has outlives its stream; it ends when it is given back.
 * 4. A connection reads only while nothing waits to be sent on it.  So what a
 *    client that does not read can make us keep is what one turn provokes.
 */
#ifndef TRACESPOOL_H2_INTERNAL_H
#define TRACESPOOL_H2_INTERNAL_H

#include <nghttp2/nghttp2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "h2_server.h"
#include "intake_export.h"
#include "pulse.h"

#define H2_PREFIX_BYTES 5 /* gRPC's: compressed flag, length */

enum h2_method { H2_METHOD_UNKNOWN, H2_METHOD_EXPORT, H2_METHOD_HEALTH };

enum h2_call_state {
    H2_CALL_HEADERS,   /* the request's fields are coming in */
    H2_CALL_READING,   /* the message is */
    H2_CALL_STORING,   /* another thread has it */
    H2_CALL_ANSWERING, /* the answer is on its way; what still comes in is dropped */
    H2_CALL_STATE_COUNT
};

/* What the request's fields said. */
struct h2_request {
    enum h2_method method;
    bool is_post;
    bool is_grpc;
    bool is_authorized;
    bool has_codec; /* the encoding is one of ours */
    enum otlp_codec codec;
    size_t header_bytes;
    char path[H2_SHOWN_MAX];       /* cut; for the answer to an unknown one */
    char encoding[H2_SHOWN_MAX];   /* likewise */
    struct tracing_context parent; /* by its traceparent, while tracing is on; not valid when it has several */
    bool has_parent;
};

struct h2_call {
    struct intake_export export; /* another thread's while STORING */
    struct h2_loop *loop;
    struct h2_conn *conn; /* invariant 3 */
    int32_t stream_id;
    enum h2_call_state state;
    struct h2_request request;
    uint64_t begun_ns; /* monotonic, while tracing is on */

    uint8_t prefix[H2_PREFIX_BYTES];
    size_t prefix_len;
    size_t message_len; /* as announced */
    struct buf message;
    size_t held; /* of the message, and counted by the intake */

    uint8_t *reply; /* of an OK: prefix and message */
    size_t reply_len;
    size_t reply_sent;

    uint64_t deadline_ns;
    bool is_waiting;
    struct h2_call *waiting_prev;
    struct h2_call *waiting_next;

    struct h2_call *conn_prev;
    struct h2_call *conn_next;

    struct h2_call *stored_next; /* under the loop's lock */
};

struct h2_conn {
    struct h2_loop *loop;
    int fd;
    nghttp2_session *session;
    struct buf out; /* gathered, and not taken by the socket yet */
    size_t out_sent;
    uint32_t events;       /* that epoll looks for */
    struct h2_call *calls; /* of its streams */
    uint64_t opened_ns;
    uint64_t idle_since_ns; /* no call since */
    bool has_greeted;       /* the client's preface and settings are here */
    bool lingers;           /* all is sent; what comes is dropped until the client closes */
    uint64_t linger_until_ns;
    uint64_t blocked_since_ns; /* the socket has not taken what is in `out`; 0: it has */
    bool is_touched;           /* has something to send when the turn is over */
    struct h2_conn *touched_next;
    struct h2_conn *prev;
    struct h2_conn *next; /* also in loop->arrived */
};

struct h2_loop {
    /* set once */
    struct h2_server *server;
    pthread_t thread;
    int epoll_fd;
    int wake_fd;

    /* the loop's thread */
    struct pulse pulse;
    struct intake_scratch scratch;
    uint8_t *in; /* H2_READ_BYTES */
    struct h2_conn *conns;
    struct h2_conn *touched;
    struct h2_call *waiting_first;
    struct h2_call *waiting_last;
    unsigned storing; /* calls that other threads have */
    bool said_goodbye;
    uint64_t swept_ns;

    /* under lock */
    pthread_mutex_t lock;
    struct h2_conn *arrived;
    struct h2_call *stored_first; /* what they have given back */
    struct h2_call *stored_last;
    bool stopping;
    uint64_t stop_ns; /* the deadline, when stopping */
};

struct h2_server {
    /* set once */
    struct h2_server_options options;
    struct intake *intake;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *session_options;
    unsigned loop_count;
    struct h2_loop loops[RECEIVER_THREADS_MAX];

    atomic_uint next_loop;
    atomic_uint calls; /* that exist, on all loops; at most H2_CALLS_FACTOR times max_calls */
};

/* --- h2_loop.c -------------------------------------------------------------- */

int h2_loop_start(struct h2_loop *loop, struct h2_server *server, struct err *err);
void h2_loop_add(struct h2_loop *loop, struct h2_conn *conn);    /* any thread */
void h2_loop_stored(struct h2_loop *loop, struct h2_call *call); /* any thread */
void h2_loop_stop(struct h2_loop *loop, uint64_t deadline_ns);   /* any thread; returns at once */
void h2_loop_join(struct h2_loop *loop);

/* The connection has something to send when this turn is over. */
void h2_loop_touch(struct h2_loop *loop, struct h2_conn *conn);

void h2_loop_wait(struct h2_loop *loop, struct h2_call *call); /* puts the call into `waiting`, or to its end again */
void h2_loop_unwait(struct h2_loop *loop, struct h2_call *call);

/* --- h2_conn.c -------------------------------------------------------------- */

struct h2_conn *h2_conn_new(struct h2_loop *loop, int fd); /* NULL: no memory; any thread */
int h2_conn_open(struct h2_conn *conn);                    /* on the loop's thread. -1: no memory */
void h2_conn_free(struct h2_conn *conn);                   /* closes it; its calls are over */

/* One event of epoll.  False: the connection is over, to be freed. */
bool h2_conn_step(struct h2_conn *conn, uint32_t events);
bool h2_conn_flush(struct h2_conn *conn);   /* sends what there is. False: as above */
void h2_conn_goodbye(struct h2_conn *conn); /* GOAWAY, and the end when its calls are answered; to be flushed */

/* --- h2_session.c ----------------------------------------------------------- */

/* nghttp2's callbacks, which bring streams to calls. NULL: no memory. */
nghttp2_session_callbacks *h2_session_callbacks(void);

/* --- h2_call.c -------------------------------------------------------------- */

struct h2_call *h2_call_new(struct h2_conn *conn, int32_t stream_id); /* NULL: no memory, or too many */
void h2_call_admit(struct h2_call *call);                             /* the fields are complete */
void h2_call_end_message(struct h2_call *call);                       /* nothing more will come */
void h2_call_step_stored(struct h2_call *call);                       /* it has been given back */
void h2_call_overdue(struct h2_call *call);                           /* its deadline has passed */
void h2_call_stream_gone(struct h2_call *call);                       /* may free it */

/* Answer it: as export.answer says, which is made and counted; as a failure of the Export; as the call's own fault. */
void h2_call_answer_export(struct h2_call *call);
void h2_call_refuse(struct h2_call *call, const struct err *failure);
void h2_call_refuse_as(struct h2_call *call, enum intake_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- h2_message.c ----------------------------------------------------------- */

/* A piece of what the client sends; dropped unless the call is READING. */
void h2_message_feed(struct h2_call *call, struct slice bytes);

/* --- h2_request.c: pure ----------------------------------------------------- */

/* One field of the request, in the order in which they come. */
void h2_request_take(struct h2_request *request, struct slice name, struct slice value, struct net_tokens *tokens);

/*
 * What is wrong with the fields: 0 when nothing is; else the HTTP status that
 * refuses what is no gRPC call at all, or 200 with `answer` filled.
 */
int h2_request_check(const struct h2_request *request, size_t max_header_bytes, struct intake_answer *answer);

/* --- h2_reply.c ------------------------------------------------------------- */

/* Queue the answer on the call's stream. `message`: of an OK. */
void h2_reply_ok(struct h2_call *call, struct slice message);
void h2_reply_failure(struct h2_call *call, const struct intake_answer *answer);
void h2_reply_http(struct h2_call *call, int status);

/* Percent-encodes a text for grpc-message. */
void h2_reply_put_message(struct buf *out, const char *text);

/* --- h2_trace.c ------------------------------------------------------------- */

/* The Export's span: begun when its fields are good, over with its answer (NULL: its client is gone). */
void h2_trace_begin(struct h2_call *call);
void h2_trace_end(struct h2_call *call, const struct intake_answer *answer);

/* --- h2_health.c: pure ------------------------------------------------------ */

/* HealthCheckRequest to HealthCheckResponse. -1 and `answer`: an unknown service, or no protobuf. */
int h2_health_check(struct slice request, bool serving, struct buf *response, struct intake_answer *answer);

#endif
