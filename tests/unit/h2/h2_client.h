/*
 * h2_client.h - clients of the server that intake_rig.h runs: HTTP/2 by
 * nghttp2, or bytes put together by hand.
 *
 * Everything asserts; waits have a deadline.
 */
#ifndef H2_CLIENT_H
#define H2_CLIENT_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>

#include "intake_rig.h"

#define CLIENT_STREAMS_MAX 300

/* --- a client -------------------------------------------------------------------- */

struct h2_stream {
    int32_t id;
    struct slice upload; /* sent by pieces: a DATA frame each */
    size_t piece;
    size_t sent;
    bool keep_open; /* no END_STREAM after it */
    struct buf head;
    struct buf trailers;
    struct buf body;
    bool is_trailers_only; /* END_STREAM on the first HEADERS */
    bool is_ended;         /* END_STREAM has come */
    bool is_reset;         /* RST_STREAM has come */
    uint32_t reset_code;
    bool is_closed;
};

struct h2_client {
    int fd;
    nghttp2_session *session;
    struct h2_stream streams[CLIENT_STREAMS_MAX];
    unsigned stream_count;
    bool has_goaway;
    uint32_t goaway_code;
    int32_t goaway_last;
    bool has_settings_ack;
    bool is_over; /* the server has closed */
};

/* HTTP/2 with `window` as the initial window of streams; settings are exchanged when this returns. */
struct h2_client *client_open(uint32_t window);
struct h2_client *client_open_on(int fd, uint32_t window);
void client_close(struct h2_client *client);

struct h2_call_options {
    const char *path;         /* NULL: Export */
    const char *method;       /* NULL: POST */
    const char *content_type; /* NULL: application/grpc */
    const char *encoding;     /* grpc-encoding; NULL: none */
    const char *name;         /* one more field; NULL: none */
    const char *value;
    size_t piece;        /* bytes in a DATA frame; 0: as nghttp2 has it */
    bool keep_open;      /* no END_STREAM */
    bool without_upload; /* END_STREAM on the HEADERS */
};

/* Submits a call that carries `upload` as it is (which must live on), and sends what can be. */
struct h2_stream *client_call(struct h2_client *client, const struct h2_call_options *options, struct slice upload);

/* A gRPC message: flag, length, bytes. Appended to `out`. */
void client_put_message(struct buf *out, unsigned flag, struct slice bytes);

void client_reset(struct h2_client *client, struct h2_stream *stream, uint32_t code);
void client_send(struct h2_client *client); /* what nghttp2 has queued */

/* Exchanges until the stream is closed; until the server has closed; until all that is due has been exchanged. */
void client_finish(struct h2_client *client, struct h2_stream *stream);
void client_finish_all(struct h2_client *client);
void client_await_end(struct h2_client *client);
void client_step(struct h2_client *client); /* waits for one read, or the end */

/* A field of the answer's head or trailers; NULL: not there.  Static storage. */
const char *client_field(const struct h2_stream *stream, const char *name);
int client_status(const struct h2_stream *stream);      /* :status */
int client_grpc_status(const struct h2_stream *stream); /* -1: none */

/* --- bytes by hand --------------------------------------------------------------- */

/* Appends a frame with its header. */
void client_put_frame(struct buf *out, unsigned type, unsigned flags, uint32_t stream_id, struct slice payload);

/* Appends client preface and an empty SETTINGS. */
void client_put_greeting(struct buf *out);

/* Appends the header block of a POST for an Export, every field a literal. */
void client_put_export_fields(struct buf *out);

/* Appends a HEADERS frame with that block. */
void client_put_export_headers(struct buf *out, unsigned flags, uint32_t stream_id);

/* A field as a literal that is not indexed. */
void client_put_field(struct buf *out, const char *name, const char *value);

/* Reads frames until one of `type` is there; its payload into `payload`.  False: the connection has ended. */
bool client_await_frame(int fd, unsigned type, struct buf *payload);

#endif
