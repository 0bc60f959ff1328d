/*
 * metrics.c - one atomic a row of metrics_table.h, and their exposition.
 */
#include "metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "clock.h"

enum metric_type { METRIC_TYPE_COUNTER, METRIC_TYPE_GAUGE, METRIC_TYPE_SECONDS };

static const struct {
    enum metric_type type;
    const char *family;
    const char *labels;
    const char *help;
} table[METRIC_COUNT] = {
#define METRIC(id, type, family, labels, help) {METRIC_TYPE_##type, family, labels, help},
#include "metrics_table.h"
#undef METRIC
};

static _Atomic uint64_t values[METRIC_COUNT];

void metrics_add(enum metric metric, uint64_t count)
{
    assert(metric < METRIC_COUNT);
    atomic_fetch_add_explicit(&values[metric], count, memory_order_relaxed);
}

void metrics_set(enum metric metric, uint64_t value)
{
    assert(metric < METRIC_COUNT && table[metric].type == METRIC_TYPE_GAUGE);
    atomic_store_explicit(&values[metric], value, memory_order_relaxed);
}

uint64_t metrics_get(enum metric metric)
{
    assert(metric < METRIC_COUNT);
    return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

static void render_header(struct buf *out, enum metric metric)
{
    buf_printf(out, "# HELP %s %s\n", table[metric].family, table[metric].help);
    buf_printf(out, "# TYPE %s %s\n", table[metric].family,
               table[metric].type == METRIC_TYPE_GAUGE ? "gauge" : "counter");
}

static void render_value(struct buf *out, enum metric metric)
{
    uint64_t value = metrics_get(metric);

    if (table[metric].type == METRIC_TYPE_SECONDS)
        buf_printf(out, " %" PRIu64 ".%03" PRIu64 "\n", value / NS_PER_S, value % NS_PER_S / NS_PER_MS);
    else
        buf_printf(out, " %" PRIu64 "\n", value);
}

int metrics_render(struct buf *out)
{
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
        const char *labels = table[metric].labels;
        bool labelled = labels[0] != '\0';

        if (metric == 0 || strcmp(table[metric].family, table[metric - 1].family) != 0)
            render_header(out, metric);
        buf_printf(out, "%s%s%s%s", table[metric].family, labelled ? "{" : "", labels, labelled ? "}" : "");
        render_value(out, metric);
    }
    return out->failed ? -1 : 0;
}
