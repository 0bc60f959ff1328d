/*
 * h2_client.c - see h2_client.h.
 */
#include "h2_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "otlp_response.h"

#define TEXT_MAX (1UL << 20)
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* --- nghttp2's callbacks ---------------------------------------------------------- */

static struct h2_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *user_data)
{
    struct h2_stream *stream = stream_of(session, frame->hd.stream_id);
    struct buf *out = frame->headers.cat == NGHTTP2_HCAT_RESPONSE ? &stream->head : &stream->trailers;

    (void)flags;
    (void)user_data;
    buf_printf(out, "%.*s: %.*s\n", (int)name_len, (const char *)name, (int)value_len, (const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                   void *user_data)
{
    (void)flags;
    (void)user_data;
    return buf_append(&stream_of(session, id)->body, data, len);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct h2_stream *stream = frame->hd.stream_id == 0 ? NULL : stream_of(session, frame->hd.stream_id);
    struct h2_client *client = user_data;
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    switch (frame->hd.type) {
    case NGHTTP2_SETTINGS:
        client->has_settings_ack |= (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
        break;
    case NGHTTP2_GOAWAY:
        client->has_goaway = true;
        client->goaway_code = frame->goaway.error_code;
        client->goaway_last = frame->goaway.last_stream_id;
        break;
    case NGHTTP2_HEADERS:
        stream->is_trailers_only = ends && frame->headers.cat == NGHTTP2_HCAT_RESPONSE;
        stream->is_ended |= ends;
        break;
    case NGHTTP2_DATA:
        stream->is_ended |= ends;
        break;
    case NGHTTP2_RST_STREAM:
        if (stream != NULL) {
            stream->is_reset = true;
            stream->reset_code = frame->rst_stream.error_code;
        }
        break;
    default:
        break;
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user_data)
{
    struct h2_stream *stream = stream_of(session, id);

    (void)code;
    (void)user_data;
    if (stream != NULL)
        stream->is_closed = true;
    return 0;
}

static ssize_t read_upload(nghttp2_session *session, int32_t id, uint8_t *out, size_t size, uint32_t *flags,
                           nghttp2_data_source *source, void *user_data)
{
    struct h2_stream *stream = source->ptr;
    size_t left = stream->upload.len - stream->sent;
    size_t len = stream->piece != 0 && stream->piece < size ? stream->piece : size;

    (void)session;
    (void)id;
    (void)user_data;
    if (left == 0 && stream->keep_open)
        return NGHTTP2_ERR_DEFERRED;
    len = len < left ? len : left;
    if (len > 0)
        memcpy(out, stream->upload.data + stream->sent, len);
    stream->sent += len;
    if (len == left && !stream->keep_open)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

/* --- a client --------------------------------------------------------------------- */

static void make_session(struct h2_client *client)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;

    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&options), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option_set_no_closed_streams(options, 1);
    assert_int_equal(nghttp2_session_client_new2(&client->session, callbacks, client, options), 0);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
}

struct h2_client *client_open(uint32_t window)
{
    return client_open_on(rig_connect(), window);
}

struct h2_client *client_open_on(int fd, uint32_t window)
{
    const nghttp2_settings_entry settings = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window};
    struct h2_client *client = calloc(1, sizeof(*client));

    assert_non_null(client);
    client->fd = fd;
    make_session(client);
    assert_int_equal(nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, &settings, 1), 0);
    client_send(client);
    while (!client->has_settings_ack)
        client_step(client);
    return client;
}

void client_close(struct h2_client *client)
{
    for (unsigned i = 0; i < client->stream_count; i++) {
        buf_fini(&client->streams[i].head);
        buf_fini(&client->streams[i].trailers);
        buf_fini(&client->streams[i].body);
    }
    nghttp2_session_del(client->session);
    close(client->fd);
    free(client);
}

static void add_field(nghttp2_nv *fields, size_t *count, const char *name, const char *value)
{
    if (value == NULL)
        return;
    fields[(*count)++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                                      .value = (uint8_t *)(uintptr_t)value,
                                      .namelen = strlen(name),
                                      .valuelen = strlen(value)};
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

struct h2_stream *client_call(struct h2_client *client, const struct h2_call_options *options, struct slice upload)
{
    static const struct h2_call_options plain;
    const struct h2_call_options *with = options != NULL ? options : &plain;
    struct h2_stream *stream = &client->streams[client->stream_count];
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = read_upload};
    nghttp2_nv fields[8];
    size_t count = 0;

    assert_true(client->stream_count++ < CLIENT_STREAMS_MAX);
    *stream = (struct h2_stream){.upload = upload, .piece = with->piece, .keep_open = with->keep_open};
    buf_init(&stream->head, TEXT_MAX);
    buf_init(&stream->trailers, TEXT_MAX);
    buf_init(&stream->body, TEXT_MAX);
    add_field(fields, &count, ":method", or_else(with->method, "POST"));
    add_field(fields, &count, ":scheme", "http");
    add_field(fields, &count, ":path", or_else(with->path, OTLP_EXPORT_METHOD));
    add_field(fields, &count, ":authority", "test");
    add_field(fields, &count, "content-type", or_else(with->content_type, "application/grpc"));
    add_field(fields, &count, "te", "trailers");
    add_field(fields, &count, "grpc-encoding", with->encoding);
    if (with->name != NULL)
        add_field(fields, &count, with->name, with->value);
    stream->id =
        nghttp2_submit_request(client->session, NULL, fields, count, with->without_upload ? NULL : &provider, stream);
    assert_true(stream->id > 0);
    client_send(client);
    return stream;
}

void client_put_message(struct buf *out, unsigned flag, struct slice bytes)
{
    const uint8_t prefix[5] = {(uint8_t)flag, (uint8_t)(bytes.len >> 24), (uint8_t)(bytes.len >> 16),
                               (uint8_t)(bytes.len >> 8), (uint8_t)bytes.len};

    buf_append(out, prefix, sizeof(prefix));
    buf_append(out, bytes.data, bytes.len);
    assert_false(out->failed);
}

void client_reset(struct h2_client *client, struct h2_stream *stream, uint32_t code)
{
    assert_int_equal(nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, stream->id, code), 0);
    client_send(client);
}

