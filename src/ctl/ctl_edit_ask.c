/*
 * ctl_edit_ask.c - what is about to be done, and whether it may.
 *
 * rm cannot be undone, so more than what is named one by one goes only after a
 * yes: typed, or given with --yes.  replay can do no harm but work, so without
 * a terminal it goes on.
 */
#include <string.h>
#include <unistd.h>

#include "ctl_edit.h"
#include "units.h"

#define ANSWER_MAX 16
#define TEXT_MAX 512

static bool somebody_is_there(const struct ctl_edit *edit)
{
    int fd = fileno(edit->ctl->err);

    return !edit->from_input && isatty(STDIN_FILENO) == 1 && fd >= 0 && isatty(fd) == 1;
}

bool ctl_edit_may_ask(const struct ctl_edit *edit)
{
    if (!edit->form->finally || edit->yes || edit->dry_run || somebody_is_there(edit))
        return true;
    if (!edit->many && !edit->from_input)
        return true;
    ctl_fail(edit->ctl,
             "removing %s cannot be undone and nobody can be asked: give --yes, or --dry-run to see what would go",
             edit->from_input ? "what standard input names" : "a range or ALL");
    return false;
}

void ctl_edit_put_states(struct buf *out, struct ctl_edit *edit)
{
    static const enum spool_record_state states[] = {SPOOL_PENDING, SPOOL_HELD, SPOOL_DELIVERED};
    char text[UNITS_TEXT_MAX];
    const char *before = " (";

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        uint64_t count = ctl_edit_count_state(edit, states[i]);

        if (count == 0)
            continue;
        buf_printf(out, "%s%s %s", before, units_format_count(text, count), spool_record_state_name(states[i]));
        before = ", ";
    }
    if (before[0] == ',')
        buf_text(out, ")");
}

static bool is_yes(void)
{
    char answer[ANSWER_MAX];

    if (fgets(answer, sizeof(answer), stdin) == NULL)
        return false;
    answer[strcspn(answer, "\n")] = '\0';
    return strcmp(answer, "y") == 0 || strcmp(answer, "Y") == 0 || strcmp(answer, "yes") == 0;
}

bool ctl_edit_ask(struct ctl_edit *edit)
{
    struct ctl_edit_tally *asked = &edit->asked;
    struct buf text;

    if (!edit->form->asks)
        return true;
    ctl_edit_count(edit, asked);
    if (edit->error.class != ERR_NONE || asked->batches + asked->parked == 0) {
        edit->work_count = 0; /* what comes up meanwhile was not asked for */
        edit->tally.passed = asked->passed;
        return true;
    }
    buf_init(&text, TEXT_MAX);
    ctl_edit_put_tally(&text, edit, asked);
    if (edit->form->finally)
        ctl_edit_put_states(&text, edit);
    if (!edit->ctl->json || somebody_is_there(edit))
        ctl_note(edit->ctl, "%.*s will be %s%s%s", (int)text.len, (const char *)text.data, edit->form->past,
                 edit->form->finally ? " for good" : ": MongoDB is sent them again",
                 edit->pick.service != NULL ? ", with what other services have in them" : "");
    buf_fini(&text);
    if (edit->yes || !somebody_is_there(edit))
        return true;
    fprintf(edit->ctl->err, "Go on? (y/N) ");
    fflush(edit->ctl->err);
    return is_yes();
}
