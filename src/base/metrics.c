/*
 * metrics.c - one atomic a row of metrics_table.h, and a few a histogram.
 */
#include "metrics_internal.h"

#include <assert.h>

#include "clock.h"

const struct metric_row metric_rows[METRIC_COUNT] = {
#define METRIC(id, type, family, labels, help) {METRIC_TYPE_##type, family, labels, help},
#include "metrics_table.h"
#undef METRIC
};

const struct metric_histogram_row metric_histogram_rows[METRIC_HISTOGRAM_COUNT] = {
#define METRIC_HISTOGRAM(id, unit, family, help) {METRIC_UNIT_##unit, family, help},
#include "metrics_table.h"
#undef METRIC_HISTOGRAM
};

/* From a sync of a fast disk to an answer that a Collector does not wait for any more. */
static const uint64_t seconds_bounds[] = {
    500 * NS_PER_US, 1 * NS_PER_MS,   2500 * NS_PER_US, 5 * NS_PER_MS, 10 * NS_PER_MS,   25 * NS_PER_MS, 50 * NS_PER_MS,
    100 * NS_PER_MS, 250 * NS_PER_MS, 500 * NS_PER_MS,  1 * NS_PER_S,  2500 * NS_PER_MS, 5 * NS_PER_S,   10 * NS_PER_S,
};
static const uint64_t records_bounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

const struct metric_buckets metric_buckets[] = {
    [METRIC_UNIT_SECONDS] = {seconds_bounds, sizeof(seconds_bounds) / sizeof(seconds_bounds[0])},
    [METRIC_UNIT_RECORDS] = {records_bounds, sizeof(records_bounds) / sizeof(records_bounds[0])},
};

static_assert(sizeof(seconds_bounds) / sizeof(seconds_bounds[0]) < METRIC_BUCKETS_MAX, "one more is for what is above");
static_assert(sizeof(records_bounds) / sizeof(records_bounds[0]) < METRIC_BUCKETS_MAX, "one more is for what is above");

static _Atomic uint64_t values[METRIC_COUNT];

struct metric_observed metric_observed[METRIC_HISTOGRAM_COUNT];

void metrics_add(enum metric metric, uint64_t count)
{
    assert(metric < METRIC_COUNT);
    atomic_fetch_add_explicit(&values[metric], count, memory_order_relaxed);
}

void metrics_set(enum metric metric, uint64_t value)
{
    assert(metric < METRIC_COUNT && metric_rows[metric].type != METRIC_TYPE_COUNTER);
    atomic_store_explicit(&values[metric], value, memory_order_relaxed);
}

uint64_t metrics_get(enum metric metric)
{
    assert(metric < METRIC_COUNT);
    return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

void metrics_observe(enum metric_histogram histogram, uint64_t value)
{
    struct metric_observed *observed = &metric_observed[histogram];
    const struct metric_buckets *buckets = &metric_buckets[metric_histogram_rows[histogram].unit];
    unsigned i = 0;

    assert(histogram < METRIC_HISTOGRAM_COUNT);
    while (i < buckets->count && value > buckets->bounds[i])
        i++;
    atomic_fetch_add_explicit(&observed->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&observed->sum, value, memory_order_relaxed);
}
