/*
 * bench.h - what the commands of bench_spool are given, and the commands.
 *
 * Each measures one thing and writes one JSON object of raw figures; medians
 * and ratios are made from them by spool_report.py.
 */
#ifndef TRACESPOOL_BENCH_H
#define TRACESPOOL_BENCH_H

#include <stdint.h>

#include "err.h"
#include "json.h"

struct bench_options {
    const char *dir;      /* of the spool; only what `write` makes stays there */
    uint64_t size_bytes;  /* of the spool */
    uint64_t total_bytes; /* to be written: payload */
    uint64_t min_bytes;   /* of a record; between the two, sizes are spread evenly over their logarithm */
    uint64_t max_bytes;
    uint64_t cell_ns; /* groups: how long one figure is measured */
    uint64_t rounds;  /* groups */
    uint64_t seed;
};

/* Records a second by record size and puts outstanding, in turn with a bare LMDB loop. */
int bench_groups(const struct bench_options *options, struct json *json, struct err *err);

/* A full spool that goes round, everything delivered at once. */
int bench_ring(const struct bench_options *options, struct json *json, struct err *err);

/* A backlog: written, nothing delivered.  The spool stays. */
int bench_write(const struct bench_options *options, struct json *json, struct err *err);

/* The same records into bare LMDB. */
int bench_write_peer(const struct bench_options *options, struct json *json, struct err *err);

/* A backlog of another run: read as the flusher reads, and marked as delivered. */
int bench_drain(const struct bench_options *options, struct json *json, struct err *err);

/* What was compiled with what. */
int bench_versions(const struct bench_options *options, struct json *json, struct err *err);

#endif
