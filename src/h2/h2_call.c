/*
 * h2_call.c - the state machine of one call.
 *
 * Runs on the call's loop:
 *
 *   HEADERS    fields come in; when they are complete the call is admitted
 *   READING    the message comes in, counted as it grows
 *   STORING    another thread has it, the spool's writer in the end; it comes
 *              back through the loop
 *   ANSWERING  the answer is queued; the call ends with its stream
 *
 * A call that is refused goes to ANSWERING from wherever it is, and what its
 * client still sends is dropped.  A client that goes away takes the call with
 * it, unless another thread has it: then it is stored, nobody is told, and the
 * client sends it again, which changes nothing in MongoDB.
 *
 * A client that sends too slowly is answered DEADLINE_EXCEEDED; one that does
 * not take its answer has its stream reset.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "h2_internal.h"
#include "metrics.h"

#define MOVE(state) (1U << H2_CALL_##state)

static const unsigned allowed_moves[H2_CALL_STATE_COUNT] = {
    [H2_CALL_HEADERS] = MOVE(READING) | MOVE(ANSWERING),
    [H2_CALL_READING] = MOVE(STORING) | MOVE(ANSWERING),
    [H2_CALL_STORING] = MOVE(ANSWERING),
};

static void move(struct h2_call *call, enum h2_call_state to)
{
    assert(allowed_moves[call->state] & (1U << to));
    call->state = to;
}

static const struct h2_server_options *options_of(const struct h2_call *call)
{
    return &call->loop->server->options;
}

/*
 * A call takes memory before the intake admits it, and while its client takes
 * a refusal.  The bound may be passed by a call a loop: good enough.
 */
static bool has_room(struct h2_server *server)
{
    return atomic_load(&server->calls) < H2_CALLS_FACTOR * intake_options(server->intake)->max_calls;
}

struct h2_call *h2_call_new(struct h2_conn *conn, int32_t stream_id)
{
    struct h2_call *call = has_room(conn->loop->server) ? calloc(1, sizeof(*call)) : NULL;

    if (call == NULL)
        return NULL;
    atomic_fetch_add(&conn->loop->server->calls, 1);
    call->loop = conn->loop;
    call->conn = conn;
    call->stream_id = stream_id;
    if (tracing_is_on())
        call->begun_ns = clock_mono_ns();
    call->request.has_codec = true; /* none named: identity */
    call->request.is_authorized = options_of(call)->tokens == NULL;
    call->conn_next = conn->calls;
    if (conn->calls != NULL)
        conn->calls->conn_prev = call;
    conn->calls = call;
    h2_loop_wait(call->loop, call);
    return call;
}

static void free_call(struct h2_call *call)
{
    h2_loop_unwait(call->loop, call);
    h2_trace_end(call, NULL);
    intake_export_end(&call->export);
    buf_fini(&call->message);
    free(call->reply);
    atomic_fetch_sub(&call->loop->server->calls, 1);
    free(call);
}

/* --- answering ---------------------------------------------------------------- */

/* The stream may be gone: then nobody is answered. */
static void begin_answer(struct h2_call *call)
{
    move(call, H2_CALL_ANSWERING);
    buf_fini(&call->message);
    intake_export_release(&call->export);
    h2_loop_wait(call->loop, call); /* a new deadline: for the client to take it */
    h2_loop_touch(call->loop, call->conn);
}

static void answer(struct h2_call *call, const struct intake_answer *what, struct slice response)
{
    begin_answer(call);
    h2_trace_end(call, what);
    if (what->code == INTAKE_CODE_OK)
        h2_reply_ok(call, response);
    else
        h2_reply_failure(call, what);
}

void h2_call_answer_export(struct h2_call *call)
{
    const struct intake_answer *what = &call->export.answer;
    struct buf response;

    fault_point("receiver.answer");
    buf_init(&response, INTAKE_ANSWER_BYTES_MAX);
    if (what->code == INTAKE_CODE_OK)
        intake_answer_put_response(what, &response);
    answer(call, what, buf_slice(&response));
    buf_fini(&response);
}

/* With an answer of this file's. */
static void answer_counted(struct h2_call *call, const struct intake_answer *what)
{
    metrics_add(intake_answer_metric(what), 1);
    answer(call, what, slice_of(NULL, 0));
}

void h2_call_refuse(struct h2_call *call, const struct err *failure)
{
    intake_export_refuse(&call->export, failure);
    h2_call_answer_export(call);
}

