/*
 * receiver.c - the server: start, pollers, stop.
 *
 * Main's thread starts and stops; each poller waits on a completion queue of
 * its own and hands every event to the call that it belongs to
 * (receiver_call.c).  Nothing here is fatal: a port that cannot be had is
 * ERR_CONFIG at start.
 *
 * Stop has two steps.  First the server stays up, calls in hand are finished
 * and new ones are told to come back later (with RetryInfo, which a closed
 * port could not give).  Then gRPC core shuts down; what is left at the
 * timeout is cancelled.  A request that is with the spool writer is always
 * waited for, since the writer has its memory.
 */
#include "receiver.h"

#include <assert.h>
#include <errno.h>
#include <grpc/support/time.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "receiver_call.h"
#include "receiver_server.h"

#define SWEEP_MS 1000
#define GIVE_UP_MS 1000 /* for a server that never had a connection */

/* --- pollers ---------------------------------------------------------------- */

static void note_shut_down(struct receiver *receiver)
{
    pthread_mutex_lock(&receiver->lock);
    receiver->shut_down = true;
    pthread_cond_broadcast(&receiver->changed);
    pthread_mutex_unlock(&receiver->lock);
}

static gpr_timespec next_wake(const struct receiver_poller *poller)
{
    if (!poller->sweeps)
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(SWEEP_MS, GPR_TIMESPAN));
}

static void *poll_queue(void *context)
{
    struct receiver_poller *poller = context;
    struct receiver *receiver = poller->receiver;
    uint64_t swept_ns = clock_mono_ns();

    for (;;) {
        grpc_event event = grpc_completion_queue_next(poller->queue, next_wake(poller), NULL);

        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        if (event.type == GRPC_OP_COMPLETE && event.tag == receiver)
            note_shut_down(receiver);
        else if (event.type == GRPC_OP_COMPLETE)
            receiver_call_step(event.tag, poller, event.success != 0);
        if (poller->sweeps && clock_mono_ns() - swept_ns >= SWEEP_MS * NS_PER_MS) {
            receiver_cancel_overdue(receiver);
            swept_ns = clock_mono_ns();
        }
    }
}

/* --- stop ------------------------------------------------------------------- */

static bool wait_until(struct receiver *receiver, bool (*reached)(const struct receiver *receiver),
                       uint64_t deadline_ns)
{
    struct timespec deadline = clock_timespec(deadline_ns);
    int rc = 0;

    while (!reached(receiver) && rc == 0)
        rc = pthread_cond_timedwait(&receiver->changed, &receiver->lock, &deadline);
    return reached(receiver);
}

static bool is_idle(const struct receiver *receiver)
{
    return receiver->in_hand == 0;
}

/* gRPC core may tell before our calls are over: a call outlives its connection while the writer has its request. */
static bool is_over(const struct receiver *receiver)
{
    return receiver->shut_down && receiver->calls == 0;
}

/* Returns when no connection, no call and no put of ours is left. */
static void shut_down_server(struct receiver *receiver, uint64_t deadline_ns)
{
    bool over;

    pthread_mutex_lock(&receiver->lock);
    receiver->stopping = true;
    wait_until(receiver, is_idle, deadline_ns);
    pthread_mutex_unlock(&receiver->lock);

    grpc_server_shutdown_and_notify(receiver->server, receiver->pollers[0].queue, receiver);
    pthread_mutex_lock(&receiver->lock);
    over = wait_until(receiver, is_over, deadline_ns);
    pthread_mutex_unlock(&receiver->lock);
    if (over)
        return;
    log_warn("receiver.stop_timeout", "cancelling the calls that are not finished");
    grpc_server_cancel_all_calls(receiver->server);
    pthread_mutex_lock(&receiver->lock);
    while (!is_over(receiver))
        pthread_cond_wait(&receiver->changed, &receiver->lock);
    pthread_mutex_unlock(&receiver->lock);
}

/* The server is over, or was never started; `running` pollers have threads, which end here. */
static void free_receiver(struct receiver *receiver, unsigned running)
{
    grpc_server_destroy(receiver->server);
    for (unsigned i = 0; i < receiver->poller_count; i++)
        grpc_completion_queue_shutdown(receiver->pollers[i].queue);
    for (unsigned i = 0; i < receiver->poller_count; i++) {
        struct receiver_poller *poller = &receiver->pollers[i];

        if (i < running)
            pthread_join(poller->thread, NULL);
        else
            poll_queue(poller); /* nothing is in it: it only ends */
        grpc_completion_queue_destroy(poller->queue);
        receiver_scratch_fini(&poller->scratch);
    }
    pthread_cond_destroy(&receiver->changed);
    pthread_mutex_destroy(&receiver->lock);
    free(receiver);
}

void receiver_stop(struct receiver *receiver, unsigned timeout_ms)
{
    if (receiver == NULL)
        return;
    shut_down_server(receiver, clock_mono_ns() + timeout_ms * NS_PER_MS);
    free_receiver(receiver, receiver->poller_count);
}

/* --- start ------------------------------------------------------------------ */

static struct receiver *new_receiver(const struct receiver_options *options, struct spool_writer *writer)
{
    struct receiver *receiver = calloc(1, sizeof(*receiver));

    if (receiver == NULL)
        return NULL;
    receiver->writer = writer;
    receiver->max_request_bytes = options->max_request_bytes;
    receiver->poller_count = options->threads;
    pthread_mutex_init(&receiver->lock, NULL);
    clock_cond_init(&receiver->changed);
    for (unsigned i = 0; i < options->threads; i++) {
        struct receiver_poller *poller = &receiver->pollers[i];

        poller->receiver = receiver;
        poller->sweeps = i == 0;
        receiver_scratch_init(&poller->scratch, options->max_request_bytes);
    }
    return receiver;
}

static void request_calls(struct receiver_poller *poller)
{
    receiver_call_request(poller, false);
    for (unsigned i = 0; i < RECEIVER_CALLS_REQUESTED; i++)
        receiver_call_request(poller, true);
}

int receiver_start(struct receiver **out, const struct receiver_options *options, struct spool_writer *writer,
                   struct err *err)
{
    struct receiver *receiver;
    unsigned running = 0;
    int rc;

    assert(options->threads >= 1 && options->threads <= RECEIVER_THREADS_MAX);
    receiver = new_receiver(options, writer);
    if (receiver == NULL)
        return err_set(err, ERR_RETRY, ENOMEM, "no memory for the receiver");
    receiver_server_make(receiver);
    for (; running < receiver->poller_count; running++) {
        rc = fault_point("receiver.thread");
        if (rc == 0)
            rc = pthread_create(&receiver->pollers[running].thread, NULL, poll_queue, &receiver->pollers[running]);
        if (rc != 0) {
            err_set(err, ERR_RETRY, rc, "cannot start a thread: %s", strerror(rc));
            goto fail;
        }
    }
    if (receiver_server_listen(receiver, options->listen, err) != 0)
        goto fail_listen;
    grpc_server_start(receiver->server);
    for (unsigned i = 0; i < receiver->poller_count; i++)
        request_calls(&receiver->pollers[i]);
    *out = receiver;
    return 0;

fail_listen:
    shut_down_server(receiver, clock_mono_ns() + GIVE_UP_MS * NS_PER_MS);
fail:
    free_receiver(receiver, running);
    return -1;
}

int receiver_port(const struct receiver *receiver)
{
    return receiver->port;
}
