/*
 * sink_pool.h - the driver's pool, and a new one when no server can be
 * selected for long.
 */
#ifndef TRACESPOOL_SINK_POOL_H
#define TRACESPOOL_SINK_POOL_H

#include <stdbool.h>

#include "err.h"

struct sink_link;
struct sink_mongo;
struct sink_pool;

/* For as many links as mongo->links says; connects to nothing.  -1: ERR_CONFIG. */
int sink_pool_new(struct sink_pool **pool, struct sink_mongo *mongo, struct err *err);
void sink_pool_free(struct sink_pool *pool); /* that no link has a client of; NULL is allowed */

/* mongo->links has grown. */
void sink_pool_grow(struct sink_mongo *mongo);

/* The link has a client of the newest pool.  -1: ERR_RETRY, and it has none.  The link's thread. */
int sink_pool_attach(struct sink_link *link, struct err *err);
void sink_pool_detach(struct sink_link *link);

/* After something was asked of MongoDB, with `failure` or NULL: whether a server could be selected for it.  Any thread. */
void sink_pool_note(struct sink_mongo *mongo, const struct err *failure);

#endif
