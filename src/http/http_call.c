/*
 * http_call.c - one request, step by step as libmicrohttpd brings it.
 *
 * Runs on the worker's thread:
 *
 *   the head       checked
 *   READING        the body comes in, counted as it grows
 *   REFUSED        by its head, or it was too large or there was no room: what
 *                  there is of the body is dropped before the answer (the time
 *                  for it is bounded).  libmicrohttpd would also take an answer
 *                  before the body, but then closes, and a client that is still
 *                  sending finds its connection reset, not the answer: it would
 *                  try again for ever what is too large.  Only a client that
 *                  waits to be asked for the body is answered at once, and one
 *                  that has more than HTTP_DROPPED_FACTOR allows to be dropped
 *   STORING        the connection is suspended until the writer has synced
 *   STORED         the answer is given
 *
 * A client that goes away ends the call at libmicrohttpd's word, which does
 * not come while the connection is suspended.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "fault.h"
#include "http_internal.h"
#include "metrics.h"

static struct http_call *new_call(struct http_worker *worker, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_call *call = info == NULL || info->socket_context == NULL ? NULL : calloc(1, sizeof(*call));

    if (call == NULL)
        return NULL;
    call->conn = info->socket_context;
    call->connection = connection;
    if (tracing_is_on())
        call->begun_ns = clock_mono_ns();
    buf_init(&call->message, intake_options(worker->server->intake)->max_request_bytes);
    return call;
}

static enum MHD_Result answer(struct http_call *call)
{
    fault_point("receiver.answer");
    call->state = HTTP_CALL_ANSWERED;
    http_trace_end(call, true);
    intake_export_release(&call->export);
    http_worker_wait(call->conn, HTTP_WAIT_TAKE);
    return http_reply_queue(call);
}

/* --- the head ------------------------------------------------------------------- */

static const char *field(const struct http_call *call, const char *name)
{
    return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
}

#define TRACEPARENT "traceparent"

/* What has to be counted over all fields. */
struct head {
    size_t bytes;
    unsigned lengths;   /* Content-Length */
    unsigned encodings; /* Transfer-Encoding */
    unsigned parents;   /* traceparent */
};

static enum MHD_Result count_field(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct head *head = context;

    (void)kind;
    head->bytes += strlen(name) + (value == NULL ? 0 : strlen(value)) + 4; /* ": " and the line's end */
    head->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    head->encodings += strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    head->parents += strcasecmp(name, TRACEPARENT) == 0;
    return MHD_YES;
}

static int check_size(const struct http_call *call, const struct head *head, struct intake_answer *what)
{
    size_t max = call->conn->worker->server->options.max_header_bytes;

    if (head->bytes <= max)
        return 0;
    intake_answer_set(what, INTAKE_CODE_RESOURCE_EXHAUSTED, "the request's head is %zu bytes, %zu are allowed",
                      head->bytes, max);
    return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
}

/*
 * A request of which two readers may take different lengths is what requests
 * are smuggled past a proxy with (RFC 9112, 6.3): it is refused, and what is
 * behind it is not taken for another.
 */
static int check_framing(struct http_call *call, const struct head *head, struct intake_answer *what)
{
    const char *encoding = field(call, MHD_HTTP_HEADER_TRANSFER_ENCODING);

    if (head->lengths + head->encodings <= 1 && (encoding == NULL || strcasecmp(encoding, "chunked") == 0))
        return 0;
    call->must_close = true;
    intake_answer_set(what, INTAKE_CODE_INVALID_ARGUMENT,
                      "the request has more than one length, or a Transfer-Encoding other than chunked");
    return MHD_HTTP_BAD_REQUEST;
}

static int check_credentials(const struct http_call *call, struct intake_answer *what)
{
    struct net_tokens *tokens = call->conn->worker->server->options.tokens;
    const char *authorization = field(call, MHD_HTTP_HEADER_AUTHORIZATION);

    if (tokens == NULL || (authorization != NULL && net_tokens_match(tokens, slice_of_text(authorization))))
        return 0;
    intake_answer_set(what, INTAKE_CODE_UNAUTHENTICATED,
                      "the request has no bearer token that is known here (field Authorization)");
    return MHD_HTTP_UNAUTHORIZED;
}

/* W3C: a request with several has none. */
static void take_parent(struct http_call *call, const struct head *head)
{
    const char *parent;

    if (!tracing_is_on() || head->parents != 1)
        return;
    parent = field(call, TRACEPARENT);
    if (parent != NULL)
        tracing_context_parse(&call->parent, slice_of_text(parent));
}

/* 0, or the status of the refusal in call->export.answer. */
static int check_head(struct http_call *call, const char *path, const char *method)
{
    struct intake_answer *what = &call->export.answer;
    struct head head = {.bytes = strlen(path)};
    int framing, status;

    MHD_get_connection_values(call->connection, MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND, count_field, &head);
    status = http_request_check(&call->request, path, method, field(call, MHD_HTTP_HEADER_CONTENT_TYPE),
                                field(call, MHD_HTTP_HEADER_CONTENT_ENCODING),
                                field(call, MHD_HTTP_HEADER_CONTENT_LENGTH), what);
    take_parent(call, &head);
    framing = check_framing(call, &head, what);
    if (framing != 0)
        return framing;
    if (status == 0)
        status = check_size(call, &head, what);
    if (status == 0)
        status = check_credentials(call, what);
    return status;
}

static void refuse_too_large(struct http_call *call, size_t bytes)
{
    struct err err;

    err_set(&err, ERR_POISON, EMSGSIZE, "the request is %zu bytes or more, %zu are allowed", bytes, call->message.max);
    intake_export_refuse(&call->export, &err);
    call->state = HTTP_CALL_REFUSED;
}

