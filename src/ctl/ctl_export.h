/*
 * ctl_export.h - the parts of `tracespool export`.
 *
 * The command line (ctl_export.c), what of the spool is meant (_pick), how and
 * where it is written (_out), what is said of it (_tell).
 */
#ifndef TRACESPOOL_CTL_EXPORT_H
#define TRACESPOOL_CTL_EXPORT_H

#include <limits.h>

#include "ctl_batch.h"
#include "ctl_edit.h"
#include "ctl_interrupt.h"
#include "ctl_pick.h"
#include "ctl_progress.h"

#define CTL_EXPORT_STATES (SPOOL_HELD + 1) /* of enum spool_record_state */

struct ctl_export {
    struct ctl *ctl;

    /* from the command line */
    bool parked; /* parked entries are */
    bool sets;   /* one of the options that name a set was given */
    struct ctl_pick pick;
    uint64_t limit; /* requests; UINT64_MAX: none */
    bool proto;
    const char *output;    /* NULL: standard output */
    struct ctl_edit *edit; /* ids into work: ctl_edit_plan.c */

    struct spool *spool;
    struct ctl_batch batch;
    struct ctl_progress progress;
    /* parked entries from here on were not looked at; the next one's seq, 0: not known */
    uint64_t parked_seq;
    uint32_t parked_index;
    uint64_t parked_next;

    /* ctl_export_out.c's */
    FILE *file;
    char temporary[PATH_MAX];
    struct arena parts; /* the resource, scope or span in hand */
    struct buf text;
    struct ctl_interrupt interrupt;
    bool interrupted;

    /* what came of it */
    uint64_t requests; /* batches and entries */
    uint64_t batches;
    uint64_t entries;
    uint64_t spans;
    uint64_t bytes;                   /* written */
    uint64_t damaged;                 /* batches and entries that were passed over */
    uint64_t left[CTL_EXPORT_STATES]; /* by state: batches of the time that were not meant */
};

/* Writes all that is meant.  -1: it ends early: the spool cannot be read, or the output not written. */
int ctl_export_pick(struct ctl_export *export, struct err *err);

/* --- ctl_export_out.c ------------------------------------------------------ */

/* -1: ERR_CONFIG.  ctl_export_finish after 0. */
int ctl_export_begin(struct ctl_export *export, struct err *err);

/* Between two batches or entries, written or not.  -1: ERR_CONFIG, somebody asks to end. */
int ctl_export_pause(struct ctl_export *export, struct err *err);

/* Writes batch.request, which has been walked.  -1: ERR_CONFIG, it cannot be written. */
int ctl_export_put(struct ctl_export *export, struct err *err);

/*
 * `result` is that of all before: then a file of its own gets its name, or
 * goes, also when nothing is in it.  Returns `result`, or -1 and `err`.
 */
int ctl_export_finish(struct ctl_export *export, int result, struct err *err);

/* --- ctl_export_tell.c ----------------------------------------------------- */

/* A summary on standard error; `failure` NULL when all was written. */
void ctl_export_tell(struct ctl_export *export, const char *failure);

/* "exporting: 12 batches" on a terminal. */
void ctl_export_show_progress(struct ctl_export *export);

#endif