void client_send(struct h2_client *client)
{
    const uint8_t *data;
    ssize_t len;

    while ((len = nghttp2_session_mem_send(client->session, &data)) > 0)
        rig_write(client->fd, slice_of(data, (size_t)len)); /* that the server has closed is what the reader sees */
    assert_int_equal(len, 0);
}

void client_step(struct h2_client *client)
{
    uint8_t in[65536];
    ssize_t len = recv(client->fd, in, sizeof(in), 0);

    if (len == 0 || (len < 0 && errno == ECONNRESET)) {
        client->is_over = true;
        return;
    }
    if (len < 0)
        fail_msg("nothing came: %s", strerror(errno));
    assert_int_equal(nghttp2_session_mem_recv(client->session, in, (size_t)len), len);
    client_send(client);
}

void client_finish(struct h2_client *client, struct h2_stream *stream)
{
    while (!stream->is_closed) {
        client_step(client);
        if (client->is_over && !stream->is_closed)
            fail_msg("the server closed, and stream %d had no answer", stream->id);
    }
}

void client_finish_all(struct h2_client *client)
{
    for (unsigned i = 0; i < client->stream_count; i++)
        client_finish(client, &client->streams[i]);
}

void client_await_end(struct h2_client *client)
{
    while (!client->is_over)
        client_step(client);
}

/* --- answers ---------------------------------------------------------------------- */

static const char *find(const struct buf *fields, const char *name)
{
    static _Thread_local char value[8192];
    size_t name_len = strlen(name);
    const char *line = (const char *)fields->data, *end = fields->len == 0 ? line : line + fields->len;

    while (line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));

        if (strncmp(line, name, name_len) == 0 && strncmp(line + name_len, ": ", 2) == 0) {
            size_t len = (size_t)(next - line) - name_len - 2;

            assert_true(len < sizeof(value));
            memcpy(value, line + name_len + 2, len);
            value[len] = '\0';
            return value;
        }
        line = next + 1;
    }
    return NULL;
}

const char *client_field(const struct h2_stream *stream, const char *name)
{
    const char *value = find(&stream->head, name);

    return value != NULL ? value : find(&stream->trailers, name);
}

static int number_of(const char *text)
{
    return text == NULL ? -1 : atoi(text);
}

int client_status(const struct h2_stream *stream)
{
    return number_of(client_field(stream, ":status"));
}

int client_grpc_status(const struct h2_stream *stream)
{
    return number_of(client_field(stream, "grpc-status"));
}

/* --- bytes by hand ---------------------------------------------------------------- */

void client_put_frame(struct buf *out, unsigned type, unsigned flags, uint32_t stream_id, struct slice payload)
{
    const uint8_t header[9] = {(uint8_t)(payload.len >> 16),
                               (uint8_t)(payload.len >> 8),
                               (uint8_t)payload.len,
                               (uint8_t)type,
                               (uint8_t)flags,
                               (uint8_t)(stream_id >> 24),
                               (uint8_t)(stream_id >> 16),
                               (uint8_t)(stream_id >> 8),
                               (uint8_t)stream_id};

    buf_append(out, header, sizeof(header));
    buf_append(out, payload.data, payload.len);
    assert_false(out->failed);
}

void client_put_greeting(struct buf *out)
{
    buf_text(out, PREFACE);
    client_put_frame(out, NGHTTP2_SETTINGS, 0, 0, slice_of(NULL, 0));
}

static void put_string(struct buf *out, const char *text)
{
    size_t len = strlen(text);
    const uint8_t byte = (uint8_t)len;

    assert_true(len < 127); /* HPACK's length in 7 bits */
    buf_append(out, &byte, 1);
    buf_append(out, text, len);
}

void client_put_field(struct buf *out, const char *name, const char *value)
{
    buf_append(out, "\0", 1); /* RFC 7541, 6.2.2: literal without indexing, new name */
    put_string(out, name);
    put_string(out, value);
}

void client_put_export_fields(struct buf *out)
{
    client_put_field(out, ":method", "POST");
    client_put_field(out, ":scheme", "http");
    client_put_field(out, ":path", OTLP_EXPORT_METHOD);
    client_put_field(out, ":authority", "test");
    client_put_field(out, "content-type", "application/grpc");
    client_put_field(out, "te", "trailers");
}

void client_put_export_headers(struct buf *out, unsigned flags, uint32_t stream_id)
{
    struct buf fields;

    buf_init(&fields, TEXT_MAX);
    client_put_export_fields(&fields);
    client_put_frame(out, NGHTTP2_HEADERS, flags, stream_id, buf_slice(&fields));
    buf_fini(&fields);
}

bool client_await_frame(int fd, unsigned type, struct buf *payload)
{
    uint8_t header[9], bytes[65536];

    while (rig_read(fd, header, sizeof(header))) {
        size_t len = (size_t)header[0] << 16 | (size_t)header[1] << 8 | header[2];

        assert_true(len <= sizeof(bytes));
        if (!rig_read(fd, bytes, len))
            return false;
        if (header[3] != type)
            continue;
        buf_clear(payload);
        return buf_append(payload, bytes, len) == 0;
    }
    return false;
}
