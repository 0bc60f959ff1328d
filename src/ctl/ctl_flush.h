/*
 * ctl_flush.h - what `tracespool flush` did, and saying it.  Pure.
 */
#ifndef TRACESPOOL_CTL_FLUSH_H
#define TRACESPOOL_CTL_FLUSH_H

#include "ctl_status.h"

struct ctl_flush {
    struct ctl_status before; /* when it was asked, or was not */
    bool asked;
    bool waited;
    bool done; /* what was pending before is delivered */
    uint64_t waited_ns;
    struct ctl_status after; /* when `waited` */
};

/* Whether the daemon waits for a time before it tries again. */
bool ctl_flush_is_due(const struct ctl_status *status);

/* "asked the daemon, ...": one line for people.  Appended. */
void ctl_flush_put_asked(const struct ctl_flush *flush, struct buf *out);

/* How the wait ended, a line without its end. */
void ctl_flush_put_waited(const struct ctl_flush *flush, struct buf *out);

/* "12 batches, 1,204 spans" */
void ctl_flush_put_pending(const struct ctl_status *status, struct buf *out);

/* All of it as one JSON object and a line end. */
void ctl_flush_json(const struct ctl_flush *flush, struct buf *out);

#endif
