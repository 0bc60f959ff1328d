/*
 * otlp_status.c - google.rpc.Status by hand: gRPC core does not know it.
 *
 * Pure.  Any thread.  The messages, as googleapis has them:
 *   Status     { int32 code = 1; string message = 2; repeated Any details = 3; }
 *   Any        { string type_url = 1; bytes value = 2; }
 *   RetryInfo  { Duration retry_delay = 1; }
 *   Duration   { int64 seconds = 1; int32 nanos = 2; }
 *   BadRequest { repeated FieldViolation { string field = 1; string description = 2; } field_violations = 1; }
 */
#include "otlp_status.h"

#include <inttypes.h>
#include <stdio.h>

#include "bounds.h"
#include "otlp_field.h"

#define RETRY_TYPE "type.googleapis.com/google.rpc.RetryInfo"
#define BAD_REQUEST_TYPE "type.googleapis.com/google.rpc.BadRequest"

#define DETAIL_BYTES_MAX (2 * ERR_TEXT_MAX)
#define DURATION_SECONDS_MAX 315576000000ULL /* google.protobuf.Duration: 10,000 years */

static void put_text(struct buf *out, uint32_t number, const char *text)
{
    if (*text != '\0')
        otlp_field_put_bytes(out, number, slice_of_text(text));
}

void otlp_status_put(struct buf *out, int code, const char *message)
{
    otlp_field_put_varint(out, 1, (uint64_t)(int64_t)code);
    put_text(out, 2, message);
}

static void put_status(struct buf *out, int code, const char *message, const char *type, const struct buf *detail)
{
    struct buf any;

    buf_init(&any, DETAIL_BYTES_MAX);
    put_text(&any, 1, type);
    if (detail->len > 0)
        otlp_field_put_bytes(&any, 2, buf_slice(detail));
    otlp_status_put(out, code, message);
    otlp_field_put_bytes(out, 3, buf_slice(&any));
    out->failed |= any.failed || detail->failed;
    buf_fini(&any);
}

void otlp_status_put_retry(struct buf *out, int code, const char *message, uint64_t delay_ms)
{
    struct buf duration;
    struct buf retry;

    buf_init(&duration, DETAIL_BYTES_MAX);
    buf_init(&retry, DETAIL_BYTES_MAX);
    if (delay_ms >= 1000)
        otlp_field_put_varint(&duration, 1, delay_ms / 1000);
    if (delay_ms % 1000 != 0)
        otlp_field_put_varint(&duration, 2, delay_ms % 1000 * 1000000);
    otlp_field_put_bytes(&retry, 1, buf_slice(&duration));
    retry.failed |= duration.failed;
    put_status(out, code, message, RETRY_TYPE, &retry);
    buf_fini(&retry);
    buf_fini(&duration);
}

void otlp_status_put_bad_request(struct buf *out, int code, const char *message, const char *field)
{
    struct buf violation;
    struct buf bad;

    buf_init(&violation, DETAIL_BYTES_MAX);
    buf_init(&bad, DETAIL_BYTES_MAX);
    put_text(&violation, 1, field);
    put_text(&violation, 2, message);
    otlp_field_put_bytes(&bad, 1, buf_slice(&violation));
    bad.failed |= violation.failed;
    put_status(out, code, message, BAD_REQUEST_TYPE, &bad);
    buf_fini(&bad);
    buf_fini(&violation);
}

static void member_text(struct json *json, const char *key, const char *text)
{
    json_key(json, key);
    json_text(json, text);
}

static void begin_json(struct json *json, int code, const char *message)
{
    json_begin_object(json);
    json_key(json, "code");
    json_int(json, code);
    member_text(json, "message", message);
}

static void begin_json_detail(struct json *json, const char *type)
{
    json_key(json, "details");
    json_begin_array(json);
    json_begin_object(json);
    member_text(json, "@type", type);
}

static void end_json_detail(struct json *json)
{
    json_end_object(json);
    json_end_array(json);
    json_end_object(json);
}

void otlp_status_write_json(struct json *json, int code, const char *message)
{
    begin_json(json, code, message);
    json_end_object(json);
}

/* A Duration is text: seconds, with no, three, six or nine decimals. */
void otlp_status_write_json_retry(struct json *json, int code, const char *message, uint64_t delay_ms)
{
    char delay[40];

    if (delay_ms % 1000 == 0)
        snprintf(delay, sizeof(delay), "%" PRIu64 "s", delay_ms / 1000);
    else
        snprintf(delay, sizeof(delay), "%" PRIu64 ".%03us", delay_ms / 1000, (unsigned)(delay_ms % 1000));
    begin_json(json, code, message);
    begin_json_detail(json, RETRY_TYPE);
    member_text(json, "retryDelay", delay);
    end_json_detail(json);
}

void otlp_status_write_json_bad_request(struct json *json, int code, const char *message, const char *field)
{
    begin_json(json, code, message);
    begin_json_detail(json, BAD_REQUEST_TYPE);
    json_key(json, "fieldViolations");
    json_begin_array(json);
    json_begin_object(json);
    member_text(json, "field", field);
    member_text(json, "description", message);
    json_end_object(json);
    json_end_array(json);
    end_json_detail(json);
}

/* The last field of that number, as protobuf takes the last of a field that is not repeated; empty when there is none. */
static struct slice last_bytes(struct slice message, uint32_t number)
{
    struct otlp_field field;
    struct slice found = slice_of(NULL, 0);

    while (otlp_field_next(&message, &field)) {
        if (field.number == number && field.type == OTLP_WIRE_LENGTH)
            found = field.bytes;
    }
    return found;
}

static uint64_t read_duration_ms(struct slice duration)
{
    struct otlp_field field;
    int64_t seconds = 0;
    int64_t nanos = 0;

    while (otlp_field_next(&duration, &field)) {
        if (field.number == 1 && field.type == OTLP_WIRE_VARINT)
            seconds = (int64_t)field.value;
        else if (field.number == 2 && field.type == OTLP_WIRE_VARINT)
            nanos = (int64_t)field.value;
    }
    if (seconds < 0 || nanos < 0 || (uint64_t)seconds > DURATION_SECONDS_MAX || nanos > 999999999)
        return 0;
    return (uint64_t)seconds * 1000 + (uint64_t)nanos / 1000000;
}

bool otlp_status_find_retry(struct slice details, uint64_t *delay_ms)
{
    struct otlp_field field;

    *delay_ms = 0;
    while (otlp_field_next(&details, &field)) {
        if (field.number != 3 || field.type != OTLP_WIRE_LENGTH)
            continue;
        if (slice_equal(last_bytes(field.bytes, 1), slice_of_text(RETRY_TYPE))) {
            *delay_ms = read_duration_ms(last_bytes(last_bytes(field.bytes, 2), 1));
            return true;
        }
    }
    return false;
}
