/*
 * sink_seen.h - a set of 128-bit digests that grows.  Pure.
 */
#ifndef TRACESPOOL_SINK_SEEN_H
#define TRACESPOOL_SINK_SEEN_H

#include <stddef.h>
#include <stdint.h>

#include "checksum.h"

struct sink_seen {
    uint8_t (*slots)[CHECKSUM_128_BYTES]; /* all zero: free */
    size_t capacity;                      /* 0 or a power of two */
    size_t count;
};

/* Starts empty, as {0}. */
void sink_seen_fini(struct sink_seen *seen);

/* 1 when `digest` is new and now in the set, 0 when it was there, -1 out of memory. */
int sink_seen_add(struct sink_seen *seen, const uint8_t digest[CHECKSUM_128_BYTES]);

#endif
