/*
 * sink_space.h - the room on MongoDB's volume, and the rule that stops
 * delivery before it is used up.
 */
#ifndef TRACESPOOL_SINK_SPACE_H
#define TRACESPOOL_SINK_SPACE_H

#include <bson/bson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "err.h"

struct sink_link;
struct sink_mongo;

/* What has to stay free; one of them is 0, both: nothing. */
struct sink_min_free {
    uint64_t bytes;
    uint64_t millionths; /* of the volume */
};

/* What dbStats tells of a volume. */
struct sink_volume {
    uint64_t available;
    uint64_t total;
    char shard[SINK_SHARD_NAME_MAX]; /* whose it is, or "": MongoDB is no sharded cluster */
};

/* Under the lock of struct sink_mongo. */
struct sink_space {
    bool is_full;
    char text[ERR_TEXT_MAX]; /* when it is full: why, as it was found */
};

enum sink_space_measured {
    SINK_SPACE_MEASURED,
    SINK_SPACE_FAILED, /* nothing new is known */
    SINK_SPACE_ABSENT, /* and will not be: no right to ask, or the server does not tell */
};

/* What has to be free on a volume of `total` bytes.  Pure. */
uint64_t sink_space_needed(const struct sink_min_free *min_free, uint64_t total);

/* Whether it is full, after it was so or not: what has become full opens again only with a tenth more.  Pure. */
bool sink_space_is_full(bool was_full, uint64_t needed, uint64_t available);

/*
 * Reads an answer to dbStats.  Of a sharded cluster the volume is that of the
 * shard that is nearest to being full, or past it.  Pure.
 */
enum sink_space_measured sink_space_read(const bson_t *reply, const struct sink_min_free *min_free,
                                         struct sink_volume *volume, struct err *err);

/*
 * Asks the primary, or those of all shards; sets the gauges and the state that sink_space_check tells,
 * logs when that changes, and wakes who waits when there is room again.
 * Without an answer for good the volume is never full.  Blocks.
 */
enum sink_space_measured sink_space_measure(const struct sink_link *link, struct err *err);

/* -1: ERR_FULL.  Any thread, no I/O. */
int sink_space_check(struct sink_mongo *mongo, struct err *err);

#endif
