/*
 * ctl_ls_line.h - the line of a batch in a list, for people and as JSON.
 */
#ifndef TRACESPOOL_CTL_LS_LINE_H
#define TRACESPOOL_CTL_LS_LINE_H

#include "ctl_batch.h"

#define CTL_LS_TIME_COLUMNS 20
#define CTL_LS_TEXT_MIN 12 /* the last column, however narrow the terminal is */

/* "2026-01-31T12:00:00Z": CTL_LS_TIME_COLUMNS of them. */
void ctl_ls_time(struct buf *out, uint64_t wall_ns);

/* What is known of a batch beside itself. */
struct ctl_ls_row {
    const struct spool_record *record;
    struct ctl_services services;
    const char *unreadable; /* why, or NULL */
    bool tried;
    uint64_t attempts;      /* when it was tried */
    const char *last_error; /* the same; NULL: none */
    uint64_t parked_entries;
    const struct spool_parked *parked; /* the first of them, when they are spans; NULL: none, or it is the batch */
};

struct ctl_ls_form {
    uint64_t now_ns;
    unsigned width;
    bool cuts; /* what stands below a batch: on a terminal */
    bool colored;
};

void ctl_ls_print_head(struct buf *out, const struct ctl_ls_form *form);
void ctl_ls_print_row(struct buf *out, const struct ctl_ls_form *form, const struct ctl_ls_row *row);
void ctl_ls_put_row(struct buf *out, const struct ctl_ls_form *form, const struct ctl_ls_row *row); /* JSON */

#endif
