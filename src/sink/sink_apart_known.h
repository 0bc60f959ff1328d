/*
 * sink_apart_known.h - of which days something was taken apart, as far as this process knows.
 */
#ifndef TRACESPOOL_SINK_APART_KNOWN_H
#define TRACESPOOL_SINK_APART_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"

struct sink_mongo;

/* Under the lock of struct sink_mongo.  count <= SINK_DAYS_KNOWN_MAX. */
struct sink_apart_known {
    struct sink_apart_day {
        uint32_t day;
        bool any;
        uint64_t until_ns; /* monotonic: then it is to be asked for again */
    } days[SINK_DAYS_KNOWN_MAX];
    size_t count;
};

/* False: it is to be asked for.  Any thread. */
bool sink_apart_known_get(struct sink_mongo *mongo, uint32_t day, uint64_t now_ns, bool *any);

/* Something was taken apart, or at `now_ns` nothing had been.  Any thread. */
void sink_apart_known_set(struct sink_mongo *mongo, uint32_t day, uint64_t now_ns, bool any);

#endif
