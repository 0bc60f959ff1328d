/*
 * ingest_connection.c - gRPC's unary call on nghttp2's client.
 *
 * nghttp2 decides what may be sent, by the windows and the number of streams
 * that the server allows; what it lets go is gathered in `out` and written in
 * one call.  A request is not copied: nghttp2 asks for so many bytes of it and
 * gets the header of a frame to put before them.
 *
 * A connection that the server closes or that breaks ends the run: calls on it
 * have no answer, and a load that goes on without them is another load.
 */
#include "ingest_connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ingest_socket.h"
#include "otlp_response.h"

#define READ_BYTES (64UL << 10)
#define FRAME_HEAD_BYTES 9
#define HEADER(name, value)                                                                                            \
    {                                                                                                                  \
        (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, strlen(value),                                        \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE                                               \
    }

/* --- what nghttp2 calls ------------------------------------------------------ */

static ssize_t send_bytes(nghttp2_session *session, const uint8_t *data, size_t len, int flags, void *context)
{
    struct ingest_connection *connection = context;

    (void)session;
    (void)flags;
    if (!ingest_out_put(&connection->out, slice_of(data, len), slice_of(NULL, 0)))
        return NGHTTP2_ERR_WOULDBLOCK;
    return (ssize_t)len;
}

/* How much of a request comes next; send_request puts it. */
static ssize_t offer_request(nghttp2_session *session, int32_t stream, uint8_t *room, size_t len, uint32_t *flags,
                             nghttp2_data_source *source, void *context)
{
    const struct ingest_call *call = source->ptr;
    size_t left = call->request->frame.len - call->sent;

    (void)session;
    (void)stream;
    (void)room;
    (void)context;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (left <= len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)(left < len ? left : len);
}

static int send_request(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t len,
                        nghttp2_data_source *source, void *context)
{
    struct ingest_connection *connection = context;
    struct ingest_call *call = source->ptr;
    struct slice body = slice_of(call->request->frame.data + call->sent, len);

    (void)session;
    assert(frame->data.padlen == 0);
    if (!ingest_out_put(&connection->out, slice_of(head, FRAME_HEAD_BYTES), body))
        return NGHTTP2_ERR_WOULDBLOCK;
    call->sent += len;
    return 0;
}

static int take_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                       const uint8_t *value, size_t value_len, uint8_t flags, void *context)
{
    struct ingest_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    (void)flags;
    (void)context;
    if (call != NULL)
        ingest_reply_header(&call->reply, slice_of(name, name_len), slice_of(value, value_len));
    return 0;
}

static int take_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t len,
                     void *context)
{
    struct ingest_call *call = nghttp2_session_get_stream_user_data(session, stream);

    (void)flags;
    (void)context;
    if (call != NULL)
        ingest_reply_data(&call->reply, slice_of(data, len));
    return 0;
}

static int take_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct ingest_connection *connection = context;
    struct ingest_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_GOAWAY)
        err_set(&connection->going_away, ERR_RETRY, 0, "the server sent GOAWAY, %s: %.*s",
                nghttp2_http2_strerror(frame->goaway.error_code), (int)frame->goaway.opaque_data_len,
                (const char *)frame->goaway.opaque_data);
    if (call != NULL && (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        call->reply.ended = true;
    return 0;
}

static int end_call(nghttp2_session *session, int32_t stream, uint32_t http2_error, void *context)
{
    struct ingest_connection *connection = context;
    struct ingest_call *call = nghttp2_session_get_stream_user_data(session, stream);

    (void)http2_error; /* a reply that was not complete says enough */
    if (call == NULL)
        return 0;
    connection->ended(connection->context, call, ingest_reply_judge(&call->reply));
    connection->ready[(connection->ready_first + connection->ready_count++) % connection->ready_size] = call->request;
    call->next = connection->idle;
    connection->idle = call;
    connection->in_flight--;
    return 0;
}

/* --- opening and closing ------------------------------------------------------ */

static int start_session(struct ingest_connection *connection, struct err *err)
{
    static const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    nghttp2_session_callbacks *callbacks;
    int rc = nghttp2_session_callbacks_new(&callbacks);

    if (rc != 0)
        return err_set(err, ERR_BUSY, rc, "nghttp2: %s", nghttp2_strerror(rc));
    nghttp2_session_callbacks_set_send_callback(callbacks, send_bytes);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_request);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, take_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, take_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, end_call);
    rc = nghttp2_session_client_new(&connection->session, callbacks, connection);
    nghttp2_session_callbacks_del(callbacks);
    if (rc == 0)
        rc = nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, 1);
    return rc == 0 ? 0 : err_set(err, ERR_BUSY, rc, "nghttp2: %s", nghttp2_strerror(rc));
}

