/*
 * metrics_internal.h - what counting and showing share.
 */
#ifndef TRACESPOOL_METRICS_INTERNAL_H
#define TRACESPOOL_METRICS_INTERNAL_H

#include <stdatomic.h>

#include "metrics.h"

#define METRIC_BUCKETS_MAX 16

enum metric_type { METRIC_TYPE_COUNTER, METRIC_TYPE_GAUGE, METRIC_TYPE_KNOWN, METRIC_TYPE_SECONDS };
enum metric_unit { METRIC_UNIT_SECONDS, METRIC_UNIT_RECORDS };

struct metric_row {
    enum metric_type type;
    const char *family;
    const char *labels;
    const char *help;
};

struct metric_histogram_row {
    enum metric_unit unit;
    const char *family;
    const char *help;
};

struct metric_buckets {
    const uint64_t *bounds; /* ascending; a value at a bound is below it */
    unsigned count;
};

struct metric_observed {
    _Atomic uint64_t counts[METRIC_BUCKETS_MAX]; /* not cumulative; the one after the last bound is for what is above */
    _Atomic uint64_t sum;
};

extern const struct metric_row metric_rows[METRIC_COUNT];
extern const struct metric_histogram_row metric_histogram_rows[METRIC_HISTOGRAM_COUNT];
extern const struct metric_buckets metric_buckets[]; /* by unit */
extern struct metric_observed metric_observed[METRIC_HISTOGRAM_COUNT];

#endif
