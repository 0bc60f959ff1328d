/*
 * otlp_response.c - ExportTraceServiceResponse by hand.
 *
 * Pure.  Any thread.  The messages, as opentelemetry-proto has them:
 *   ExportTraceServiceResponse { ExportTracePartialSuccess partial_success = 1; }
 *   ExportTracePartialSuccess  { int64 rejected_spans = 1; string error_message = 2; }
 */
#include "otlp_response.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "bounds.h"
#include "otlp_field.h"

#define PARTIAL_BYTES_MAX (2 * ERR_TEXT_MAX)

void otlp_response_put(struct buf *out, uint64_t rejected_spans, const char *message)
{
    struct buf partial;

    if (rejected_spans == 0 && *message == '\0')
        return;
    buf_init(&partial, PARTIAL_BYTES_MAX);
    if (rejected_spans > 0)
        otlp_field_put_varint(&partial, 1, rejected_spans);
    if (*message != '\0')
        otlp_field_put_bytes(&partial, 2, slice_of_text(message));
    otlp_field_put_bytes(out, 1, buf_slice(&partial));
    out->failed |= partial.failed;
    buf_fini(&partial);
}

void otlp_response_write_json(struct json *json, uint64_t rejected_spans, const char *message)
{
    char count[24];

    json_begin_object(json);
    if (rejected_spans > 0 || *message != '\0') {
        json_key(json, "partialSuccess");
        json_begin_object(json);
        if (rejected_spans > 0) {
            snprintf(count, sizeof(count), "%" PRIu64, rejected_spans); /* 64 bits: a string in protobuf's JSON */
            json_key(json, "rejectedSpans");
            json_text(json, count);
        }
        if (*message != '\0') {
            json_key(json, "errorMessage");
            json_text(json, message);
        }
        json_end_object(json);
    }
    json_end_object(json);
}

static void copy_text(char *out, size_t size, struct slice text)
{
    size_t len = text.len < size - 1 ? text.len : size - 1;

    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
}

static int read_partial(struct slice partial, int64_t *rejected_spans, char *message, size_t message_size)
{
    struct otlp_field field;

    while (otlp_field_next(&partial, &field)) {
        if (field.number == 1 && field.type == OTLP_WIRE_VARINT)
            *rejected_spans = (int64_t)field.value;
        else if (field.number == 2 && field.type == OTLP_WIRE_LENGTH)
            copy_text(message, message_size, field.bytes);
    }
    return partial.len == 0 ? 0 : -1;
}

int otlp_response_read(struct slice response, int64_t *rejected_spans, char *message, size_t message_size)
{
    struct otlp_field field;

    assert(message_size > 0);
    *rejected_spans = 0;
    message[0] = '\0';
    while (otlp_field_next(&response, &field)) {
        if (field.number != 1 || field.type != OTLP_WIRE_LENGTH)
            continue;
        if (read_partial(field.bytes, rejected_spans, message, message_size) != 0)
            return -1;
    }
    return response.len == 0 ? 0 : -1;
}
