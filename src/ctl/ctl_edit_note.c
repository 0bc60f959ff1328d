/*
 * ctl_edit_note.c - what the command line could be thought to mean and does not.
 *
 * A service is held or released with what others sent in the same batches, and
 * only in those that are there; rm leaves delivered batches alone.  Whoever
 * expects otherwise learns it here, and not when it is too late.
 */
#include <inttypes.h>

#include "ctl_edit.h"
#include "units.h"

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
