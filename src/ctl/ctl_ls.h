/*
 * ctl_ls.h - the two lists of `tracespool ls`.
 */
#ifndef TRACESPOOL_CTL_LS_H
#define TRACESPOOL_CTL_LS_H

#include "ctl.h"

struct ctl_ls_options {
    bool all;       /* history too */
    uint64_t limit; /* the newest so many; UINT64_MAX: all */
};

#define CTL_LS_TIME_COLUMNS 20
#define CTL_LS_TEXT_MIN 12 /* the last column, however narrow the terminal is */

/* Each returns the exit status. */
int ctl_ls_batches(struct ctl *ctl, struct spool *spool, const struct ctl_ls_options *options);
int ctl_ls_parked(struct ctl *ctl, struct spool *spool, const struct ctl_ls_options *options);

/* "2026-01-31T12:00:00Z": CTL_LS_TIME_COLUMNS of them. */
void ctl_ls_time(struct buf *out, uint64_t wall_ns);

#endif
