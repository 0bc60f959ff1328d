/*
 * metrics.h - counters and gauges of the one process, from metrics_table.h.
 *
 * Any thread may count and set; values are relaxed atomics.
 */
#ifndef TRACESPOOL_METRICS_H
#define TRACESPOOL_METRICS_H

#include <stdint.h>

#include "buf.h"

enum metric {
#define METRIC(id, type, family, labels, help) METRIC_##id,
#include "metrics_table.h"
#undef METRIC
    METRIC_COUNT
};

/*
 * Counters; ns where the row says SECONDS.  A gauge may be counted up and
 * down instead of set: what is taken off is added as its two's complement,
 * (uint64_t)-1, since values wrap.
 */
void metrics_add(enum metric metric, uint64_t count);
void metrics_set(enum metric metric, uint64_t value); /* gauges */
uint64_t metrics_get(enum metric metric);

/* Appends the Prometheus text exposition format 0.0.4.  0, or -1 if `out` is full. */
int metrics_render(struct buf *out);

#endif
