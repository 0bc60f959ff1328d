/*
 * receiver_internal.h - the body of struct receiver, for the files of this folder.
 *
 * Invariants:
 * 1. A call has at most one batch (or request) outstanding, so one event at a
 *    time, so one poller at a time works on it: its fields need no lock.
 * 2. `in_hand` counts the calls that were admitted and are not over.  A put is
 *    only ever made by a call in hand, so at in_hand 0 the writer owns nothing
 *    of ours.
 * 3. A call is in `reading` exactly while its message is being received, and
 *    its grpc_call lives at least as long.
 * 4. The queues are shut down only when gRPC core has told that the server is,
 *    and `calls` is 0: no operation is started on a queue after that.
 */
#ifndef TRACESPOOL_RECEIVER_INTERNAL_H
#define TRACESPOOL_RECEIVER_INTERNAL_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "receiver.h"
#include "receiver_message.h"

struct receiver_call;

struct receiver_poller {
    /* set once */
    struct receiver *receiver;
    grpc_completion_queue *queue;
    pthread_t thread;
    bool sweeps; /* one of the pollers looks for messages that do not come in */

    /* owned by the poller's thread */
    struct receiver_scratch scratch;
};

struct receiver {
    /* set once */
    grpc_server *server;
    void *export_method;
    struct spool_writer *writer;
    size_t max_request_bytes;
    int port;
    unsigned poller_count;
    struct receiver_poller pollers[RECEIVER_THREADS_MAX];

    pthread_mutex_t lock;
    pthread_cond_t changed; /* in_hand or calls fell to 0, or shut_down */

    /* under lock */
    bool stopping;
    bool shut_down; /* gRPC core is done with every connection */
    size_t calls;   /* every struct receiver_call there is, the requested ones included */
    unsigned next_poller;
    size_t in_hand;
    size_t in_hand_bytes;
    struct receiver_call *reading_first; /* longest first */
    struct receiver_call *reading_last;
};

/*
 * A call is about to be requested from gRPC core.  Returns the poller that is
 * to work on it: the calls of one connection are all announced to one poller,
 * so the work on them is dealt out.
 */
struct receiver_poller *receiver_expect(struct receiver *receiver);

/*
 * Takes a call in hand, to be read: counts it and puts it into `reading`.
 * -1: ERR_BUSY, and it is not in hand.  Any poller.
 */
int receiver_enter(struct receiver *receiver, struct receiver_call *call, struct err *err);

/* The message of `call` is here, or will not come.  It now counts as `bytes`. */
void receiver_note_read(struct receiver *receiver, struct receiver_call *call, size_t bytes);

/* The same call now holds that many bytes. */
void receiver_note_bytes(struct receiver *receiver, struct receiver_call *call, size_t bytes);

/* The call is over, admitted or not. */
void receiver_leave(struct receiver *receiver, struct receiver_call *call);

/* Cancels the calls whose message does not come in (RECEIVER_READ_TIMEOUT_MS). */
void receiver_cancel_overdue(struct receiver *receiver);

#endif
