/*
 * receiver_hand.c - which calls are in hand, and how much they hold.
 *
 * Runs on the pollers, under the receiver's lock, which is held for a few
 * instructions only.  gRPC core reads a message whole once it is asked to, so
 * what is in hand is bounded here, before it is asked; a call above the bound
 * is refused unread, in the way that makes its client come back.
 *
 * A client without a deadline may leave a message half sent for ever.  Such a
 * call is cancelled after RECEIVER_READ_TIMEOUT_MS.
 */
#include <assert.h>

#include "clock.h"
#include "fault.h"
#include "receiver_call.h"

static void link_reading(struct receiver *receiver, struct receiver_call *call)
{
    call->is_reading = true;
    call->reading_since_ns = clock_mono_ns();
    call->reading_prev = receiver->reading_last;
    if (receiver->reading_last != NULL)
        receiver->reading_last->reading_next = call;
    else
        receiver->reading_first = call;
    receiver->reading_last = call;
}

static void unlink_reading(struct receiver *receiver, struct receiver_call *call)
{
    if (!call->is_reading)
        return;
    if (call->reading_prev != NULL)
        call->reading_prev->reading_next = call->reading_next;
    else
        receiver->reading_first = call->reading_next;
    if (call->reading_next != NULL)
        call->reading_next->reading_prev = call->reading_prev;
    else
        receiver->reading_last = call->reading_prev;
    call->is_reading = false;
    call->reading_prev = call->reading_next = NULL;
}

static void set_bytes(struct receiver *receiver, struct receiver_call *call, size_t bytes)
{
    assert(receiver->in_hand_bytes >= call->bytes);
    receiver->in_hand_bytes = receiver->in_hand_bytes - call->bytes + bytes;
    call->bytes = bytes;
}

/* Under the lock. */
static int refuse_or_count(struct receiver *receiver, struct receiver_call *call, struct err *err)
{
    if (receiver->stopping)
        return err_set(err, ERR_BUSY, 0, "the receiver is stopping");
    if (receiver->in_hand_bytes + RECEIVER_READING_BYTES > RECEIVER_IN_HAND_BYTES_MAX)
        return err_set(err, ERR_BUSY, 0, "the receiver has %zu bytes in hand", receiver->in_hand_bytes);
    receiver->in_hand++;
    call->is_in_hand = true;
    set_bytes(receiver, call, RECEIVER_READING_BYTES);
    link_reading(receiver, call);
    return 0;
}

struct receiver_poller *receiver_expect(struct receiver *receiver)
{
    struct receiver_poller *poller;

    pthread_mutex_lock(&receiver->lock);
    receiver->calls++;
    poller = &receiver->pollers[receiver->next_poller];
    receiver->next_poller = (receiver->next_poller + 1) % receiver->poller_count;
    pthread_mutex_unlock(&receiver->lock);
    return poller;
}

int receiver_enter(struct receiver *receiver, struct receiver_call *call, struct err *err)
{
    int rc;

    if (!spool_writer_admits(receiver->writer))
        return err_set(err, ERR_BUSY, 0, "the spool takes nothing at the moment: it is full, or its writer is behind");
    pthread_mutex_lock(&receiver->lock);
    rc = refuse_or_count(receiver, call, err);
    pthread_mutex_unlock(&receiver->lock);
    return rc;
}

void receiver_note_read(struct receiver *receiver, struct receiver_call *call, size_t bytes)
{
    pthread_mutex_lock(&receiver->lock);
    unlink_reading(receiver, call);
    set_bytes(receiver, call, bytes);
    pthread_mutex_unlock(&receiver->lock);
}

void receiver_note_bytes(struct receiver *receiver, struct receiver_call *call, size_t bytes)
{
    pthread_mutex_lock(&receiver->lock);
    set_bytes(receiver, call, bytes);
    pthread_mutex_unlock(&receiver->lock);
}

void receiver_leave(struct receiver *receiver, struct receiver_call *call)
{
    pthread_mutex_lock(&receiver->lock);
    assert(!call->is_reading && receiver->calls > 0);
    set_bytes(receiver, call, 0);
    if (call->is_in_hand)
        receiver->in_hand--;
    receiver->calls--;
    if (receiver->in_hand == 0)
        pthread_cond_broadcast(&receiver->changed);
    pthread_mutex_unlock(&receiver->lock);
}

static bool is_overdue(const struct receiver_call *call)
{
    if (fault_point("receiver.slow_client") != 0)
        return true;
    return clock_mono_ns() - call->reading_since_ns > RECEIVER_READ_TIMEOUT_MS * NS_PER_MS;
}

void receiver_cancel_overdue(struct receiver *receiver)
{
    pthread_mutex_lock(&receiver->lock);
    while (receiver->reading_first != NULL && is_overdue(receiver->reading_first)) {
        struct receiver_call *call = receiver->reading_first;

        unlink_reading(receiver, call);
        /* Its read now ends without a message: the rest is the call's own way. */
        grpc_call_cancel_with_status(call->call, GRPC_STATUS_DEADLINE_EXCEEDED, "the message did not come in", NULL);
    }
    pthread_mutex_unlock(&receiver->lock);
}
