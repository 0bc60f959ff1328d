/*
 * bench_shape.h - records: how large, and bytes for them.  Not thread-safe.
 */
#ifndef TRACESPOOL_BENCH_SHAPE_H
#define TRACESPOOL_BENCH_SHAPE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "slice.h"

#define BENCH_SHAPE_LENGTHS 256

struct bench_shape {
    size_t lengths[BENCH_SHAPE_LENGTHS]; /* ascending */
    size_t count;
    uint64_t state;
    uint8_t *data;
    size_t data_len;
};

/*
 * Records of min to max bytes, in lengths that are spread evenly over their
 * logarithm; in the same order for the same seed.  Each is an export request
 * of one span, with noise in an attribute, so that a daemon takes it for what
 * it received.  -1: ERR_BUSY (memory), ERR_CONFIG (min is too small for that).
 */
int bench_shape_init(struct bench_shape *shape, size_t min_bytes, size_t max_bytes, uint64_t seed, struct err *err);
void bench_shape_fini(struct bench_shape *shape);

size_t bench_shape_max(const struct bench_shape *shape);

/* The next record.  Its bytes stay as they are until _fini: records share them. */
struct slice bench_shape_next(struct bench_shape *shape);

#endif
