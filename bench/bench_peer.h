/*
 * bench_peer.h - the same records into LMDB and nothing else, to compare with.
 */
#ifndef TRACESPOOL_BENCH_PEER_H
#define TRACESPOOL_BENCH_PEER_H

#include <stdint.h>

#include "bench_load.h"
#include "bench_shape.h"
#include "err.h"

struct bench_peer {
    const char *dir;     /* made */
    uint64_t size_bytes; /* of the file, allocated beforehand */
    struct bench_shape *shape;
    unsigned group; /* records in one transaction, unless they pass SPOOL_GROUP_BYTES_MAX */
    uint64_t total_bytes;
    uint64_t duration_ns;
};

/* As bench_load_run; nothing is refused.  The folder stays.  -1: ERR_FATAL. */
int bench_peer_run(const struct bench_peer *peer, struct bench_load_result *result, struct err *err);

/* LMDB's own words about its version. */
const char *bench_peer_version(void);

#endif
