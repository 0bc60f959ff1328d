/*
 * ingest_reply.c - an answer of gRPC, strictly.
 *
 * Pure.  A server that is measured gets no credit for what it did not say:
 * OK is only what a gRPC client would take for it.
 */
#include "ingest_reply.h"

#include <string.h>

#include "otlp_response.h"

#define PREFIX_BYTES 5
#define HTTP_OK 200

static const char *const code_names[INGEST_CODES] = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};

static const char *const verdict_names[INGEST_VERDICTS] = {"ok", "partial", "refused", "broken", "reset"};

/* Decimal digits and nothing else; -1 for what is no number up to 999. */
static int number_of(struct slice text)
{
    int number = 0;

    if (text.len == 0 || text.len > 3)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        number = number * 10 + text.data[i] - '0';
    }
    return number;
}

static bool is_grpc_type(struct slice type)
{
    static const char grpc[] = "application/grpc";

    return type.len >= sizeof(grpc) - 1 && memcmp(type.data, grpc, sizeof(grpc) - 1) == 0;
}

void ingest_reply_header(struct ingest_reply *reply, struct slice name, struct slice value)
{
    if (slice_equal(name, slice_of_text(":status"))) {
        reply->http_status = number_of(value);
    } else if (slice_equal(name, slice_of_text("content-type"))) {
        reply->is_grpc = is_grpc_type(value);
    } else if (slice_equal(name, slice_of_text("grpc-status"))) {
        reply->grpc_status = number_of(value);
        reply->has_grpc_status = true;
    }
}

void ingest_reply_data(struct ingest_reply *reply, struct slice data)
{
    if (data.len > sizeof(reply->body) - reply->body_len) {
        reply->too_long = true;
        return;
    }
    memcpy(reply->body + reply->body_len, data.data, data.len);
    reply->body_len += data.len;
}

/* The one message of the answer: it is not compressed, and nothing is before or behind it. */
static bool find_message(const struct ingest_reply *reply, struct slice *message)
{
    const uint8_t *body = reply->body;
    uint32_t len;

    if (reply->too_long || reply->body_len < PREFIX_BYTES || body[0] != 0)
        return false;
    len = (uint32_t)body[1] << 24 | (uint32_t)body[2] << 16 | (uint32_t)body[3] << 8 | body[4];
    *message = slice_of(body + PREFIX_BYTES, reply->body_len - PREFIX_BYTES);
    return message->len == len;
}

static enum ingest_verdict judge_message(const struct ingest_reply *reply)
{
    struct slice message;
    int64_t rejected;
    char text[1];

    if (!find_message(reply, &message) || otlp_response_read(message, &rejected, text, sizeof(text)) < 0)
        return INGEST_BROKEN;
    return rejected == 0 ? INGEST_OK : INGEST_PARTIAL;
}

enum ingest_verdict ingest_reply_judge(const struct ingest_reply *reply)
{
    if (!reply->ended)
        return INGEST_RESET;
    if (reply->http_status != HTTP_OK || !reply->is_grpc || !reply->has_grpc_status || reply->grpc_status < 0 ||
        reply->grpc_status >= INGEST_CODES)
        return INGEST_BROKEN;
    return reply->grpc_status == 0 ? judge_message(reply) : INGEST_REFUSED;
}

const char *ingest_reply_code_name(unsigned code)
{
    return code_names[code];
}

const char *ingest_reply_verdict_name(enum ingest_verdict verdict)
{
    return verdict_names[verdict];
}
