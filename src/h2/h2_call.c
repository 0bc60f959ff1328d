/*
 * h2_call.c - the state machine of one call.
 *
 * Runs on the call's loop:
 *
 *   HEADERS    fields come in; when they are complete the call is admitted
 *   READING    the message comes in, counted as it grows
 *   STORING    the spool's writer has it; it gives it back through the loop
 *   ANSWERING  the answer is queued; the call ends with its stream
 *
 * A call that is refused goes to ANSWERING from wherever it is, and what its
 * client still sends is dropped.  A client that goes away takes the call with
 * it, unless the writer has it: then it is stored, nobody is told, and the
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
    if (what->code == INTAKE_CODE_OK)
        h2_reply_ok(call, response);
    else
        h2_reply_failure(call, what);
}

/* With export.answer, which is made and counted. */
static void answer_export(struct h2_call *call)
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

static void refuse(struct h2_call *call, const struct err *failure)
{
    intake_export_refuse(&call->export, failure);
    answer_export(call);
}

/* What is wrong is the call itself. */
static void __attribute__((format(printf, 3, 4)))
refuse_call(struct h2_call *call, enum intake_code code, const char *format, ...)
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

/* On the writer's thread. */
static void note_done(struct intake_export *export)
{
    struct h2_call *call = (struct h2_call *)(void *)((char *)export - offsetof(struct h2_call, export));

    h2_loop_stored(call->loop, call);
}

static void admit_export(struct h2_call *call)
{
    if (!intake_export_begin(&call->export, call->loop->server->intake, note_done)) {
        answer_export(call);
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
        refuse_call(call, INTAKE_CODE_INVALID_ARGUMENT, "the message's flag is %u: it must be 0 or 1 (compressed)",
                    prefix[0]);
    else if (prefix[0] == 1 && call->request.codec == OTLP_CODEC_IDENTITY)
        refuse_call(call, INTAKE_CODE_INTERNAL,
                    "the message is flagged as compressed, and the call names no grpc-encoding");
    else if (call->message_len > message_max(call)) {
        err_set(&err, ERR_POISON, EMSGSIZE, "the request is %zu bytes, %zu are allowed", call->message_len,
                message_max(call));
        if (call->request.method == H2_METHOD_EXPORT)
            refuse(call, &err);
        else
            refuse_call(call, INTAKE_CODE_INVALID_ARGUMENT, "%s", err.text);
    }
}

static bool hold(struct h2_call *call, size_t bytes)
{
    if (call->request.method != H2_METHOD_EXPORT || intake_export_hold(&call->export, bytes))
        return true;
    answer_export(call);
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
        refuse(call, &err);
    else
        refuse_call(call, INTAKE_CODE_INVALID_ARGUMENT, "%s", err.text);
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

void h2_call_feed(struct h2_call *call, struct slice bytes)
{
    if (call->state == H2_CALL_READING && call->prefix_len < H2_PREFIX_BYTES)
        bytes = feed_prefix(call, bytes);
    if (call->state != H2_CALL_READING || bytes.len == 0)
        return;
    if (bytes.len > call->message_len - call->message.len) {
        refuse_call(call, INTAKE_CODE_INVALID_ARGUMENT, "the call carries more than one message");
        return;
    }
    if (make_room(call, call->message.len + bytes.len))
        buf_append(&call->message, bytes.data, bytes.len);
}

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

    /* From here to h2_loop_stored the call is the writer's too: it must look as if the writer had it. */
    move(call, H2_CALL_STORING);
    h2_loop_unwait(call->loop, call);
    call->loop->storing++;
    if (intake_export_store(&call->export, &call->loop->scratch, INTAKE_PROTOBUF, codec, &call->message))
        return;
    call->loop->storing--;
    answer_export(call);
}

void h2_call_end_message(struct h2_call *call)
{
    if (call->state != H2_CALL_READING)
        return;
    if (call->prefix_len < H2_PREFIX_BYTES)
        refuse_call(call, INTAKE_CODE_INVALID_ARGUMENT, "the call carried no message");
    else if (call->message.len < call->message_len)
        refuse_call(call, INTAKE_CODE_INVALID_ARGUMENT, "the message ends after %zu of its %zu bytes",
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
        answer_export(call);
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
