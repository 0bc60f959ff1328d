/*
 * receiver_call.c - the state machine of one call.
 *
 * Runs on the pollers, an event at a time:
 *
 *   REQUESTED   a call has come: another is requested in its place; this one
 *               is admitted and its message asked for
 *   READING     the message is here: checked, and given to the spool writer
 *   STORING     the writer said durable, or not: the answer is sent
 *   ANSWERING   it is sent, or the client has gone: everything is freed
 *
 * A call that is refused, or whose message is wrong, goes to ANSWERING at
 * once.  A client that goes away is noticed at the next event: an operation
 * on its call fails, and what is left to do is the same.  A request that is
 * with the writer by then is stored; the client sends it again, which changes
 * nothing in MongoDB.
 *
 * An operation that gRPC core refuses to start is a bug of ours and asserts.
 */
#include "receiver_call.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "receiver_reply.h"

#define MOVE(state) (1U << RECEIVER_CALL_##state)

static const unsigned allowed_moves[RECEIVER_CALL_STATE_COUNT] = {
    [RECEIVER_CALL_REQUESTED] = MOVE(READING) | MOVE(ANSWERING) | MOVE(ENDED),
    [RECEIVER_CALL_READING] = MOVE(STORING) | MOVE(ANSWERING),
    [RECEIVER_CALL_STORING] = MOVE(ANSWERING),
    [RECEIVER_CALL_ANSWERING] = MOVE(ENDED),
};

static void move(struct receiver_call *call, enum receiver_call_state to)
{
    assert(allowed_moves[call->state] & (1U << to));
    call->state = to;
}

void receiver_call_request(struct receiver_poller *poller, bool exports)
{
    struct receiver *receiver = poller->receiver;
    struct receiver_call *call = gpr_zalloc(sizeof(*call));
    grpc_completion_queue *bound = receiver_expect(receiver)->queue;
    grpc_call_error error;

    call->receiver = receiver;
    call->exports = exports;
    call->state = RECEIVER_CALL_REQUESTED;
    call->payload = grpc_empty_slice();
    grpc_metadata_array_init(&call->metadata);
    grpc_call_details_init(&call->details);
    if (exports)
        error = grpc_server_request_registered_call(receiver->server, receiver->export_method, &call->call,
                                                    &call->deadline, &call->metadata, NULL, bound, poller->queue, call);
    else
        error = grpc_server_request_call(receiver->server, &call->call, &call->details, &call->metadata, bound,
                                         poller->queue, call);
    assert(error == GRPC_CALL_OK);
}

static void end_call(struct receiver_call *call)
{
    move(call, RECEIVER_CALL_ENDED);
    if (call->call != NULL)
        grpc_call_unref(call->call);
    grpc_metadata_array_destroy(&call->metadata);
    grpc_call_details_destroy(&call->details);
    grpc_byte_buffer_destroy(call->message);
    grpc_slice_unref(call->payload);
    receiver_leave(call->receiver, call);
    gpr_free(call);
}

static void start_batch(struct receiver_call *call, const grpc_op *ops, size_t count)
{
    grpc_call_error error = grpc_call_start_batch(call->call, ops, count, call, NULL);

    /* From here on another thread may have handled the event and freed the call. */
    assert(error == GRPC_CALL_OK);
}

static void count_answer(const struct receiver_call *call)
{
    enum metric metric = receiver_answer_metric(&call->answer);

    if (metric != METRIC_COUNT)
        metrics_add(metric, 1);
    if (call->answer.code != RECEIVER_CODE_OK)
        return;
    metrics_add(METRIC_RECEIVER_SPANS, call->by_validity[OTLP_VALID]);
    metrics_add(METRIC_RECEIVER_REJECTED, call->answer.rejected_spans);
    metrics_add(METRIC_RECEIVER_BYTES, call->put.raw_bytes);
}

/* Sends call->answer, to whoever is still there. */
static void send_answer(struct receiver_call *call)
{
    move(call, RECEIVER_CALL_ANSWERING);
    receiver_reply_start(call->call, &call->answer, &call->cancelled, call);
}

static void answer_failure(struct receiver_call *call, const struct err *failure)
{
    receiver_answer_failure(&call->answer, failure);
    call->answer.retry_after_ms = spool_writer_retry_ms(call->receiver->writer);
    count_answer(call);
    send_answer(call);
}

static void answer_ok(struct receiver_call *call)
{
    receiver_answer_ok(&call->answer, call->by_validity);
    count_answer(call);
    send_answer(call);
}

/* On the writer's thread.  An empty batch only puts the call's event into its poller's queue: no I/O here. */
static void note_stored(struct spool_put *put, const struct err *failure)
{
    struct receiver_call *call = put->context;
    int fault = fault_point("receiver.durable");

    if (failure != NULL)
        call->failure = *failure;
    else if (fault != 0)
        err_set(&call->failure, ERR_RETRY, fault, "fault after the request was stored");
    start_batch(call, NULL, 0);
}

static void admit(struct receiver_call *call)
{
    struct err err = {0};
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

    if (receiver_enter(call->receiver, call, &err) != 0) {
        answer_failure(call, &err);
        return;
    }
    op.data.recv_message.recv_message = &call->message;
    move(call, RECEIVER_CALL_READING);
    start_batch(call, &op, 1);
}

