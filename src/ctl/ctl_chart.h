/*
 * ctl_chart.h - a trace as lines of text: tree, durations, bars on one time axis.  Pure.
 */
#ifndef TRACESPOOL_CTL_CHART_H
#define TRACESPOOL_CTL_CHART_H

#include "bounds.h"
#include "buf.h"
#include "ctl_trace.h"

struct ctl_chart {
    const struct ctl_trace *trace;
    bool colored;
    unsigned name_columns;
    unsigned bar_columns;
    unsigned levels;                      /* how many are indented */
    bool more[CTL_INDENT_LEVELS_MAX + 1]; /* at each level, whether siblings follow below the row */
};

/* Lays the columns out for `width`. */
void ctl_chart_init(struct ctl_chart *chart, const struct ctl_trace *trace, unsigned width, bool colored);

/* Column names and the axis. */
void ctl_chart_head(const struct ctl_chart *chart, struct buf *out);

/* Row `row` of the trace; rows in order, each once. */
void ctl_chart_row(struct ctl_chart *chart, size_t row, struct buf *out);

/* What the marks mean that were used, and the texts of the errors. */
void ctl_chart_foot(const struct ctl_chart *chart, struct buf *out);

/* "server", ...; "" when unspecified. */
const char *ctl_chart_kind(int kind);

/* "spool", "both", ...: where a span is, for a column. */
const char *ctl_chart_place(unsigned places);

#endif
