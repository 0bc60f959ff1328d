/*
 * seed_transport.c - inputs for fuzz_h2 and fuzz_http to begin with:
 *
 *   seed_transport DIRECTORY REQUEST.pb...   makes DIRECTORY/h2 and /http
 *
 * Of each request what a client sends: HTTP/2's frames after its preface, and
 * HTTP/1.1; then what is no Export.
 */
#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"

#define REQUEST_BYTES_MAX 8192 /* more than fuzzing gets to is of no use */
#define SEED_BYTES_MAX (64UL << 10)
#define PREFACE_BYTES 24

static const char *directory;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "seed_transport: %s\n", what);
    exit(1);
}

static void write_seed(const char *kind, const char *name, struct slice bytes)
{
    char path[512];
    int fd;

    snprintf(path, sizeof(path), "%s/%s/%s", directory, kind, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    require(fd != -1 && write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len, "cannot write a seed");
    close(fd);
}

/* --- HTTP/2 -------------------------------------------------------------------- */

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t size, uint32_t *flags,
                         nghttp2_data_source *source, void *user_data)
{
    struct slice *body = source->ptr;
    size_t len = body->len < size ? body->len : size;

    (void)session;
    (void)stream_id;
    (void)user_data;
    memcpy(out, body->data, len);
    *body = slice_of(body->data + len, body->len - len);
    if (body->len == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value), 0};
}

static void seed_h2(const char *name, const char *path, const char *encoding, struct slice body)
{
    const nghttp2_nv fields[] = {
        field(":method", "POST"),        field(":scheme", "http"), field(":path", path),
        field(":authority", "x"),        field("te", "trailers"),  field("content-type", "application/grpc"),
        field("grpc-encoding", encoding)};
    nghttp2_data_provider provider = {.source.ptr = &body, .read_callback = read_body};
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session = NULL;
    struct buf out;

    buf_init(&out, SEED_BYTES_MAX);
    require(nghttp2_session_callbacks_new(&callbacks) == 0 &&
                nghttp2_session_client_new(&session, callbacks, NULL) == 0 &&
                nghttp2_submit_request(session, NULL, fields, sizeof(fields) / sizeof(fields[0]), &provider, NULL) > 0,
            "no HTTP/2 session can be made");
    for (;;) {
        const uint8_t *data;
        ssize_t len = nghttp2_session_mem_send(session, &data);

        require(len >= 0, "no frame can be made");
        if (len == 0)
            break;
        buf_append(&out, data, (size_t)len);
    }
    require(out.len > PREFACE_BYTES && !out.failed, "a seed is too long");
    write_seed("h2", name, slice_of(out.data + PREFACE_BYTES, out.len - PREFACE_BYTES));
    nghttp2_session_del(session);
    nghttp2_session_callbacks_del(callbacks);
    buf_fini(&out);
}

static void put_message(struct buf *out, struct slice message)
{
    const uint8_t prefix[] = {0, (uint8_t)(message.len >> 24), (uint8_t)(message.len >> 16),
                              (uint8_t)(message.len >> 8), (uint8_t)message.len};

    buf_append(out, prefix, sizeof(prefix));
    buf_append(out, message.data, message.len);
}

/* --- HTTP/1.1 -------------------------------------------------------------------- */

static void seed_http(const char *name, const char *head, struct slice body)
{
    struct buf out;

    buf_init(&out, SEED_BYTES_MAX);
    buf_printf(&out, "%s\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", head, body.len);
    buf_append(&out, body.data, body.len);
    write_seed("http", name, buf_slice(&out));
    buf_fini(&out);
}

static void seed_http_kinds(void)
{
    static const char json[] = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"
                               "\"5b8efff798038103d269b633813fc60c\",\"spanId\":\"eee19b7ec3c1b174\"}]}]}]}";
    static const char chunked[] = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n2\r\n\x0a\x00\r\n0\r\n\r\n";

    seed_http("json", "POST /v1/traces HTTP/1.1\r\nContent-Type: application/json; charset=utf-8",
              slice_of(json, sizeof(json) - 1));
    seed_http("get", "GET /v1/traces?x=y HTTP/1.1\r\nConnection: close", slice_of("", 0));
    seed_http("continue", "POST /v1/traces HTTP/1.1\r\nExpect: 100-continue\r\nContent-Type: application/x-protobuf",
              slice_of("", 0));
    seed_http("gzip", "POST /v1/traces HTTP/1.0\r\nContent-Encoding: gzip\r\nContent-Type: application/x-protobuf",
              slice_of("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", 20));
    write_seed("http", "chunked", slice_of(chunked, sizeof(chunked) - 1));
}

/* --- each request ------------------------------------------------------------------ */

static void seed_request(const char *path, unsigned number)
{
    uint8_t bytes[REQUEST_BYTES_MAX];
    int fd = open(path, O_RDONLY);
    ssize_t len = fd == -1 ? -1 : read(fd, bytes, sizeof(bytes));
    struct buf message;
    char name[32];

    require(len >= 0, path);
    close(fd);
    if (len == (ssize_t)sizeof(bytes)) /* there may be more: a cut request is no Export */
        return;
    snprintf(name, sizeof(name), "request-%u", number);
    buf_init(&message, SEED_BYTES_MAX);
    put_message(&message, slice_of(bytes, (size_t)len));
    seed_h2(name, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "identity", buf_slice(&message));
    seed_http(name, "POST /v1/traces HTTP/1.1\r\nContent-Type: application/x-protobuf", slice_of(bytes, (size_t)len));
    buf_fini(&message);
}

int main(int argc, char **argv)
{
    char path[512];

    require(argc >= 3, "usage: seed_transport DIRECTORY REQUEST.pb...");
    directory = argv[1];
    mkdir(directory, 0755);
    snprintf(path, sizeof(path), "%s/h2", directory);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/http", directory);
    mkdir(path, 0755);
    for (int i = 2; i < argc; i++)
        seed_request(argv[i], (unsigned)i);
    seed_h2("health", "/grpc.health.v1.Health/Check", "gzip", slice_of("\0\0\0\0\0", 5));
    seed_http_kinds();
    return 0;
}
