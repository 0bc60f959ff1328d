/*
 * sink_index_notes.h - what has been found of days' indexes: so that it is
 * said once, and counted for the gauge.
 */
#ifndef TRACESPOOL_SINK_INDEX_NOTES_H
#define TRACESPOOL_SINK_INDEX_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "bounds.h"

struct sink_listing;
struct sink_mongo;

/* Sets of our indexes, one bit each. */
struct sink_index_note {
    uint32_t day;
    unsigned missing;
    unsigned differing;
};

/* Under the lock of struct sink_mongo.  Days whose indexes are as they should be have no row. */
struct sink_index_notes {
    struct sink_index_note rows[SINK_DAYS_KNOWN_MAX];
    size_t count;
};

/* Replaces what was found of the note's day, and returns that.  Any thread. */
struct sink_index_note sink_index_notes_put(struct sink_mongo *mongo, const struct sink_index_note *note);

/* What was found of days that are not there any more is over.  Any thread. */
void sink_index_notes_forget(struct sink_mongo *mongo, const struct sink_listing *listing);

#endif
