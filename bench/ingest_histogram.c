/*
 * ingest_histogram.c - buckets whose width is a fixed share of their value.
 *
 * Pure.  Never fails: every uint64_t has a bucket.
 */
#include "ingest_histogram.h"

#include <assert.h>

#define MYRIAD 10000
#define SUB_BUCKETS (UINT64_C(1) << INGEST_HISTOGRAM_BITS)

/* How many of the low bits a bucket of this value does not tell apart. */
static unsigned lost_bits(uint64_t value)
{
    return value < SUB_BUCKETS ? 0 : 63 - (unsigned)__builtin_clzll(value) - INGEST_HISTOGRAM_BITS;
}

/* Values of SUB_BUCKETS and more come with their highest bit, which is the same for a power of two: it adds to the row. */
static unsigned bucket_of(uint64_t value)
{
    unsigned lost = lost_bits(value);

    return (lost << INGEST_HISTOGRAM_BITS) + (unsigned)(value >> lost);
}

/* The largest value of a bucket. */
static uint64_t end_of(unsigned bucket)
{
    unsigned row = bucket >> INGEST_HISTOGRAM_BITS;
    unsigned lost = row > 0 ? row - 1 : 0;
    uint64_t high = bucket - (lost << INGEST_HISTOGRAM_BITS);

    return (high << lost) + ((UINT64_C(1) << lost) - 1);
}

void ingest_histogram_add(struct ingest_histogram *histogram, uint64_t value)
{
    histogram->buckets[bucket_of(value)]++;
    histogram->count++;
    if (value > histogram->max)
        histogram->max = value;
}

uint64_t ingest_histogram_at(const struct ingest_histogram *histogram, unsigned per_myriad)
{
    uint64_t rank = (histogram->count * per_myriad + MYRIAD - 1) / MYRIAD;
    uint64_t seen = 0, value;
    unsigned bucket = 0;

    assert(per_myriad > 0 && per_myriad <= MYRIAD);
    if (histogram->count == 0)
        return 0;
    while ((seen += histogram->buckets[bucket]) < rank)
        bucket++;
    value = end_of(bucket);
    return value < histogram->max ? value : histogram->max;
}
