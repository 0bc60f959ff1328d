/*
 * bench_tenths.h - how long each tenth of the work took.  Not thread-safe.
 */
#ifndef TRACESPOOL_BENCH_TENTHS_H
#define TRACESPOOL_BENCH_TENTHS_H

#include <stdint.h>

#include "bench_disk.h"
#include "json.h"

#define BENCH_TENTHS 10

struct bench_tenths {
    uint64_t total_bytes;
    struct bench_disk *disk; /* has a turn of as many bytes after each tenth; NULL: none */
    uint64_t paused_ns;      /* which is not counted */
    uint64_t begin_ns;       /* monotonic */
    uint64_t bytes;          /* done */
    unsigned passed;
    uint64_t passed_ns[BENCH_TENTHS];
    uint64_t passed_bytes[BENCH_TENTHS]; /* a record may reach over the end of its tenth */
};

void bench_tenths_begin(struct bench_tenths *tenths, uint64_t total_bytes);
void bench_tenths_add(struct bench_tenths *tenths, uint64_t bytes);

/* An array of {bytes, seconds}. */
void bench_tenths_json(const struct bench_tenths *tenths, struct json *json);

#endif
