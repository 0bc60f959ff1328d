/*
 * ctl_ls.h - the two lists of `tracespool ls`.
 */
#ifndef TRACESPOOL_CTL_LS_H
#define TRACESPOOL_CTL_LS_H

#include "ctl.h"
#include "ctl_ls_line.h"
#include "ctl_pick.h"

struct ctl_ls_options {
    struct ctl_pick pick;
    bool states_given; /* else pending and held */
    bool reverse;      /* the newest first */
    bool oldest;       /* the limit takes the oldest */
    uint64_t limit;    /* UINT64_MAX: all */
};

/* Each returns the exit status. */
int ctl_ls_batches(struct ctl *ctl, struct spool *spool, const struct ctl_ls_options *options);
int ctl_ls_parked(struct ctl *ctl, struct spool *spool, const struct ctl_ls_options *options);

/*
 * Under a list that the limit has cut: "The newest 3 of 7 pending batches;
 * --limit 0 lists all."  `there` 0: how many match is not known.
 */
void ctl_ls_put_cut(struct buf *out, const struct ctl_ls_options *options, uint64_t listed, uint64_t there,
                    const char *what);

#endif
