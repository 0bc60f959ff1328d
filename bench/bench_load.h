/*
 * bench_load.h - writes records through the spool's writer, so many outstanding at a time.
 */
#ifndef TRACESPOOL_BENCH_LOAD_H
#define TRACESPOOL_BENCH_LOAD_H

#include <stdint.h>

#include "bench_shape.h"
#include "bench_tenths.h"
#include "spool_writer.h"

struct bench_load {
    struct spool_writer *writer;
    struct bench_shape *shape;
    unsigned outstanding;                        /* puts that are queued or being written at any time */
    uint64_t total_bytes;                        /* it ends when so many bytes have been put */
    uint64_t duration_ns;                        /* or after so long; UINT64_MAX: no such end */
    void (*stored)(void *context, uint64_t seq); /* NULL, or called on the writer's thread when a record is durable */
    void *context;
    struct bench_disk *disk; /* NULL, or has its turn after each tenth; the writer waits meanwhile */
};

struct bench_load_result {
    uint64_t records;
    uint64_t bytes;
    uint64_t refused; /* puts that were told "no room", and were tried again */
    uint64_t commits; /* transactions */
    uint64_t elapsed_ns;
    struct bench_tenths tenths; /* of total_bytes */
};

/* Returns when all that was put is durable.  -1: ERR_BUSY (memory), ERR_POISON (a record that never fits). */
int bench_load_run(const struct bench_load *load, struct bench_load_result *result, struct err *err);

/* Members of the present object: records, bytes, refused, commits, seconds. */
void bench_load_json(const struct bench_load_result *result, struct json *json);

#endif
