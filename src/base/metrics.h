/*
 * metrics.h - counters, gauges and histograms of the one process, from
 * metrics_table.h.
 *
 * Any thread may count, set and observe; values are relaxed atomics.
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

enum metric_histogram {
#define METRIC_HISTOGRAM(id, unit, family, help) METRIC_HISTOGRAM_##id,
#include "metrics_table.h"
#undef METRIC_HISTOGRAM
    METRIC_HISTOGRAM_COUNT
};

enum metrics_format {
    METRICS_PROMETHEUS_TEXT, /* 0.0.4 */
    METRICS_OPENMETRICS,     /* 1.0.0 */
};

#define METRICS_UNKNOWN UINT64_MAX /* of a gauge of the type KNOWN */

/*
 * Counters; ns where the row says SECONDS.  A gauge may be counted up and
 * down instead of set: what is taken off is added as its two's complement,
 * (uint64_t)-1, since values wrap.
 */
void metrics_add(enum metric metric, uint64_t count);
void metrics_set(enum metric metric, uint64_t value); /* gauges, and counters that somebody else counts */
uint64_t metrics_get(enum metric metric);

void metrics_observe(enum metric_histogram histogram, uint64_t value); /* ns where its unit is SECONDS */

/* Appends all of them.  0, or -1 if `out` is full. */
int metrics_render(struct buf *out, enum metrics_format format);

#endif
