/*
 * ctl_edit_run.c - the work, step by step.
 *
 * Each step is one transaction, and what it did stays done.  Between steps a
 * signal is noticed (Ctrl-C, SIGTERM, SIGHUP) and, on a terminal, progress is
 * shown.  A step that fails ends the work: how far it came is told.  A parked
 * entry that is damaged and cannot be requeued is a failure of its own id, and
 * the next one is tried.
 */
#include <inttypes.h>

#include "ctl_edit.h"
#include "ctl_interrupt.h"
#include "ctl_progress.h"
#include "otlp_codec.h"
#include "units.h"

#define PROGRESS_TEXT_MAX 256

struct run {
    struct ctl_edit *edit;
    struct ctl_edit_tally *tally;
    unsigned states;
    bool entries; /* what is parked too */
    bool dry;
    struct ctl_progress progress;   /* of a count: never shown */
    struct ctl_interrupt interrupt; /* not of a count, which may be ended at any time */
};

/* --- between steps --------------------------------------------------------- */

/* "replayed 2,048 batches, 9,120 spans of 12,000 batches, 53,406 spans" */
static void show_progress(struct run *run)
{
    struct ctl_edit *edit = run->edit;
    char line[2 * PROGRESS_TEXT_MAX];
    struct buf done, all;

    if (!ctl_progress_due(&run->progress))
        return;
    buf_init(&done, PROGRESS_TEXT_MAX);
    buf_init(&all, PROGRESS_TEXT_MAX);
    ctl_edit_put_tally(&done, edit, run->tally);
    if (edit->form->asks)
        ctl_edit_put_tally(&all, edit, &edit->asked);
    snprintf(line, sizeof(line), "%s %.*s%s%.*s", edit->form->past, (int)done.len, (const char *)done.data,
             all.len > 0 ? " of " : "", (int)all.len, all.len > 0 ? (const char *)all.data : "");
    ctl_progress_line(&run->progress, line);
    buf_fini(&all);
    buf_fini(&done);
}

static bool is_going_on(const struct ctl_edit *edit)
{
    return !edit->interrupted && edit->error.class == ERR_NONE;
}

/* Whether to go on. */
static bool pause_between(struct run *run)
{
    show_progress(run);
    if (!run->dry && ctl_interrupt_came(&run->interrupt))
        run->edit->interrupted = true;
    return is_going_on(run->edit);
}

/* --- batches --------------------------------------------------------------- */

static void add_batches(struct run *run, const struct spool_edit_result *result)
{
    struct ctl_edit_tally *tally = run->tally;

    tally->batches += result->records;
    tally->spans += result->spans;
    tally->stored_bytes += result->stored_bytes;
    tally->passed += result->passed;
    /* Nothing is gone after a count, so entries are all seen when their turn comes. */
    if (!run->dry || !run->edit->form->entries)
        tally->parked += result->parked;
}

static void tell_changed(struct run *run, const struct ctl_edit_work *work, uint64_t missing)
{
    struct ctl_edit_id id = {
        .kind = work->first == work->last ? CTL_EDIT_BATCH : CTL_EDIT_RANGE, .first = work->first, .last = work->last};
    char text[UNITS_TEXT_MAX];

    ctl_edit_fail(run->edit, &id, "%s batch%s changed meanwhile, delivered perhaps; left alone",
                  units_format_count(text, missing), missing == 1 ? "" : "es");
}

static void run_batches(struct run *run, const struct ctl_edit_work *work)
{
    struct ctl_edit *edit = run->edit;
    struct spool_edit step = {
        .kind = edit->form->kind,
        .range = {.first = work->first, .end = work->last + 1},
        .since_ns = edit->pick.since_ns,
        .until_ns = edit->pick.until_ns,
        .states = run->states,
        .only = edit->only,
        .only_count = edit->only_count,
        .dry_run = run->dry,
    };
    struct spool_edit_result sum = {.records = 0};
    uint64_t from = ctl_edit_from(edit, work->first);
    int result;

    do {
        struct spool_edit_result one = {.records = 0};

        result = spool_edit_step(edit->spool, &step, &from, &one, &edit->error);
        if (result < 0)
            return;
        sum.records += one.records;
        add_batches(run, &one);
    } while (result > 0 && pause_between(run));
    if (result == 0 && !run->dry && sum.records < work->expected)
        tell_changed(run, work, work->expected - sum.records);
}

