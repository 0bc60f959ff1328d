/*
 * ctl_salvage.h - the parts of `tracespool salvage`.
 */
#ifndef TRACESPOOL_CTL_SALVAGE_H
#define TRACESPOOL_CTL_SALVAGE_H

#include "ctl_batch.h"
#include "ctl_progress.h"
#include "ctl_send.h"
#include "spool_salvage.h"

struct ctl_salvage {
    struct ctl *ctl;
    const char *path;   /* that is searched */
    const char *output; /* NULL: to a receiver */
    bool dry_run;
    FILE *file; /* `output`, while it is open */
    struct ctl_sender sender;
    struct ctl_batch batch;
    struct ctl_progress progress;
    struct spool_salvage_report report;

    uint64_t requests; /* that were found and can be read */
    uint64_t request_bytes;
    uint64_t spans;
    uint64_t written;    /* to `output` */
    uint64_t unreadable; /* batches that cannot be inflated */
    unsigned told;       /* lines about single ones */
};

/* What came of it: `failure` NULL when all was searched.  As text, or with --json as one object. */
void ctl_salvage_tell(struct ctl_salvage *salvage, const char *failure, struct buf *out);

#endif
