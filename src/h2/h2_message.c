/*
 * h2_message.c - the bytes of one gRPC message, as they come in.
 *
 * Runs on the call's loop.  gRPC puts a flag and a length before a message
 * (PROTOCOL-HTTP2.md, Length-Prefixed-Message), so what is wrong with it, or
 * too large, is known before a byte of it is kept.  What is kept is counted
 * against the intake's bound as it comes.
 *
 * A call that is refused here is answered at once, and what its client still
 * sends is dropped.
 */
#include <errno.h>
#include <string.h>

#include "h2_internal.h"

static size_t message_max(const struct h2_call *call)
{
    if (call->request.method == H2_METHOD_HEALTH)
        return H2_HEALTH_BYTES_MAX;
    return intake_options(call->loop->server->intake)->max_request_bytes;
}

/* The length is known before a byte of the message is kept, so what is too large is refused at once. */
static void take_prefix(struct h2_call *call)
{
    const uint8_t *prefix = call->prefix;
    struct err err;

    call->message_len = (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];
    buf_init(&call->message, call->message_len);
    if (prefix[0] > 1)
        h2_call_refuse_as(call, INTAKE_CODE_INVALID_ARGUMENT,
                          "the message's flag is %u: it must be 0 or 1 (compressed)", prefix[0]);
    else if (prefix[0] == 1 && call->request.codec == OTLP_CODEC_IDENTITY)
        h2_call_refuse_as(call, INTAKE_CODE_INTERNAL,
                          "the message is flagged as compressed, and the call names no grpc-encoding");
    else if (call->message_len > message_max(call)) {
        err_set(&err, ERR_POISON, EMSGSIZE, "the request is %zu bytes, %zu are allowed", call->message_len,
                message_max(call));
        if (call->request.method == H2_METHOD_EXPORT)
            h2_call_refuse(call, &err);
        else
            h2_call_refuse_as(call, INTAKE_CODE_INVALID_ARGUMENT, "%s", err.text);
    }
}

static bool hold(struct h2_call *call, size_t bytes)
{
    if (call->request.method != H2_METHOD_EXPORT || intake_export_hold(&call->export, bytes))
        return true;
    h2_call_answer_export(call);
    return false;
}

/* Counts `needed` bytes, in steps: what is only announced is not held, and memory that is not written to is not there. */
static bool count(struct h2_call *call, size_t needed)
{
    size_t held = (needed + H2_HOLD_STEP - 1) / H2_HOLD_STEP * H2_HOLD_STEP;

    if (needed <= call->held)
        return true;
    if (!hold(call, held < call->message_len ? held : call->message_len))
        return false;
    call->held = held;
    return true;
}

/* Room for `needed` bytes.  A message of a usual size has its room at once; a larger one doubles it. */
static bool make_room(struct h2_call *call, size_t needed)
{
    size_t room = call->message.capacity < H2_MESSAGE_ROOM ? H2_MESSAGE_ROOM : call->message.capacity;
    struct err err;

    if (!count(call, needed))
        return false;
    if (needed <= call->message.capacity)
        return true;
    while (room < needed)
        room *= 2;
    if (room > call->message_len)
        room = call->message_len;
    if (buf_reserve(&call->message, room - call->message.len) != NULL)
        return true;
    err_set(&err, ERR_BUSY, ENOMEM, "no memory for the request");
    if (call->request.method == H2_METHOD_EXPORT)
        h2_call_refuse(call, &err);
    else
        h2_call_refuse_as(call, INTAKE_CODE_INVALID_ARGUMENT, "%s", err.text);
    return false;
}

static struct slice feed_prefix(struct h2_call *call, struct slice bytes)
{
    size_t wanted = H2_PREFIX_BYTES - call->prefix_len;
    size_t len = bytes.len < wanted ? bytes.len : wanted;

    memcpy(call->prefix + call->prefix_len, bytes.data, len);
    call->prefix_len += len;
    if (len == wanted)
        take_prefix(call);
    return slice_of(bytes.data + len, bytes.len - len);
}

void h2_message_feed(struct h2_call *call, struct slice bytes)
{
    if (call->state == H2_CALL_READING && call->prefix_len < H2_PREFIX_BYTES)
        bytes = feed_prefix(call, bytes);
    if (call->state != H2_CALL_READING || bytes.len == 0)
        return;
    if (bytes.len > call->message_len - call->message.len) {
        h2_call_refuse_as(call, INTAKE_CODE_INVALID_ARGUMENT, "the call carries more than one message");
        return;
    }
    if (make_room(call, call->message.len + bytes.len))
        buf_append(&call->message, bytes.data, bytes.len);
}
