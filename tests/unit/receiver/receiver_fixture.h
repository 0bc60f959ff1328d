/*
 * receiver_fixture.h - a receiver over a real spool in a temporary directory,
 * requests to send to it, and calls that export_client does not make.
 */
#ifndef RECEIVER_FIXTURE_H
#define RECEIVER_FIXTURE_H

#include <grpc/grpc.h>
#include <stdbool.h>
#include <stdint.h>

#include "export_client.h"
#include "otlp_codec.h"
#include "receiver_internal.h"
#include "spool.h"
#include "spool_writer.h"

#define FIXTURE_MAX_REQUEST_BYTES (1UL << 20)
#define FIXTURE_TIMEOUT_MS 20000 /* for anything that must happen */

struct fixture {
    char path[64];
    struct spool *spool;
    struct spool_writer *writer;
    struct receiver *receiver;
    char endpoint[64];
    struct export_client *client;
};

/* cmocka's setup and teardown; *state is the struct fixture.  A smaller spool fills sooner. */
int fixture_start(void **state);
int fixture_start_small(void **state);
int fixture_stop(void **state);

/* Stops and closes in the daemon's order, once; what is left is for fixture_stop. */
void fixture_stop_receiver(struct fixture *fixture, unsigned timeout_ms);

struct spool_stat fixture_stat(struct fixture *fixture);

/* Sends with the fixture's client; asserts that a call was made. */
struct export_answer fixture_send(struct fixture *fixture, struct slice request, bool gzip);

/* The record `seq`, inflated into `out`. */
struct spool_record fixture_read(struct fixture *fixture, uint64_t seq, struct buf *out);

/* Appends a ResourceSpans with one span; `name` may be any bytes. */
void fixture_put_span(struct buf *out, const char *trace_id, const char *span_id, struct slice name);

/* Waits until `reached` is true; asserts that it becomes so. */
void fixture_wait(bool (*reached)(void *context), void *context);

/* Waits until no call is in hand and none but the requested ones exists. */
void fixture_wait_idle(struct fixture *fixture);

/* A call by hand: the bytes go out as they are, flagged as compressed by `compression`. NULL `message`: none is sent. */
struct raw_call {
    const char *method;
    const struct slice *message;
    grpc_compression_algorithm compression;
    bool keep_open; /* no half-close: the server waits for more */
    unsigned timeout_ms;

    /* filled */
    int code;
    char text[512];
    bool has_retry;
    bool has_details;
};

void fixture_raw_call(struct fixture *fixture, struct raw_call *raw);

#endif