/* --- parked entries -------------------------------------------------------- */

static void add_entry(struct run *run, const struct ctl_edit_work *work, const struct spool_edit_result *result,
                      uint64_t new_seq)
{
    struct ctl_edit_tally *tally = run->tally;
    bool is_counted = run->dry && run->edit->form->fits != 0 && !work->is_parked; /* with the batches */

    tally->parked += result->parked;
    if (!is_counted) {
        tally->batches += result->records;
        tally->stored_bytes += result->stored_bytes;
    }
    /* Spans of entries are those of their batches, which rm counts or leaves alone. */
    if (run->edit->form->fits == 0 || (!is_counted && result->records > 0))
        tally->spans += result->spans;
    if (new_seq == 0)
        return;
    tally->last_new_seq = new_seq;
    if (tally->first_new_seq == 0)
        tally->first_new_seq = new_seq;
}

/* The step has moved behind the entry that it could not do. */
static void tell_damaged(struct run *run, const struct spool_edit_parked *step)
{
    struct err why = run->edit->error;
    struct ctl_edit_id id = {
        .kind = CTL_EDIT_ENTRY, .first = step->index == 0 ? step->seq - 1 : step->seq, .index = step->index - 1};

    run->edit->error = (struct err){.class = ERR_NONE};
    ctl_edit_fail(run->edit, &id, "%s", why.text);
}

static void run_entries(struct run *run, const struct ctl_edit_work *work)
{
    struct ctl_edit *edit = run->edit;
    struct spool_edit_parked step = {
        .requeue = edit->form->fits == 0,
        .seq = work->first,
        .index = work->index,
        .last_seq = work->last,
        .last_index = work->is_parked ? work->last_index : UINT32_MAX,
        .codec = OTLP_CODEC_IDENTITY,
        .dry_run = run->dry,
    };
    int result;

    do {
        struct spool_edit_result one = {.records = 0};
        uint64_t new_seq;

        result = spool_edit_parked_step(edit->spool, &step, &new_seq, &one, &edit->error);
        if (result < 0 && edit->error.class != ERR_POISON)
            return;
        if (result < 0)
            tell_damaged(run, &step);
        else
            add_entry(run, work, &one, new_seq);
    } while (result != 0 && pause_between(run));
}

/* --- all of it ------------------------------------------------------------- */

static void run_all(struct run *run)
{
    const struct ctl_edit *edit = run->edit;

    for (size_t i = 0; i < edit->work_count; i++) {
        const struct ctl_edit_work *work = &edit->work[i];

        if (i > 0 && !pause_between(run))
            return;
        if (run->states != 0 && !work->is_parked)
            run_batches(run, work);
        if (run->entries && is_going_on(edit))
            run_entries(run, work);
    }
}

void ctl_edit_count(struct ctl_edit *edit, struct ctl_edit_tally *tally)
{
    struct run run = {
        .edit = edit, .tally = tally, .states = edit->states, .entries = edit->form->entries, .dry = true};

    run_all(&run);
}

uint64_t ctl_edit_count_state(struct ctl_edit *edit, enum spool_record_state state)
{
    struct ctl_edit_tally tally = {.batches = 0};
    struct run run = {.edit = edit, .tally = &tally, .states = edit->states & SPOOL_EDIT_STATE(state), .dry = true};

    run_all(&run);
    return tally.batches;
}

void ctl_edit_do(struct ctl_edit *edit)
{
    struct run run = {.edit = edit, .tally = &edit->tally, .states = edit->states, .entries = edit->form->entries};

    if (!edit->ctl->json)
        ctl_progress_init(&run.progress, edit->ctl);
    ctl_interrupt_watch(&run.interrupt);
    run_all(&run);
    ctl_interrupt_end(&run.interrupt);
    ctl_progress_clear(&run.progress);
}
