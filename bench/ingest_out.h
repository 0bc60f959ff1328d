/*
 * ingest_out.h - what waits to be written to a socket: small pieces by copy,
 * requests by reference.
 *
 * Without the copy a client of 500 MB/s would take a core of two from the
 * server that it measures.
 */
#ifndef TRACESPOOL_INGEST_OUT_H
#define TRACESPOOL_INGEST_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "err.h"
#include "slice.h"

#define INGEST_OUT_PARTS 128
#define INGEST_OUT_BYTES (32UL << 10)

/* All zero: nothing waits. */
struct ingest_out {
    struct iovec parts[INGEST_OUT_PARTS];
    unsigned first; /* part that is not written yet */
    unsigned count; /* parts, written ones included */
    size_t copied;  /* bytes of `bytes` in use */
    uint8_t bytes[INGEST_OUT_BYTES];
};

static inline bool ingest_out_is_empty(const struct ingest_out *out)
{
    return out->count == 0;
}

/* Appends all of `head` and `body`, or nothing: false, there is no room.  `body` is not copied and must stay. */
bool ingest_out_put(struct ingest_out *out, struct slice head, struct slice body);

/* Writes what the socket takes.  0, or -1. */
int ingest_out_flush(struct ingest_out *out, int fd, struct err *err);

#endif
