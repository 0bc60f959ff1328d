/*
 * ctl_show.h - what `tracespool show` shows: a batch, or a trace.
 */
#ifndef TRACESPOOL_CTL_SHOW_H
#define TRACESPOOL_CTL_SHOW_H

#include "ctl.h"
#include "otlp_index.h"

enum ctl_from { CTL_FROM_SPOOL = 1, CTL_FROM_MONGODB = 2, CTL_FROM_BOTH = 3 };

struct ctl_show_options {
    enum ctl_from from;
    uint64_t timeout_ms; /* for MongoDB */
    bool otlp;           /* a trace as requests */
};

/* Each returns the exit status. */
int ctl_show_batch(struct ctl *ctl, uint64_t seq);
int ctl_show_trace(struct ctl *ctl, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                   const struct ctl_show_options *options);
int ctl_show_otlp(struct ctl *ctl, const uint8_t trace_id[OTLP_TRACE_ID_BYTES], const struct ctl_show_options *options);

#endif
