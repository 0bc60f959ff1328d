/*
 * receiver_reply.c - an answer as operations of gRPC core.
 *
 * Runs on a poller.  All of it is one batch, so a call has one more event and
 * then none.  Nothing fails here: what gRPC core refuses to start is a bug of
 * ours and asserts.
 */
#include "receiver_reply.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>

#define DETAILS_TRAILER "grpc-status-details-bin"

static grpc_slice encode(const struct receiver_answer *answer,
                         void (*put)(const struct receiver_answer *answer, struct buf *out))
{
    struct buf out;
    grpc_slice slice;

    buf_init(&out, RECEIVER_ANSWER_BYTES_MAX);
    put(answer, &out);
    assert(!out.failed); /* the texts are bounded, and so are the messages around them */
    slice = grpc_slice_from_copied_buffer((const char *)out.data, out.len);
    buf_fini(&out);
    return slice;
}

static void start(grpc_call *call, const grpc_op *ops, size_t count, void *tag)
{
    grpc_call_error error = grpc_call_start_batch(call, ops, count, tag, NULL);

    assert(error == GRPC_CALL_OK);
}

static void fill_ending(grpc_op ops[3], int *cancelled, enum receiver_code code, grpc_metadata *trailer,
                        grpc_slice *status)
{
    ops[0] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    ops[1] = (grpc_op){.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    ops[1].data.recv_close_on_server.cancelled = cancelled;
    ops[2] = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    ops[2].data.send_status_from_server.status = (grpc_status_code)code;
    ops[2].data.send_status_from_server.status_details = status;
    ops[2].data.send_status_from_server.trailing_metadata = trailer;
    ops[2].data.send_status_from_server.trailing_metadata_count = trailer != NULL ? 1 : 0;
}

static void start_ok(grpc_call *call, const struct receiver_answer *answer, int *cancelled, void *tag)
{
    grpc_slice bytes = encode(answer, receiver_answer_put_response);
    grpc_byte_buffer *response = grpc_raw_byte_buffer_create(&bytes, 1);
    grpc_op ops[4] = {0};

    fill_ending(ops, cancelled, answer->code, NULL, NULL);
    ops[3].op = GRPC_OP_SEND_MESSAGE;
    ops[3].data.send_message.send_message = response;
    start(call, ops, 4, tag);
    grpc_byte_buffer_destroy(response); /* gRPC core has taken its slices */
    grpc_slice_unref(bytes);
}

static void start_failure(grpc_call *call, const struct receiver_answer *answer, int *cancelled, void *tag)
{
    grpc_slice status = grpc_slice_from_copied_string(answer->message);
    grpc_metadata trailer = {.key = grpc_slice_from_static_string(DETAILS_TRAILER),
                             .value = encode(answer, receiver_answer_put_details)};
    bool has_details = GRPC_SLICE_LENGTH(trailer.value) > 0;
    grpc_op ops[3];

    fill_ending(ops, cancelled, answer->code, has_details ? &trailer : NULL, &status);
    start(call, ops, 3, tag);
    grpc_slice_unref(trailer.value); /* gRPC core holds references of its own */
    grpc_slice_unref(status);
}

void receiver_reply_start(grpc_call *call, const struct receiver_answer *answer, int *cancelled, void *tag)
{
    if (answer->code == RECEIVER_CODE_OK)
        start_ok(call, answer, cancelled, tag);
    else
        start_failure(call, answer, cancelled, tag);
}
