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
#include "intake_home.h"
#include "otlp_codec.h"
#include "receiver.h"

#define FIXTURE_MAX_REQUEST_BYTES (1UL << 20)

struct fixture {
    struct home home;
    struct receiver *receiver;
    char endpoint[64];
    struct export_client *client;
};

/* Both endpoints on loopback, bounds that no test comes near, timeouts that no test waits for. */
struct receiver_options fixture_options(void);

/* cmocka's setup and teardown; *state is the struct fixture.  A smaller spool fills sooner. */
int fixture_start(void **state);
int fixture_start_small(void **state);
int fixture_stop(void **state);

/* A receiver with options of the test's own in place of the fixture's. */
void fixture_restart(struct fixture *fixture, const struct receiver_options *options);

/* Stops and closes in the daemon's order, once; what is left is for fixture_stop. */
void fixture_stop_receiver(struct fixture *fixture, unsigned timeout_ms);

/* Sends with the fixture's client; asserts that a call was made. */
struct export_answer fixture_send(struct fixture *fixture, struct slice request, bool gzip);

/*
 * A call by hand: the bytes go out as they are, flagged as compressed when
 * `encoding` is not NULL, which is sent as grpc-encoding.  NULL `message`: none is sent.
 */
struct raw_call {
    const char *method;
    const struct slice *message;
    const char *encoding;
    bool keep_open; /* no half-close: the server waits for more */

    /* filled */
    int code;
    char text[512];
    bool has_retry;
    bool has_details;
};

void fixture_raw_call(struct fixture *fixture, struct raw_call *raw);

#endif
