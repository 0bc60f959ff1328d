/*
 * ingest_reply.h - what a server answered, gathered piece by piece, and what
 * it means.
 */
#ifndef TRACESPOOL_INGEST_REPLY_H
#define TRACESPOOL_INGEST_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

#define INGEST_CODES 17 /* gRPC's, from OK to UNAUTHENTICATED */
#define INGEST_BODY_BYTES_MAX 1024

enum ingest_verdict {
    INGEST_OK,      /* HTTP 200, one well-formed message that rejects nothing, grpc-status 0 at the end */
    INGEST_PARTIAL, /* the same, but spans were rejected */
    INGEST_REFUSED, /* another grpc-status, which reply.grpc_status has */
    INGEST_BROKEN,  /* no gRPC answer: another HTTP status or content type, no grpc-status, a message that is none */
    INGEST_RESET,   /* the stream was closed before an answer was complete */
    INGEST_VERDICTS
};

/* All zero: nothing has come. */
struct ingest_reply {
    int http_status;
    int grpc_status; /* when has_grpc_status */
    bool has_grpc_status;
    bool is_grpc;  /* by the content type */
    bool ended;    /* END_STREAM has come */
    bool too_long; /* the body */
    size_t body_len;
    uint8_t body[INGEST_BODY_BYTES_MAX];
};

/* Of headers and trailers alike: an answer may consist of trailers only. */
void ingest_reply_header(struct ingest_reply *reply, struct slice name, struct slice value);
void ingest_reply_data(struct ingest_reply *reply, struct slice data);

/* When the stream is closed.  What is not clearly OK is not INGEST_OK. */
enum ingest_verdict ingest_reply_judge(const struct ingest_reply *reply);

/* "OK", "CANCELLED", ... */
const char *ingest_reply_code_name(unsigned code);
/* "ok", "partial", ... */
const char *ingest_reply_verdict_name(enum ingest_verdict verdict);

#endif