static size_t dropped_max(const struct http_call *call)
{
    return HTTP_DROPPED_FACTOR * call->message.max;
}

/* With an answer that is made. */
static enum MHD_Result refuse_by_head(struct http_call *call)
{
    const char *expect = field(call, MHD_HTTP_HEADER_EXPECT);
    size_t length = call->request.content_length;

    if (length != SIZE_MAX && length > dropped_max(call))
        call->must_close = true;
    if (call->must_close || (expect != NULL && strcasecmp(expect, "100-continue") == 0))
        return answer(call);
    call->state = HTTP_CALL_REFUSED;
    return MHD_YES;
}

static enum MHD_Result begin(struct http_call *call, const char *path, const char *method, struct intake *intake,
                             void (*done)(struct intake_export *))
{
    http_worker_wait(call->conn, HTTP_WAIT_REQUEST);
    call->status = check_head(call, path, method);
    if (call->status != 0) {
        metrics_add(intake_answer_metric(&call->export.answer), 1);
        return refuse_by_head(call);
    }
    http_trace_begin(call);
    if (!intake_export_begin(&call->export, intake, done))
        return refuse_by_head(call);
    if (call->request.content_length != SIZE_MAX && call->request.content_length > call->message.max) {
        refuse_too_large(call, call->request.content_length);
        return refuse_by_head(call);
    }
    return MHD_YES;
}

/* --- the body -------------------------------------------------------------------- */

static bool make_room(struct http_call *call, size_t needed)
{
    size_t room = call->message.capacity < HTTP_MESSAGE_ROOM ? HTTP_MESSAGE_ROOM : call->message.capacity;
    struct err err;

    if (needed <= call->message.capacity)
        return true;
    while (room < needed)
        room *= 2;
    if (room > call->message.max)
        room = call->message.max;
    if (!intake_export_hold(&call->export, room))
        return false;
    if (buf_reserve(&call->message, room - call->message.len) != NULL)
        return true;
    err_set(&err, ERR_BUSY, ENOMEM, "no memory for the request");
    intake_export_refuse(&call->export, &err);
    return false;
}

/* MHD_NO: the client would go on for ever; its connection is closed. */
static enum MHD_Result drop(struct http_call *call, size_t len)
{
    call->dropped_bytes += len;
    return call->dropped_bytes <= dropped_max(call) ? MHD_YES : MHD_NO;
}

static enum MHD_Result feed(struct http_call *call, const char *body, size_t len)
{
    if (call->state != HTTP_CALL_READING)
        return drop(call, len);
    if (len > call->message.max - call->message.len)
        refuse_too_large(call, call->message.len + len);
    else if (make_room(call, call->message.len + len))
        buf_append(&call->message, body, len);
    else
        call->state = HTTP_CALL_REFUSED;
    if (call->state == HTTP_CALL_REFUSED)
        buf_fini(&call->message);
    return MHD_YES;
}

/* On another thread: the writer's, or that of large requests. */
static void note_done(struct intake_export *export)
{
    struct http_call *call = (struct http_call *)(void *)((char *)export - offsetof(struct http_call, export));

    call->state = HTTP_CALL_STORED;
    http_worker_resume(call);
}

static enum MHD_Result refuse_stopping(struct http_call *call)
{
    struct err err;

    err_set(&err, ERR_BUSY, 0, "the receiver is stopping");
    intake_export_refuse(&call->export, &err);
    return answer(call);
}

static enum MHD_Result store(struct http_call *call)
{
    if (!http_worker_suspend(call))
        return refuse_stopping(call);
    /* From here the call may be another thread's: it must look so before it is. */
    call->state = HTTP_CALL_STORING;
    if (intake_export_store(&call->export, &call->conn->worker->scratch, call->request.format, call->request.codec,
                            &call->message))
        return MHD_YES;
    call->state = HTTP_CALL_REFUSED;
    http_worker_resume(call);
    return MHD_YES;
}

static enum MHD_Result step(struct http_worker *worker, struct MHD_Connection *connection, const char *path,
                            const char *method, const char *body, size_t *body_len, void **request)
{
    struct http_call *call = *request;
    enum http_call_state state;

    if (call == NULL) {
        call = *request = new_call(worker, connection);
        return call == NULL ? MHD_NO : begin(call, path, method, worker->server->intake, note_done);
    }
    if (*body_len > 0) {
        size_t len = *body_len;

        *body_len = 0;
        return feed(call, body, len);
    }
    state = call->state;
    switch (state) {
    case HTTP_CALL_READING:
        return store(call);
    case HTTP_CALL_STORED:
        intake_export_finish(&call->export);
        return answer(call);
    case HTTP_CALL_REFUSED:
        return answer(call);
    case HTTP_CALL_STORING:
    case HTTP_CALL_ANSWERED:
        break;
    }
    return MHD_YES;
}

enum MHD_Result http_call_step(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                               const char *version, const char *body, size_t *body_len, void **request)
{
    struct http_worker *worker = context;
    enum MHD_Result result;

    (void)version;
    pulse_busy(&worker->pulse);
    result = step(worker, connection, path, method, body, body_len, request);
    pulse_idle(&worker->pulse);
    return result;
}

void http_call_end(void *worker, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    struct http_call *call = *state;

    (void)worker;
    (void)connection;
    (void)code;
    if (call == NULL)
        return;
    assert(call->state != HTTP_CALL_STORING);
    if (call->state == HTTP_CALL_ANSWERED)
        fault_point("receiver.answered");
    http_worker_wait(call->conn, HTTP_WAIT_NEXT);
    http_trace_end(call, false);
    intake_export_end(&call->export);
    buf_fini(&call->message);
    free(call);
    *state = NULL;
}
