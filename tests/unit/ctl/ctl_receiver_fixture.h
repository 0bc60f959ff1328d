/*
 * ctl_receiver_fixture.h - a receiver over a spool of its own, for what the command sends.
 */
#ifndef TRACESPOOL_CTL_RECEIVER_FIXTURE_H
#define TRACESPOOL_CTL_RECEIVER_FIXTURE_H

#include "bounds.h"
#include "ctl_run_fixture.h"
#include "export_grpc.h"
#include "receiver.h"

/* A request that is sent as a file. */
#define FILE_OF(name) TEST_DATA_DIR "/otlp/" name

struct receiver_fixture {
    struct spool_fixture spool;
    struct receiver *receiver;
    char endpoint[64];
};

/* gRPC on a free port of loopback, with bounds that no test comes near. */
static inline void fixture_start_receiver(struct receiver_fixture *fixture)
{
    struct receiver_options options = {
        .grpc = "127.0.0.1:0",
        .threads = 1,
        .intake = {.max_request_bytes = 1UL << 20,
                   .max_depth = OTLP_DEPTH_MAX,
                   .max_in_flight_bytes = 64UL << 20,
                   .max_calls = 64},
        .max_connections = 16,
        .max_header_bytes = 16UL << 10,
        .read_timeout_ms = 20000,
        .idle_timeout_ms = 20000,
    };
    struct err err;

    fixture_open_spool(&fixture->spool);
    export_grpc_init();
    assert_int_equal(receiver_start(&fixture->receiver, &options, fixture->spool.writer, &err), 0);
    snprintf(fixture->endpoint, sizeof(fixture->endpoint), "127.0.0.1:%d", receiver_grpc_port(fixture->receiver));
}

/* The spool goes with it. */
static inline void fixture_stop_receiver(struct receiver_fixture *fixture)
{
    receiver_stop(fixture->receiver, 1000);
    export_grpc_shutdown();
    fixture_remove_spool(&fixture->spool);
}

/* How many requests it has stored. */
static inline uint64_t fixture_received(const struct receiver_fixture *fixture)
{
    struct spool_stat stat;
    struct err err;

    assert_int_equal(spool_stat(fixture->spool.spool, &stat, &err), 0);
    return stat.received_records;
}

#endif
