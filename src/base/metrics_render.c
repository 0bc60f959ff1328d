/*
 * metrics_render.c - all metrics in one of two text formats.
 *
 * Any thread.  They differ in little: OpenMetrics names a family of counters
 * without the `_total` that its samples have, and ends with a line of its own.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "clock.h"
#include "metrics_internal.h"

#define TOTAL "_total"

/* Of an OpenMetrics family of counters. */
static int name_length(const char *family, const char *type, enum metrics_format format)
{
    size_t len = strlen(family), total = strlen(TOTAL);

    if (format == METRICS_OPENMETRICS && strcmp(type, "counter") == 0 && len > total)
        len -= strcmp(family + len - total, TOTAL) == 0 ? total : 0;
    return (int)len;
}

static void render_header(struct buf *out, const char *family, const char *type, const char *help,
                          enum metrics_format format)
{
    int len = name_length(family, type, format);

    buf_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", len, family, help, len, family, type);
}

static const char *type_name(enum metric_type type)
{
    return type == METRIC_TYPE_GAUGE || type == METRIC_TYPE_KNOWN ? "gauge" : "counter";
}

static void render_seconds(struct buf *out, uint64_t ns)
{
    buf_printf(out, "%" PRIu64 ".%09" PRIu64, ns / NS_PER_S, ns % NS_PER_S);
    while (out->len > 0 && out->data[out->len - 1] == '0' && out->data[out->len - 2] != '.')
        out->len--;
}

static void render_value(struct buf *out, enum metric metric)
{
    uint64_t value = metrics_get(metric);
    enum metric_type type = metric_rows[metric].type;

    if (type == METRIC_TYPE_SECONDS)
        render_seconds(out, value);
    else if (type == METRIC_TYPE_KNOWN && value == METRICS_UNKNOWN)
        buf_text(out, "NaN");
    else
        buf_printf(out, "%" PRIu64, value);
    buf_text(out, "\n");
}

static void render_metric(struct buf *out, enum metric metric, enum metrics_format format)
{
    const struct metric_row *row = &metric_rows[metric];
    bool labelled = row->labels[0] != '\0';

    if (metric == 0 || strcmp(row->family, metric_rows[metric - 1].family) != 0)
        render_header(out, row->family, type_name(row->type), row->help, format);
    buf_printf(out, "%s%s%s%s ", row->family, labelled ? "{" : "", row->labels, labelled ? "}" : "");
    render_value(out, metric);
}

static void render_number(struct buf *out, enum metric_unit unit, uint64_t value)
{
    if (unit == METRIC_UNIT_SECONDS)
        render_seconds(out, value);
    else
        buf_printf(out, "%" PRIu64 ".0", value);
}

/* The count is the sum of what the buckets had, so that they agree whoever observes meanwhile. */
static void render_histogram(struct buf *out, enum metric_histogram histogram, enum metrics_format format)
{
    const struct metric_histogram_row *row = &metric_histogram_rows[histogram];
    const struct metric_buckets *buckets = &metric_buckets[row->unit];
    struct metric_observed *observed = &metric_observed[histogram];
    uint64_t sum = atomic_load_explicit(&observed->sum, memory_order_relaxed);
    uint64_t count = 0;

    render_header(out, row->family, "histogram", row->help, format);
    for (unsigned i = 0; i < buckets->count; i++) {
        count += atomic_load_explicit(&observed->counts[i], memory_order_relaxed);
        buf_printf(out, "%s_bucket{le=\"", row->family);
        render_number(out, row->unit, buckets->bounds[i]);
        buf_printf(out, "\"} %" PRIu64 "\n", count);
    }
    count += atomic_load_explicit(&observed->counts[buckets->count], memory_order_relaxed);
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", row->family, count, row->family);
    render_number(out, row->unit, sum);
    buf_printf(out, "\n%s_count %" PRIu64 "\n", row->family, count);
}

int metrics_render(struct buf *out, enum metrics_format format)
{
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++)
        render_metric(out, metric, format);
    for (enum metric_histogram histogram = 0; histogram < METRIC_HISTOGRAM_COUNT; histogram++)
        render_histogram(out, histogram, format);
    if (format == METRICS_OPENMETRICS)
        buf_text(out, "# EOF\n");
    return out->failed ? -1 : 0;
}
