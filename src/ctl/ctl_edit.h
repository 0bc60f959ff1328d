/*
 * ctl_edit.h - the operator's verbs: hold, release, requeue, rm, replay.
 *
 * One command goes through these files: the command line (ctl_edit.c), ids into
 * work (ctl_edit_plan.c), what of it a service has (ctl_edit_only.c), consent
 * (ctl_edit_ask.c), steps (ctl_edit_run.c); ctl_edit_tell.c says what came of it,
 * ctl_edit_note.c what did not.
 */
#ifndef TRACESPOOL_CTL_EDIT_H
#define TRACESPOOL_CTL_EDIT_H

#include "bounds.h"
#include "ctl.h"
#include "ctl_edit_id.h"
#include "ctl_pick.h"
#include "spool_edit.h"

/* How the verbs differ. */
struct ctl_edit_form {
    const char *present; /* "hold" */
    const char *past;    /* "held" */
    enum spool_edit_kind kind;
    unsigned fits; /* SPOOL_EDIT_STATE() of the batches that it takes; 0: it takes none */
    bool entries;  /* it takes parked entries */
    bool asks;     /* before it does anything */
    bool finally;  /* what it does cannot be undone */
};

/* Consecutive batches, or of one batch consecutive parked entries. */
struct ctl_edit_work {
    uint64_t first;
    uint64_t last;  /* inclusive */
    bool is_parked; /* only entries index .. last_index */
    uint32_t index;
    uint32_t last_index;
    uint64_t expected; /* of the batches, those that were named one by one and were found fit */
};

struct ctl_edit_tally {
    uint64_t batches;
    uint64_t spans; /* of the batches; requeue: of the entries */
    uint64_t stored_bytes;
    uint64_t parked;        /* entries */
    uint64_t passed;        /* batches looked at that were in another state or time */
    uint64_t first_new_seq; /* requeue: what the entries have become; 0: nothing new */
    uint64_t last_new_seq;
};

struct ctl_edit_failure {
    char id[CTL_EDIT_ID_TEXT_MAX];
    char text[ERR_TEXT_MAX];
};

struct ctl_edit {
    struct ctl *ctl;
    const struct ctl_edit_form *form;

    /* from the command line */
    bool dry_run;
    bool yes;
    bool from_input;      /* ids came from standard input */
    bool many;            /* a range, ALL, or a time: more than was named one by one */
    unsigned states;      /* form->fits, and history with rm --history */
    struct ctl_pick pick; /* times and the service; its states are those of `states` */
    struct ctl_edit_ids ids;

    /* the spool */
    struct spool *spool;
    uint64_t next_seq; /* when the command began: what comes later is not touched */
    uint64_t begin;    /* no batch before it is of the time that is meant */
    struct ctl_edit_work *work;
    size_t work_count;
    size_t planned_count; /* the same, before the question whether to go on has taken it away */
    uint64_t *only;       /* with pick.service: the batches in which it was found, ascending */
    size_t only_count;
    uint64_t unreadable; /* batches that could not be looked into, and are left alone */

    /* what came of it */
    struct ctl_edit_tally asked; /* what it would be, for a verb that asks */
    struct ctl_edit_tally tally;
    bool interrupted;
    struct err error; /* class ERR_NONE when nothing ended it early */
    uint64_t failed;  /* ids of which nothing was done */
    struct ctl_edit_failure failures[CTL_EDIT_ERRORS_MAX];
};

/* `first`, or the first batch behind it that can be of the time that is meant. */
static inline uint64_t ctl_edit_from(const struct ctl_edit *edit, uint64_t first)
{
    return first > edit->begin ? first : edit->begin;
}

/* --- ctl_edit_plan.c ------------------------------------------------------- */

/*
 * Makes work of the ids: sorted, joined, and without what does not fit, which
 * is told as a failure of its id.  Changes nothing.  -1: told in `err`; an id
 * that cannot be meant, so that nothing is to be done.
 */
int ctl_edit_plan(struct ctl_edit *edit, struct err *err);

/* After that: whether the batch was named alone. */
bool ctl_edit_is_named(const struct ctl_edit *edit, uint64_t seq);

/* --- ctl_edit_only.c ------------------------------------------------------- */

/*
 * Looks into the batches of edit->work that fit for pick.service, and notes
 * those that have it in edit->only.  Changes nothing.  -1: the spool cannot be
 * read, or they are more than CTL_EDIT_IDS_MAX.
 */
int ctl_edit_find_service(struct ctl_edit *edit, struct err *err);

/* --- ctl_edit_run.c -------------------------------------------------------- */

/* Counts what would be done; as ctl_edit_do, but changes nothing. */
void ctl_edit_count(struct ctl_edit *edit, struct ctl_edit_tally *tally);

/* The same for batches in one state, without what is parked.  Returns how many. */
uint64_t ctl_edit_count_state(struct ctl_edit *edit, enum spool_record_state state);

/* Does the work into edit->tally, step by step, until it is done, fails (edit->error), or a signal asks to end. */
void ctl_edit_do(struct ctl_edit *edit);

/* --- ctl_edit_ask.c -------------------------------------------------------- */

/* Whether somebody could be asked, or need not be; else the reason is printed.  Before the spool is opened. */
bool ctl_edit_may_ask(const struct ctl_edit *edit);

/* " (10 pending, 2 held)", of the batches of the work; nothing when there is none. */
void ctl_edit_put_states(struct buf *out, struct ctl_edit *edit);

/* Says what will be done and asks, if the verb is one that asks.  False: no.  Leaves no work when nothing was found. */
bool ctl_edit_ask(struct ctl_edit *edit);

/* --- ctl_edit_tell.c ------------------------------------------------------- */

/* Nothing is done for `id`; said now, and counted. */
void ctl_edit_fail(struct ctl_edit *edit, const struct ctl_edit_id *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "12 batches, 4,120 spans", "3 parked entries", or "nothing". */
void ctl_edit_put_tally(struct buf *out, const struct ctl_edit *edit, const struct ctl_edit_tally *tally);

/* What was done.  Returns the exit status. */
int ctl_edit_tell(struct ctl_edit *edit);

/* --- ctl_edit_note.c ------------------------------------------------------- */

/* Before all: which times are meant, as they were understood, and how far back the spool reaches when that is less. */
void ctl_edit_note_window(struct ctl_edit *edit);

/* After all, for people: what the command line could be thought to mean and does not. */
void ctl_edit_note(struct ctl_edit *edit);

#endif
