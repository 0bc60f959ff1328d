/*
 * ctl_show_trace.h - what was found of a trace, and its two forms.
 */
#ifndef TRACESPOOL_CTL_SHOW_TRACE_H
#define TRACESPOOL_CTL_SHOW_TRACE_H

#include "ctl.h"
#include "ctl_find.h"
#include "ctl_show.h"
#include "ctl_trace.h"

struct ctl_found {
    struct ctl *ctl;
    const struct ctl_show_options *options;
    const uint8_t *trace_id;
    char trace_hex[2 * OTLP_TRACE_ID_BYTES + 1];
    struct ctl_spans spans;
    struct ctl_scan_report report;
    bool mongodb_answered;
};

/* A line for each row, written as they are made, through `out`. */
void ctl_show_put_trace(const struct ctl_found *found, const struct ctl_trace *trace, struct buf *out);

#endif
