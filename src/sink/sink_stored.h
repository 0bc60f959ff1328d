/*
 * sink_stored.h - what MongoDB gives back of a fragment, without asking it: by
 * this the spool's copy of a span is known to be MongoDB's.  Pure.
 */
#ifndef TRACESPOOL_SINK_STORED_H
#define TRACESPOOL_SINK_STORED_H

#include "buf.h"
#include "err.h"
#include "otlp_fragment.h"

struct sink_stored;

struct sink_stored *sink_stored_new(void); /* NULL out of memory; reusable, one thread at a time */
void sink_stored_free(struct sink_stored *stored);

/*
 * Puts into `request` (cleared first) the bytes that sink_mongo_find_requests
 * gives of the fragment once it is stored: the same spans in the same order.
 * -1: ERR_POISON when no document can be made of it, ERR_RETRY or ERR_BUSY when
 * memory is short.
 */
int sink_stored_request(struct sink_stored *stored, const struct otlp_fragment *fragment, struct buf *request,
                        struct err *err);

#endif
