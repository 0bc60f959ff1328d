/*
 * sink_ids.h - which of a set of fragments a collection has, by their _id.
 *
 * A set belongs to one thread and is used again and again.
 */
#ifndef TRACESPOOL_SINK_IDS_H
#define TRACESPOOL_SINK_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "sink_bson.h"

struct sink_link;

struct sink_id {
    uint8_t bytes[SINK_BSON_ID_BYTES];
    uint32_t fragment; /* the caller's number for it */
    bool found;
};

/* The same id may be in it more than once. */
struct sink_ids {
    struct sink_id *all;
    size_t count;
    size_t capacity;
};

enum sink_ids_concern {
    SINK_IDS_LOCAL,    /* what the primary has: enough when what follows is a write that a majority confirms */
    SINK_IDS_MAJORITY, /* what is not lost any more */
};

void sink_ids_fini(struct sink_ids *ids);
void sink_ids_clear(struct sink_ids *ids);

/* -1: ERR_RETRY, no memory. */
int sink_ids_add(struct sink_ids *ids, const struct otlp_fragment *fragment, uint32_t number, struct err *err);

/*
 * Sets `found` of those that `collection`, which need not exist, has on the
 * primary; the set is in another order afterwards.  -1: ERR_RETRY,
 * ERR_OVERLOAD, ERR_CONFIG.  Blocks.
 */
int sink_ids_find(const struct sink_link *link, const char *collection, enum sink_ids_concern concern,
                  struct sink_ids *ids, struct err *err);

/* Whether `collection` has anything at all.  1, 0, or -1 as above.  Blocks. */
int sink_ids_has_any(const struct sink_link *link, const char *collection, struct err *err);

#endif
