/*
 * ctl_progress.h - one line on a terminal that says how far a long look has come.
 *
 * Nothing is written when standard error is no terminal, or one on which no line can be taken back.
 */
#ifndef TRACESPOOL_CTL_PROGRESS_H
#define TRACESPOOL_CTL_PROGRESS_H

#include "ctl.h"

struct ctl_progress {
    const struct ctl *ctl;
    bool wanted;
    bool shown;
    uint64_t next_ns; /* not before this, monotonic: a terminal may be slow */
};

void ctl_progress_init(struct ctl_progress *progress, const struct ctl *ctl);

/* "what: 42 %"; in place of the line before. */
void ctl_progress_show(struct ctl_progress *progress, const char *what, uint64_t done, uint64_t total);

/*
 * For a line of the caller's own words: whether one is due, and showing it,
 * in place of the line before.
 */
bool ctl_progress_due(struct ctl_progress *progress);
void ctl_progress_line(struct ctl_progress *progress, const char *line);

/* Takes the line away: before anything else is printed, and at the end. */
void ctl_progress_clear(struct ctl_progress *progress);

#endif
