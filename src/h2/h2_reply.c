/*
 * h2_reply.c - an answer as HTTP/2 frames.
 *
 * Runs on the call's loop.  An OK is HEADERS, DATA with the prefixed message,
 * HEADERS with the trailers; everything else is one HEADERS frame that ends
 * the stream ("Trailers-Only" in gRPC's protocol).  nghttp2 copies the fields
 * when they are submitted; the bytes of an OK are the call's.
 *
 * Where memory is short the stream is reset, which a client may try again.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h2_internal.h"

#define FIELDS_MAX 8

struct fields {
    nghttp2_nv items[FIELDS_MAX];
    size_t count;
};

/* `name` and `value` must live until the fields are submitted. */
static void add(struct fields *fields, const char *name, struct slice value)
{
    assert(fields->count < FIELDS_MAX);
    fields->items[fields->count++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                                                  .namelen = strlen(name),
                                                  .value = (uint8_t *)(uintptr_t)value.data,
                                                  .valuelen = value.len,
                                                  .flags = NGHTTP2_NV_FLAG_NONE};
}

static void add_text(struct fields *fields, const char *name, const char *value)
{
    add(fields, name, slice_of_text(value));
}

static void add_grpc(struct fields *fields)
{
    add_text(fields, ":status", "200");
    add_text(fields, "content-type", "application/grpc");
    add_text(fields, "grpc-accept-encoding", OTLP_CODEC_LIST);
}

static void reset(struct h2_call *call)
{
    nghttp2_submit_rst_stream(call->conn->session, NGHTTP2_FLAG_NONE, call->stream_id, NGHTTP2_REFUSED_STREAM);
}

/* --- OK ---------------------------------------------------------------------- */

/* After the last byte come the trailers, not the end of the stream. */
static ssize_t read_reply(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t size, uint32_t *flags,
                          nghttp2_data_source *source, void *user_data)
{
    struct h2_call *call = source->ptr;
    size_t left = call->reply_len - call->reply_sent;
    size_t len = left < size ? left : size;
    struct fields trailers = {.count = 0};

    (void)user_data;
    memcpy(out, call->reply + call->reply_sent, len);
    call->reply_sent += len;
    if (call->reply_sent < call->reply_len)
        return (ssize_t)len;
    add_text(&trailers, "grpc-status", "0");
    if (nghttp2_submit_trailer(session, stream_id, trailers.items, trailers.count) != 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return (ssize_t)len;
}

static int make_reply(struct h2_call *call, struct slice message)
{
    call->reply_len = H2_PREFIX_BYTES + message.len;
    call->reply = malloc(call->reply_len);
    if (call->reply == NULL)
        return -1;
    call->reply[0] = 0; /* not compressed */
    for (int i = 0; i < 4; i++)
        call->reply[1 + i] = (uint8_t)(message.len >> (24 - 8 * i));
    if (message.len > 0)
        memcpy(call->reply + H2_PREFIX_BYTES, message.data, message.len);
    return 0;
}

void h2_reply_ok(struct h2_call *call, struct slice message)
{
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_reply};
    struct fields fields = {.count = 0};

    add_grpc(&fields);
    if (make_reply(call, message) != 0 ||
        nghttp2_submit_response(call->conn->session, call->stream_id, fields.items, fields.count, &provider) != 0)
        reset(call);
}

/* --- everything else ----------------------------------------------------------- */

void h2_reply_put_message(struct buf *out, const char *text)
{
    /* gRPC over HTTP2, Status-Message: all but printable ASCII, and the percent sign itself. */
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte >= ' ' && byte <= '~' && byte != '%')
            buf_append(out, text, 1);
        else
            buf_printf(out, "%%%02X", byte);
    }
}

/* A field whose name ends in "-bin" is base64, and gRPC sends it without padding. */
static void put_base64(struct buf *out, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t word = 0;
        char quad[4];

        for (size_t j = 0; j < 3; j++)
            word = word << 8 | (j < left ? bytes.data[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            quad[j] = digits[word >> (18 - 6 * j) & 63];
        buf_append(out, quad, left + 1);
    }
}

/* Which answers say more than their code and text. */
static bool has_details(const struct intake_answer *answer)
{
    return answer->code == INTAKE_CODE_UNAVAILABLE || answer->code == INTAKE_CODE_INVALID_ARGUMENT;
}

static void put_details(struct buf *out, const struct intake_answer *answer)
{
    struct buf status;

    buf_init(&status, INTAKE_ANSWER_BYTES_MAX);
    intake_answer_put_status(answer, &status);
    put_base64(out, buf_slice(&status));
    out->failed |= status.failed;
    buf_fini(&status);
}

void h2_reply_failure(struct h2_call *call, const struct intake_answer *answer)
{
    struct fields fields = {.count = 0};
    struct buf message, details;
    char code[12];

    buf_init(&message, 3 * ERR_TEXT_MAX);
    buf_init(&details, 2 * INTAKE_ANSWER_BYTES_MAX);
    snprintf(code, sizeof(code), "%d", (int)answer->code);
    h2_reply_put_message(&message, answer->message);
    add_grpc(&fields);
    add_text(&fields, "grpc-status", code);
    add(&fields, "grpc-message", buf_slice(&message));
    if (has_details(answer)) {
        put_details(&details, answer);
        add(&fields, "grpc-status-details-bin", buf_slice(&details));
    }
    if (message.failed || details.failed ||
        nghttp2_submit_response(call->conn->session, call->stream_id, fields.items, fields.count, NULL) != 0)
        reset(call);
    buf_fini(&details);
    buf_fini(&message);
}

void h2_reply_http(struct h2_call *call, int status)
{
    struct fields fields = {.count = 0};
    char text[12];

    snprintf(text, sizeof(text), "%d", status);
    add_text(&fields, ":status", text);
    if (status == 405)
        add_text(&fields, "allow", "POST");
    if (nghttp2_submit_response(call->conn->session, call->stream_id, fields.items, fields.count, NULL) != 0)
        reset(call);
}
