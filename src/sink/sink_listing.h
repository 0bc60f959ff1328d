/*
 * sink_listing.h - what the database has: the days, the notes of what was
 * taken apart of some, and the views over them.
 */
#ifndef TRACESPOOL_SINK_LISTING_H
#define TRACESPOOL_SINK_LISTING_H

#include "sink_mongo_internal.h"

struct sink_listing {
    uint32_t *days; /* newest first */
    size_t day_count;
    uint32_t *apart; /* days that have a collection of what was taken apart; in any order */
    size_t apart_count;
    bson_t *traces; /* definition {viewOn, pipeline}, {} when it is no view; NULL: there is none */
    bson_t *spans;
};

/*
 * Asks the server.  Days are plain collections only: a view that has the name
 * of a day is none.  To be freed in any case.  -1: ERR_RETRY, ERR_CONFIG.
 * Blocks.
 */
int sink_listing_read(const struct sink_link *link, struct sink_listing *listing, struct err *err);
void sink_listing_free(struct sink_listing *listing);

bool sink_listing_has(const struct sink_listing *listing, uint32_t day);

#endif
