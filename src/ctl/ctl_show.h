/*
 * ctl_show.h - what `tracespool show` shows: a batch, a parked entry, or a trace.
 */
#ifndef TRACESPOOL_CTL_SHOW_H
#define TRACESPOOL_CTL_SHOW_H

#include "ctl.h"
#include "ctl_edit_id.h"
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
int ctl_show_parked(struct ctl *ctl, const struct ctl_edit_id *id, const struct ctl_show_options *options);
int ctl_show_trace(struct ctl *ctl, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                   const struct ctl_show_options *options);
int ctl_show_otlp(struct ctl *ctl, const uint8_t trace_id[OTLP_TRACE_ID_BYTES], const struct ctl_show_options *options);

/* Whether bytes may be written to standard output; else the reason is printed. */
bool ctl_show_may_be_raw(const struct ctl *ctl);

/* After that.  Returns the exit status. */
int ctl_show_raw_bytes(const struct ctl *ctl, struct slice bytes);

/* --- ctl_show_missing.c ---------------------------------------------------- */

/* Each tells what is there instead, and returns the exit status. */
int ctl_show_no_batch(const struct ctl *ctl, struct spool *spool, uint64_t seq);
int ctl_show_no_entry(const struct ctl *ctl, struct spool *spool, const struct ctl_edit_id *id);

#endif
