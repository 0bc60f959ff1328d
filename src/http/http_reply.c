/*
 * http_reply.c - an answer as an HTTP response.
 *
 * Runs on the worker's thread.  The body of a 200 is an
 * ExportTraceServiceResponse, that of anything else a google.rpc.Status, in
 * the format of the request.  What may pass later is 503 with Retry-After,
 * which a client of OTLP/HTTP keeps the batch for.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "http_internal.h"

#define MS_PER_S 1000

int http_reply_status(const struct intake_answer *answer)
{
    switch (answer->code) {
    case INTAKE_CODE_OK:
        return MHD_HTTP_OK;
    case INTAKE_CODE_INVALID_ARGUMENT:
        return MHD_HTTP_BAD_REQUEST;
    case INTAKE_CODE_RESOURCE_EXHAUSTED:
        return MHD_HTTP_CONTENT_TOO_LARGE;
    case INTAKE_CODE_UNAUTHENTICATED:
        return MHD_HTTP_UNAUTHORIZED;
    case INTAKE_CODE_UNAVAILABLE:
    case INTAKE_CODE_DEADLINE_EXCEEDED:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    case INTAKE_CODE_INTERNAL: /* gRPC's frames only */
    case INTAKE_CODE_NOT_FOUND:
    case INTAKE_CODE_UNIMPLEMENTED:
        break;
    }
    return MHD_HTTP_NOT_FOUND;
}

static void put_body(const struct http_call *call, struct buf *out)
{
    const struct intake_answer *answer = &call->export.answer;
    bool json = call->request.format == INTAKE_JSON;

    if (answer->code == INTAKE_CODE_OK && json)
        intake_answer_put_response_json(answer, out);
    else if (answer->code == INTAKE_CODE_OK)
        intake_answer_put_response(answer, out);
    else if (json)
        intake_answer_put_status_json(answer, out);
    else
        intake_answer_put_status(answer, out);
}

static bool add(struct MHD_Response *response, const char *name, const char *value)
{
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

uint64_t http_reply_retry_s(uint64_t delay_ms)
{
    return (delay_ms + MS_PER_S - 1) / MS_PER_S;
}

static bool add_retry(struct MHD_Response *response, uint64_t delay_ms)
{
    char seconds[24];

    snprintf(seconds, sizeof(seconds), "%" PRIu64, http_reply_retry_s(delay_ms));
    return add(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
}

static bool add_headers(const struct http_call *call, struct MHD_Response *response, int status)
{
    const char *type = call->request.format == INTAKE_JSON ? "application/json" : "application/x-protobuf";

    if (!add(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) ||
        (call->must_close && !add(response, MHD_HTTP_HEADER_CONNECTION, "close")))
        return false;
    switch (status) {
    case MHD_HTTP_SERVICE_UNAVAILABLE:
        return add_retry(response, call->export.answer.retry_after_ms);
    case MHD_HTTP_METHOD_NOT_ALLOWED:
        return add(response, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_POST);
    case MHD_HTTP_UNAUTHORIZED:
        return add(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    case MHD_HTTP_UNSUPPORTED_MEDIA_TYPE:
        return add(response, MHD_HTTP_HEADER_ACCEPT_ENCODING, OTLP_CODEC_LIST);
    default:
        return true;
    }
}

enum MHD_Result http_reply_queue(struct http_call *call)
{
    int status = call->status != 0 ? call->status : http_reply_status(&call->export.answer);
    enum MHD_Result result = MHD_NO;
    struct MHD_Response *response;
    struct buf body;

    buf_init(&body, INTAKE_ANSWER_BYTES_MAX);
    put_body(call, &body);
    response = body.failed ? NULL : MHD_create_response_from_buffer(body.len, body.data, MHD_RESPMEM_MUST_COPY);
    if (response != NULL && add_headers(call, response, status))
        result = MHD_queue_response(call->connection, (unsigned)status, response);
    if (response != NULL)
        MHD_destroy_response(response);
    buf_fini(&body);
    return result;
}
