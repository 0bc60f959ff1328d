/*
 * sink_indexes.h - the indexes of a day: made once, then looked at only.
 *
 * What an operator did to them is his decision: it is reported, never undone.
 */
#ifndef TRACESPOOL_SINK_INDEXES_H
#define TRACESPOOL_SINK_INDEXES_H

#include <bson/bson.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct sink_link;

#define SINK_INDEX_COUNT 4
#define SINK_INDEXES_GONE 26 /* code of an error: there is no collection, NamespaceNotFound */

/* Sets of our indexes, one bit each. */
struct sink_indexes_found {
    bool any;           /* there is an index, ours or not */
    unsigned present;   /* an index of this name is there */
    unsigned differing; /* it is there, or something in its way, and it is another one than docs/mongodb.md says */
};

/* Adds what one entry of listIndexes says.  Pure. */
void sink_indexes_read(const bson_t *entry, struct sink_indexes_found *found);

/*
 * The collection of the day is there: makes all indexes when it has none of
 * ours, as a new one or one that came by an insert (*fresh); else tells what is
 * missing or differs, once.  -1: ERR_RETRY (with SINK_INDEXES_GONE when the
 * collection is not there any more), ERR_CONFIG.  Blocks.
 */
int sink_indexes_keep(const struct sink_link *link, uint32_t day, bool *fresh, struct err *err);

/* The day has an index on the hash of traceId, beside ours if need be.  -1: ERR_RETRY, ERR_CONFIG.  Blocks for long. */
int sink_indexes_make_hashed(const struct sink_link *link, uint32_t day, struct err *err);

#endif
