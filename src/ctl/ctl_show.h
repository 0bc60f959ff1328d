/*
 * ctl_show.h - what `tracespool show` shows: a batch, a parked entry, or a trace.
 */
#ifndef TRACESPOOL_CTL_SHOW_H
#define TRACESPOOL_CTL_SHOW_H

#include "ctl.h"
#include "otlp_index.h"

enum ctl_from { CTL_FROM_SPOOL = 1, CTL_FROM_MONGODB = 2, CTL_FROM_BOTH = 3 };

struct ctl_show_options {
    enum ctl_from from;
    uint64_t timeout_ms; /* for MongoDB */
    bool otlp;           /* as requests */
    bool raw;            /* a batch's or an entry's bytes; not with a trace */
};

/* Each returns the exit status. */
int ctl_show_batch(struct ctl *ctl, uint64_t seq);
int ctl_show_raw(struct ctl *ctl, uint64_t seq);
int ctl_show_parked(struct ctl *ctl, uint64_t seq, uint32_t index, const struct ctl_show_options *options);
int ctl_show_trace(struct ctl *ctl, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                   const struct ctl_show_options *options);
int ctl_show_otlp(struct ctl *ctl, const uint8_t trace_id[OTLP_TRACE_ID_BYTES], const struct ctl_show_options *options);

/* Whether bytes may be written to standard output; else the reason is printed. */
bool ctl_show_may_be_raw(const struct ctl *ctl);

/* After that.  Returns the exit status. */
int ctl_show_raw_bytes(const struct ctl *ctl, struct slice bytes);

/* Tells that there is no such batch, of which `parked` entries are there.  Returns the exit status. */
int ctl_show_not_there(const struct ctl *ctl, uint64_t seq, size_t parked);

#endif
