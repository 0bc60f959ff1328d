/*
 * receiver_call.h - one call, from waiting for it to its answer.
 */
#ifndef TRACESPOOL_RECEIVER_CALL_H
#define TRACESPOOL_RECEIVER_CALL_H

#include <stdbool.h>

#include "receiver_answer.h"
#include "receiver_internal.h"

enum receiver_call_state {
    RECEIVER_CALL_REQUESTED, /* no call yet: gRPC core will bring one */
    RECEIVER_CALL_READING,   /* the message is being received */
    RECEIVER_CALL_STORING,   /* the spool writer has it */
    RECEIVER_CALL_ANSWERING, /* status and message are being sent */
    RECEIVER_CALL_ENDED,     /* to be freed */
    RECEIVER_CALL_STATE_COUNT
};

struct receiver_call {
    /* set once */
    struct receiver *receiver;
    bool exports; /* waits for Export; otherwise for any other method, to refuse it */

    /* owned by the poller that handles the call's one event (receiver_internal.h, 1) */
    enum receiver_call_state state;
    grpc_call *call; /* NULL until one has come */
    gpr_timespec deadline;
    grpc_call_details details;
    grpc_metadata_array metadata;
    grpc_byte_buffer *message;
    struct receiver_answer answer;
    int cancelled;

    /* owned by the spool writer while STORING */
    struct spool_put put;
    uint32_t by_validity[OTLP_VALIDITY_COUNT];
    grpc_slice payload;
    struct err failure; /* class ERR_NONE: it is durable */

    /* under the receiver's lock */
    bool is_reading;
    bool is_in_hand;
    size_t bytes;
    uint64_t reading_since_ns;
    struct receiver_call *reading_prev;
    struct receiver_call *reading_next;
};

/*
 * Asks gRPC core for one more call on `poller`.  The event is the call's, and
 * so is every later one until it is over.  Out of memory the process ends, as
 * gRPC core's own allocations do.
 */
void receiver_call_request(struct receiver_poller *poller, bool exports);

/* The call's event has come to `poller`; the call may be gone afterwards. */
void receiver_call_step(struct receiver_call *call, struct receiver_poller *poller, bool success);

#endif
