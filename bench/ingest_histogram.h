/*
 * ingest_histogram.h - how often which latency, in fixed memory.
 *
 * Values below 128 have a bucket each; from there on every power of two has
 * 128, so a percentile is at most 0.8 % above what it is exactly, whatever its
 * size, and never below.
 */
#ifndef TRACESPOOL_INGEST_HISTOGRAM_H
#define TRACESPOOL_INGEST_HISTOGRAM_H

#include <stdint.h>

#define INGEST_HISTOGRAM_BITS 7
#define INGEST_HISTOGRAM_BUCKETS ((64 - INGEST_HISTOGRAM_BITS + 1) << INGEST_HISTOGRAM_BITS)

/* All zero: nothing was added. */
struct ingest_histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[INGEST_HISTOGRAM_BUCKETS];
};

void ingest_histogram_add(struct ingest_histogram *histogram, uint64_t value);

/*
 * The value that `per_myriad` of 10,000 values do not pass: 5,000 is the
 * median, 10,000 the largest, which is exact.  0 when there are none.
 */
uint64_t ingest_histogram_at(const struct ingest_histogram *histogram, unsigned per_myriad);

#endif
