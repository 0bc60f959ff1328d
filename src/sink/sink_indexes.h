/*
 * sink_indexes.h - the indexes of a day: made once, then looked at only.
 *
 * What an operator did to them is his decision: it is reported, never undone.
 */
#ifndef TRACESPOOL_SINK_INDEXES_H
#define TRACESPOOL_SINK_INDEXES_H

#include <bson/bson.h>
#include <stdint.h>

#include "bounds.h"
#include "err.h"

struct sink_link;
struct sink_listing;
struct sink_mongo;

#define SINK_INDEX_COUNT 4

/* Sets of our indexes, one bit each. */
struct sink_indexes_found {
    unsigned present;   /* an index of this name is there */
    unsigned differing; /* it is there, or something in its way, and it is another one than docs/mongodb.md says */
};

/* What was reported.  Under the lock of struct sink_mongo. */
struct sink_indexes_notes {
    struct sink_indexes_note {
        uint32_t day;
        unsigned missing;
        unsigned differing;
    } rows[SINK_DAYS_KNOWN_MAX]; /* days whose indexes are as they should be have none */
    size_t count;
};

/* Adds what one entry of listIndexes says.  Pure. */
void sink_indexes_read(const bson_t *entry, struct sink_indexes_found *found);

/*
 * The collection of the day is there: makes all indexes when it has none of
 * ours, as a collection that was just `made` or came by an insert; else tells
 * what is missing or differs, once.  -1: ERR_RETRY, ERR_CONFIG.  Blocks.
 */
int sink_indexes_keep(const struct sink_link *link, uint32_t day, bool made, struct err *err);

/* What was reported of days that are not there any more is over.  Any thread. */
void sink_indexes_forget(struct sink_mongo *mongo, const struct sink_listing *listing);

#endif
