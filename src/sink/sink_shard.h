/*
 * sink_shard.h - days spread over the shards of a cluster, by {traceId: "hashed"}.
 */
#ifndef TRACESPOOL_SINK_SHARD_H
#define TRACESPOOL_SINK_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct sink_link;

/* Under the lock of struct sink_mongo. */
struct sink_shard_trouble {
    uint64_t since_ns; /* monotonic: days cannot be sharded since then for a reason that passes; 0: they can */
    uint32_t day;      /* the newest of which it was said that it cannot be */
    int code;          /* and why; 0: nothing was said */
};

/* Whether commands go to a mongos: 1, 0, or -1: ERR_RETRY, ERR_CONFIG.  Blocks. */
int sink_shard_ask(const struct sink_link *link, struct err *err);

/* The same where mongodb.shard wants it, and 0 where not; that it is wanted and there is none is said once. */
int sink_shard_wanted(const struct sink_link *link, struct err *err);

/*
 * Shards the day's collection; also 0 when it is so already.  A collection that
 * holds documents has to have an index on the hash of traceId.  -1: any class.
 * Blocks.
 */
int sink_shard_day(const struct sink_link *link, uint32_t day, struct err *err);

/*
 * The same for a day that is about to be written to.  When it fails that is
 * said once and the day is as good unsharded: 0, *sharded false.  -1: ERR_RETRY,
 * ERR_OVERLOAD, for a reason that is likely to pass soon.
 */
int sink_shard_keep(const struct sink_link *link, uint32_t day, bool *sharded, struct err *err);

#endif