static int prepare_calls(struct ingest_connection *connection, unsigned calls, const struct ingest_pool *pool,
                         unsigned first, unsigned every, struct err *err)
{
    connection->ready_size = pool->count > first ? (pool->count - first + every - 1) / every : 0;
    assert(connection->ready_size >= calls);
    connection->calls = calloc(calls, sizeof(*connection->calls));
    connection->ready = calloc(connection->ready_size, sizeof(struct ingest_request *));
    if (connection->calls == NULL || connection->ready == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory for %u calls", calls);
    for (unsigned i = 0; i < calls; i++) {
        connection->calls[i].next = connection->idle;
        connection->idle = &connection->calls[i];
    }
    while (connection->ready_count < connection->ready_size) {
        connection->ready[connection->ready_count] = &pool->requests[first + connection->ready_count * every];
        connection->ready_count++;
    }
    return 0;
}

int ingest_connection_open(struct ingest_connection *connection, const char *target, unsigned calls,
                           const struct ingest_pool *pool, unsigned first, unsigned every, uint64_t seed,
                           struct err *err)
{
    connection->authority = target;
    connection->random = seed;
    connection->fd = ingest_socket_connect(target, err);
    if (connection->fd == -1)
        return -1;
    if (prepare_calls(connection, calls, pool, first, every, err) < 0 || start_session(connection, err) < 0) {
        ingest_connection_close(connection);
        return -1;
    }
    return 0;
}

void ingest_connection_close(struct ingest_connection *connection)
{
    nghttp2_session_del(connection->session);
    close(connection->fd);
    free(connection->calls);
    free(connection->ready);
}

/* --- calls --------------------------------------------------------------------- */

bool ingest_connection_takes(const struct ingest_connection *connection)
{
    return connection->idle != NULL && ingest_out_is_empty(&connection->out);
}

static int submit(struct ingest_connection *connection, struct ingest_call *call, struct err *err)
{
    const nghttp2_nv headers[] = {
        HEADER(":method", "POST"),
        HEADER(":scheme", "http"),
        HEADER(":path", OTLP_EXPORT_METHOD),
        HEADER(":authority", connection->authority),
        HEADER("te", "trailers"),
        HEADER("content-type", "application/grpc"),
        HEADER("user-agent", "tracespool-ingest-load"),
    };
    nghttp2_data_provider body = {.source.ptr = call, .read_callback = offer_request};
    int32_t rc =
        nghttp2_submit_request(connection->session, NULL, headers, sizeof(headers) / sizeof(headers[0]), &body, call);

    return rc > 0 ? 0 : err_set(err, ERR_RETRY, rc, "nghttp2: %s", nghttp2_strerror(rc));
}

int ingest_connection_call(struct ingest_connection *connection, uint64_t due_ns, struct err *err)
{
    struct ingest_call *call = connection->idle;

    assert(ingest_connection_takes(connection) && connection->ready_count > 0);
    connection->idle = call->next;
    *call = (struct ingest_call){.request = connection->ready[connection->ready_first], .due_ns = due_ns};
    connection->ready_first = (connection->ready_first + 1) % connection->ready_size;
    connection->ready_count--;
    connection->in_flight++;
    ingest_request_renew(call->request, &connection->random);
    return submit(connection, call, err);
}

int ingest_connection_write(struct ingest_connection *connection, struct err *err)
{
    do {
        int rc = nghttp2_session_send(connection->session);

        if (rc != 0)
            return err_set(err, ERR_RETRY, rc, "nghttp2: %s", nghttp2_strerror(rc));
        if (ingest_out_is_empty(&connection->out))
            return 0;
        if (ingest_out_flush(&connection->out, connection->fd, err) < 0)
            return -1;
    } while (ingest_out_is_empty(&connection->out));
    return 0;
}

/* A read that does not fill the room has emptied the socket. */
int ingest_connection_read(struct ingest_connection *connection, struct err *err)
{
    uint8_t room[READ_BYTES];
    ssize_t len = READ_BYTES, taken;

    while (len == READ_BYTES) {
        len = recv(connection->fd, room, READ_BYTES, 0);
        if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (len < 0)
            return err_set(err, ERR_RETRY, errno, "cannot read: %s", strerror(errno));
        if (len == 0)
            return err_set(err, ERR_RETRY, 0, "the server closed the connection");
        taken = nghttp2_session_mem_recv(connection->session, room, (size_t)len);
        if (taken < 0)
            return err_set(err, ERR_RETRY, (int)taken, "nghttp2: %s", nghttp2_strerror((int)taken));
    }
    if (connection->going_away.class == ERR_NONE)
        return 0;
    *err = connection->going_away;
    return -1;
}
