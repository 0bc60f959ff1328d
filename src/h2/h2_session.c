/*
 * h2_session.c - nghttp2's callbacks: streams become calls.
 *
 * Run on the connection's loop, inside nghttp2_session_mem_recv and
 * nghttp2_session_mem_send.  Only requests make calls: nghttp2 keeps order
 * among frames, and refuses streams above the number that was announced.
 *
 * A callback fails for its stream only: what is wrong with one is answered or
 * reset, and the others on the connection go on.
 */
#include "h2_internal.h"

static struct h2_call *call_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct h2_conn *conn = user_data;
    struct h2_call *call;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    call = h2_call_new(conn, frame->hd.stream_id);
    if (call == NULL)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
    else
        nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *user_data)
{
    const struct h2_server_options *options = &((struct h2_conn *)user_data)->loop->server->options;
    struct h2_call *call = call_of(session, frame->hd.stream_id);

    (void)flags;
    if (call == NULL || call->state != H2_CALL_HEADERS)
        return 0;
    h2_request_take(&call->request, slice_of(name, name_len), slice_of(value, value_len), options->tokens);
    /*
     * A few more than are allowed are looked at, so that the client can be told.
     * But a byte on the wire may stand for a field of 4 kB: what comes then is
     * not even checked by nghttp2, which resets the stream.
     */
    return call->request.header_bytes > H2_HEADER_FACTOR * options->max_header_bytes
               ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE
               : 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct h2_conn *conn = user_data;
    struct h2_call *call;

    if (frame->hd.type == NGHTTP2_SETTINGS)
        conn->has_greeted = true;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    call = call_of(session, frame->hd.stream_id);
    if (call == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && call->state == H2_CALL_HEADERS)
        h2_call_admit(call);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        h2_call_end_message(call);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data, size_t len,
                   void *user_data)
{
    struct h2_call *call = call_of(session, stream_id);

    (void)flags;
    (void)user_data;
    if (call != NULL)
        h2_message_feed(call, slice_of(data, len));
    return 0;
}

/* An answer that ends the stream while the client still sends: tell it to stop (RFC 9113, 8.1). */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    (void)user_data;
    if (frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *user_data)
{
    struct h2_call *call = call_of(session, stream_id);

    (void)error_code;
    (void)user_data;
    if (call != NULL) {
        nghttp2_session_set_stream_user_data(session, stream_id, NULL);
        h2_call_stream_gone(call);
    }
    return 0;
}

nghttp2_session_callbacks *h2_session_callbacks(void)
{
    nghttp2_session_callbacks *callbacks;

    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    return callbacks;
}
