/*
 * sink_upkeep.h - the thread that keeps MongoDB's collections in order.
 */
#ifndef TRACESPOOL_SINK_UPKEEP_H
#define TRACESPOOL_SINK_UPKEEP_H

#include <stdint.h>

#include "err.h"

struct sink_mongo;
struct sink_upkeep;

/* Takes a client of the pool for its life.  -1: ERR_RETRY. */
int sink_upkeep_start(struct sink_upkeep **upkeep, struct sink_mongo *mongo, struct err *err);

/* Tells the thread to end, without waiting for it. */
void sink_upkeep_end(struct sink_upkeep *upkeep);

/* Waits until it has ended, at most as long as one command may take; NULL is allowed. */
void sink_upkeep_stop(struct sink_upkeep *upkeep);

/* From a pass to the next one: an hour, or soon after midnight (UTC) if that comes first.  Pure. */
uint64_t sink_upkeep_pause_ns(uint64_t wall_ns);

#endif