void h2_call_refuse_as(struct h2_call *call, enum intake_code code, const char *format, ...)
{
    struct intake_answer what;
    char text[ERR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    intake_answer_set(&what, code, "%s", text);
    answer_counted(call, &what);
}

/* --- admission ----------------------------------------------------------------- */

/* On another thread: the writer's, or that of large requests. */
static void note_done(struct intake_export *export)
{
    struct h2_call *call = (struct h2_call *)(void *)((char *)export - offsetof(struct h2_call, export));

    h2_loop_stored(call->loop, call);
}

static void admit_export(struct h2_call *call)
{
    h2_trace_begin(call);
    if (!intake_export_begin(&call->export, call->loop->server->intake, note_done)) {
        h2_call_answer_export(call);
        return;
    }
    move(call, H2_CALL_READING);
}

void h2_call_admit(struct h2_call *call)
{
    struct intake_answer what;
    int status = h2_request_check(&call->request, options_of(call)->max_header_bytes, &what);

    if (status == 200)
        answer_counted(call, &what);
    else if (status != 0) {
        begin_answer(call);
        h2_reply_http(call, status);
    } else if (call->request.method == H2_METHOD_EXPORT)
        admit_export(call);
    else
        move(call, H2_CALL_READING);
}

/* --- the message ---------------------------------------------------------------- */

static void answer_health(struct h2_call *call)
{
    struct intake_answer what = {.code = INTAKE_CODE_OK};
    struct buf response;

    buf_init(&response, H2_HEALTH_BYTES_MAX);
    if (h2_health_check(buf_slice(&call->message), intake_is_open(call->loop->server->intake), &response, &what) != 0)
        buf_clear(&response);
    answer(call, &what, buf_slice(&response));
    buf_fini(&response);
}

static void store(struct h2_call *call)
{
    enum otlp_codec codec = call->prefix[0] == 1 ? call->request.codec : OTLP_CODEC_IDENTITY;

    /* From here to h2_loop_stored the call may be another thread's: it must look so before it is. */
    move(call, H2_CALL_STORING);
    h2_loop_unwait(call->loop, call);
    call->loop->storing++;
    if (intake_export_store(&call->export, &call->loop->scratch, INTAKE_PROTOBUF, codec, &call->message))
        return;
    call->loop->storing--;
    h2_call_answer_export(call);
}

void h2_call_end_message(struct h2_call *call)
{
    if (call->state != H2_CALL_READING)
        return;
    if (call->prefix_len < H2_PREFIX_BYTES)
        h2_call_refuse_as(call, INTAKE_CODE_INVALID_ARGUMENT, "the call carried no message");
    else if (call->message.len < call->message_len)
        h2_call_refuse_as(call, INTAKE_CODE_INVALID_ARGUMENT, "the message ends after %zu of its %zu bytes",
                          call->message.len, call->message_len);
    else if (call->request.method == H2_METHOD_HEALTH)
        answer_health(call);
    else
        store(call);
}

/* --- the end ------------------------------------------------------------------- */

void h2_call_step_stored(struct h2_call *call)
{
    assert(call->state == H2_CALL_STORING && call->loop->storing > 0);
    call->loop->storing--;
    intake_export_finish(&call->export);
    if (call->conn == NULL)
        free_call(call);
    else
        h2_call_answer_export(call);
}

void h2_call_overdue(struct h2_call *call)
{
    struct intake_answer what;

    if (call->state == H2_CALL_ANSWERING) {
        h2_loop_unwait(call->loop, call);
        nghttp2_submit_rst_stream(call->conn->session, NGHTTP2_FLAG_NONE, call->stream_id, NGHTTP2_CANCEL);
        h2_loop_touch(call->loop, call->conn);
        return;
    }
    intake_answer_set(&what, INTAKE_CODE_DEADLINE_EXCEEDED, "the request did not come in within %u ms",
                      options_of(call)->read_timeout_ms);
    answer_counted(call, &what);
}

static void leave_conn(struct h2_call *call)
{
    struct h2_conn *conn = call->conn;

    if (call->conn_prev != NULL)
        call->conn_prev->conn_next = call->conn_next;
    else
        conn->calls = call->conn_next;
    if (call->conn_next != NULL)
        call->conn_next->conn_prev = call->conn_prev;
    if (conn->calls == NULL)
        conn->idle_since_ns = clock_mono_ns();
    call->conn = NULL;
}

void h2_call_stream_gone(struct h2_call *call)
{
    if (call->state == H2_CALL_ANSWERING)
        fault_point("receiver.answered");
    leave_conn(call);
    if (call->state != H2_CALL_STORING)
        free_call(call);
}
