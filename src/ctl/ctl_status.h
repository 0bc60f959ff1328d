/*
 * ctl_status.h - what `tracespool status` shows.  Pure but for the reading.
 */
#ifndef TRACESPOOL_CTL_STATUS_H
#define TRACESPOOL_CTL_STATUS_H

#include <sys/types.h>

#include "ctl.h"

struct ctl_status {
    const char *path;
    pid_t owner; /* 0: no daemon */
    struct spool_stat stat;
    uint64_t now_ns; /* wall clock */
    bool file_system_known;
    uint64_t file_system_free_bytes;
    bool rates_known;
    struct spool_rate rates;
};

/* How long ago that was; 0, not 584 years, when the clock has been set back since. */
static inline uint64_t ctl_status_age(const struct ctl_status *status, uint64_t then_ns)
{
    return status->now_ns > then_ns ? status->now_ns - then_ns : 0;
}

/* Until nothing is pending at the present pace; 0: not known, since nothing drains just now. */
static inline uint64_t ctl_status_left_ns(const struct ctl_status *status)
{
    const struct spool_stat *stat = &status->stat;

    if (status->owner == 0 || stat->delivery.state != SPOOL_DELIVERY_FLOWING)
        return 0;
    return spool_pace_left_ns(&stat->pace, stat->pending_spans, status->now_ns);
}

/* What is wrong, and what a person does about it. */
struct ctl_finding {
    const char *code; /* stable, for programs */
    char text[2 * ERR_TEXT_MAX];
};

#define CTL_FINDINGS_MAX 8

/* Returns how many there are, the most pressing first. */
size_t ctl_status_findings(const struct ctl_status *status, struct ctl_finding findings[CTL_FINDINGS_MAX]);

/* Reads the spool, the lock and the file system; rates as the daemon noted them.  -1: the spool cannot be read. */
int ctl_status_gather(struct ctl_status *status, struct spool *spool, const char *path, struct err *err);

/* The screen, long texts broken at `width`; or one JSON object without a line end.  Appended. */
void ctl_status_text(const struct ctl_status *status, unsigned width, bool colored, struct buf *out);
void ctl_status_json(const struct ctl_status *status, struct buf *out);

/* One object, or the screen as it has to be for ctl->out. */
void ctl_status_put(const struct ctl *ctl, const struct ctl_status *status, struct buf *out);

/* A frame for a terminal of `rows`: `text` from the top left corner, each line cleared to its end, the rest below. */
void ctl_status_frame(struct slice text, unsigned rows, struct buf *out);

/* Looks and shows every `interval_ns` until Ctrl-C.  Returns the exit status. */
int ctl_status_watch(struct ctl *ctl, uint64_t interval_ns);

#endif
