/*
 * ctl_edit_note.c - what the command line means, and what it could be thought to mean and does not.
 *
 * A service is held or released with what others sent in the same batches, and
 * only in those that are there; rm leaves delivered batches alone.  Whoever
 * expects otherwise learns it here, and not when it is too late.
 */
#include <inttypes.h>

#include "ctl_edit.h"
#include "units.h"

void ctl_edit_note_window(struct ctl_edit *edit)
{
    const struct ctl_pick *pick = &edit->pick;
    char since[UNITS_TEXT_MAX], until[UNITS_TEXT_MAX], reach[UNITS_TEXT_MAX];
    struct spool_stat stat;
    struct err err;

    if (edit->ctl->json || (pick->since_ns == 0 && pick->until_ns == UINT64_MAX))
        return;
    ctl_note(edit->ctl, "what was received from %s to %s",
             pick->since_ns == 0 ? "the beginning" : units_format_time(since, pick->since_ns),
             pick->until_ns == UINT64_MAX ? "now" : units_format_time(until, pick->until_ns));
    if (spool_stat(edit->spool, &stat, &err) == 0 && stat.evicted_records > 0 && pick->since_ns < stat.oldest_record_ns)
        ctl_note(edit->ctl, "the spool reaches back to %s only; older batches have made room for newer ones",
                 units_format_time(reach, stat.oldest_record_ns));
}

/* The delivered batches that rm has passed over, all of them. */
static void note_delivered(struct ctl_edit *edit)
{
    char text[UNITS_TEXT_MAX];
    uint64_t count;

    edit->states = SPOOL_EDIT_STATE(SPOOL_DELIVERED);
    edit->work_count = edit->planned_count;
    count = ctl_edit_count_state(edit, SPOOL_DELIVERED);
    if (count > 0)
        ctl_note(edit->ctl, "%s %s delivered; --history removes such batches too", units_format_count(text, count),
                 count == 1 ? "batch is" : "batches are");
}

void ctl_edit_note(struct ctl_edit *edit)
{
    bool all_is_well = edit->failed + edit->unreadable == 0 && !edit->interrupted && edit->error.class == ERR_NONE;
    bool is_hold = edit->form->kind == SPOOL_EDIT_HOLD;

    if (edit->ctl->json)
        return;
    if (edit->form->kind == SPOOL_EDIT_REMOVE && all_is_well && edit->tally.batches + edit->tally.parked == 0 &&
        (edit->states & SPOOL_EDIT_STATE(SPOOL_DELIVERED)) == 0)
        note_delivered(edit);
    if (!edit->form->asks && edit->pick.service != NULL && edit->tally.batches > 0)
        ctl_note(edit->ctl, "what other services sent in the same batches %s %s too%s",
                 edit->dry_run ? "would be" : "is", edit->form->past,
                 is_hold ? "; batches that come from now on are not" : "");
}