static void refuse_method(struct receiver_call *call)
{
    grpc_slice method = call->details.method;

    receiver_answer_unimplemented(&call->answer, slice_of(GRPC_SLICE_START_PTR(method), GRPC_SLICE_LENGTH(method)));
    send_answer(call);
}

static void step_requested(struct receiver_call *call, struct receiver_poller *poller, bool success)
{
    if (!success) { /* the server is being shut down: no call will come */
        end_call(call);
        return;
    }
    receiver_call_request(poller, call->exports);
    if (call->exports)
        admit(call);
    else
        refuse_method(call);
}

/* One slice with the whole message; a message in one piece is not copied. */
static grpc_slice take_bytes(grpc_byte_buffer *message)
{
    grpc_byte_buffer_reader reader;
    grpc_slice slice;
    int ok;

    if (message->data.raw.slice_buffer.count == 1)
        return grpc_slice_ref(message->data.raw.slice_buffer.slices[0]);
    ok = grpc_byte_buffer_reader_init(&reader, message);
    assert(ok);
    slice = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    return slice;
}

static enum receiver_encoding encoding_of(const grpc_byte_buffer *message)
{
    switch (message->data.raw.compression) {
    case GRPC_COMPRESS_GZIP:
        return RECEIVER_ENCODING_GZIP;
    case GRPC_COMPRESS_DEFLATE:
        return RECEIVER_ENCODING_DEFLATE;
    default:
        return RECEIVER_ENCODING_IDENTITY;
    }
}

/* Checks the message and fills call->put, whose payload the call owns; nothing of gRPC's buffers stays. */
static int read_message(struct receiver_call *call, struct receiver_poller *poller, struct err *err)
{
    enum receiver_encoding encoding = encoding_of(call->message);
    struct receiver_message message;
    grpc_slice bytes = take_bytes(call->message);
    int rc;

    grpc_byte_buffer_destroy(call->message);
    call->message = NULL;
    rc = receiver_message_read(&message, &poller->scratch, encoding,
                               slice_of(GRPC_SLICE_START_PTR(bytes), GRPC_SLICE_LENGTH(bytes)),
                               call->receiver->max_request_bytes, err);
    if (rc != 0)
        goto out;
    if (message.codec == OTLP_CODEC_GZIP)
        call->payload = grpc_slice_ref(bytes);
    else
        call->payload = grpc_slice_from_copied_buffer((const char *)message.payload.data, message.payload.len);
    memcpy(call->by_validity, message.by_validity, sizeof(call->by_validity));
    call->put.raw_bytes = message.raw_bytes;
    call->put.codec = (uint8_t)message.codec;
    call->put.spans = message.by_validity[OTLP_VALID];
out:
    grpc_slice_unref(bytes);
    receiver_scratch_reset(&poller->scratch);
    return rc;
}

static int store(struct receiver_call *call, struct err *err)
{
    int fault = fault_point("receiver.received");

    if (fault != 0)
        return err_set(err, ERR_BUSY, fault, "fault before the request was stored");
    /* The pointer is into the call: a short slice is held inline. */
    call->put.payload = slice_of(GRPC_SLICE_START_PTR(call->payload), GRPC_SLICE_LENGTH(call->payload));
    call->put.received_ns = clock_wall_ns();
    call->put.done = note_stored;
    call->put.context = call;
    move(call, RECEIVER_CALL_STORING);
    return spool_writer_put(call->receiver->writer, &call->put, err);
}

static void step_reading(struct receiver_call *call, struct receiver_poller *poller)
{
    struct err err = {0};

    fault_point("receiver.read");
    if (call->message == NULL) {
        /* Nearly always the client has gone.  Nobody is answered, so nothing is counted. */
        receiver_note_read(call->receiver, call, 0);
        err_set(&err, ERR_POISON, 0, "the call carried no message");
        receiver_answer_failure(&call->answer, &err);
        send_answer(call);
        return;
    }
    receiver_note_read(call->receiver, call, grpc_byte_buffer_length(call->message));
    if (read_message(call, poller, &err) != 0) {
        answer_failure(call, &err);
        return;
    }
    receiver_note_bytes(call->receiver, call, GRPC_SLICE_LENGTH(call->payload));
    if (call->by_validity[OTLP_VALID] == 0)
        answer_ok(call);
    else if (store(call, &err) != 0)
        answer_failure(call, &err);
}

static void step_storing(struct receiver_call *call)
{
    fault_point("receiver.answer");
    if (call->failure.class == ERR_NONE)
        answer_ok(call);
    else
        answer_failure(call, &call->failure);
}

void receiver_call_step(struct receiver_call *call, struct receiver_poller *poller, bool success)
{
    switch (call->state) {
    case RECEIVER_CALL_REQUESTED:
        step_requested(call, poller, success);
        break;
    case RECEIVER_CALL_READING:
        step_reading(call, poller);
        break;
    case RECEIVER_CALL_STORING:
        step_storing(call);
        break;
    case RECEIVER_CALL_ANSWERING:
        fault_point("receiver.answered");
        end_call(call);
        break;
    case RECEIVER_CALL_ENDED:
    case RECEIVER_CALL_STATE_COUNT:
        assert(false);
    }
}
