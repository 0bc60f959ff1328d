/*
 * ctl_edit.c - the command line of the operator's verbs, and the order of things.
 *
 * One thread.  Options, then ids, then consent if nobody can be asked: all of
 * it before the spool is opened.  Then what the ids name is looked up, said
 * and asked for, done in steps, and told.  Whatever is wrong with the command
 * line ends it before anything is changed.
 */
#include "ctl_edit.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_time.h"
#include "ctl_verbs.h"

#define HELP_DRY_RUN "only count what would be done"
#define HELP_YES "do not ask"
#define HELP_SERVICE "only batches with spans of this service.name, each as a whole"

const struct ctl_option ctl_hold_options[] = {
    {"service", "NAME", 'S', HELP_SERVICE},
    {"dry-run", NULL, 'n', HELP_DRY_RUN},
    {NULL, NULL, 0, NULL},
};

const struct ctl_option ctl_requeue_options[] = {
    {"dry-run", NULL, 'n', HELP_DRY_RUN},
    {NULL, NULL, 0, NULL},
};

const struct ctl_option ctl_rm_options[] = {
    {"history", NULL, 'H', "delivered batches too"},
    {"yes", NULL, 'y', HELP_YES},
    {"dry-run", NULL, 'n', HELP_DRY_RUN},
    {NULL, NULL, 0, NULL},
};

const struct ctl_option ctl_replay_options[] = {
    {"since", "TIME", 's', "only what was received then or later"},
    {"until", "TIME", 'u', "only what was received before"},
    {"service", "NAME", 'S', HELP_SERVICE},
    {"yes", NULL, 'y', HELP_YES},
    {"dry-run", NULL, 'n', HELP_DRY_RUN},
    {NULL, NULL, 0, NULL},
};

static const struct ctl_edit_form forms[] = {
    {"hold", "held", SPOOL_EDIT_HOLD, SPOOL_EDIT_STATE(SPOOL_PENDING), false, false, false},
    {"release", "released", SPOOL_EDIT_RELEASE, SPOOL_EDIT_STATE(SPOOL_HELD), false, false, false},
    {"requeue", "requeued", SPOOL_EDIT_RELEASE, 0, true, false, false},
    {"remove", "removed", SPOOL_EDIT_REMOVE, SPOOL_EDIT_STATE(SPOOL_PENDING) | SPOOL_EDIT_STATE(SPOOL_HELD), true, true,
     true},
    {"replay", "replayed", SPOOL_EDIT_REPLAY, SPOOL_EDIT_STATE(SPOOL_DELIVERED), false, true, false},
};

enum { HOLD, RELEASE, REQUEUE, REMOVE, REPLAY };

/* --- the command line ------------------------------------------------------ */

static int take_option(struct ctl_edit *edit, int option, const char *argument)
{
    switch (option) {
    case 'n':
        edit->dry_run = true;
        return 0;
    case 'y':
        edit->yes = true;
        return 0;
    case 'H':
        edit->states |= SPOOL_EDIT_STATE(SPOOL_DELIVERED);
        return 0;
    case 'S':
        return ctl_pick_take_service(edit->ctl, &edit->pick, argument);
    case 's':
        edit->many = true;
        return ctl_pick_take_since(edit->ctl, &edit->pick, argument);
    default:
        return ctl_pick_take_until(edit->ctl, &edit->pick, argument);
    }
}

static int check_ids(struct ctl_edit *edit, struct err *err)
{
    char text[CTL_EDIT_ID_TEXT_MAX];

    for (size_t i = 0; i < edit->ids.count; i++) {
        const struct ctl_edit_id *id = &edit->ids.items[i];

        if (ctl_edit_id_is_parked(id) && !edit->form->entries)
            return err_set(err, ERR_CONFIG, 0, "%s names what is parked, which requeue, rm, export and show take",
                           ctl_edit_id_format(text, id));
        edit->many |= id->kind == CTL_EDIT_RANGE || id->kind == CTL_EDIT_ALL;
    }
    return 0;
}

static int take_ids(struct ctl_edit *edit, char **operands, int count, struct err *err)
{
    struct ctl_edit_id all = {.kind = CTL_EDIT_ALL};

    for (int i = 0; i < count; i++) {
        struct ctl_edit_id id;

        if (edit->pick.since_ns > 0 && ctl_time_is_clock(operands[i])) {
            return err_set(err, ERR_CONFIG, 0, "\"%s\" stands alone: quote a time with its day, \"yesterday %s\"",
                           operands[i], operands[i]);
        } else if (strcmp(operands[i], "-") == 0) {
            if (edit->from_input)
                return err_set(err, ERR_CONFIG, 0, "standard input can be read once; - stands there twice");
            edit->from_input = true;
            if (ctl_edit_id_read(&edit->ids, stdin, err) < 0)
                return -1;
        } else if (ctl_edit_id_parse(&id, operands[i], err) < 0 || ctl_edit_id_add(&edit->ids, &id, err) < 0) {
            return -1;
        }
    }
    /* The time says which: among all. */
    if (count == 0 && ctl_edit_id_add(&edit->ids, &all, err) < 0)
        return -1;
    return check_ids(edit, err);
}

static int take_command_line(struct ctl_edit *edit, int argc, char **argv, const struct ctl_option *options)
{
    const char *argument;
    struct err err;

    for (int option; (option = ctl_options_next(edit->ctl, argc, argv, options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return -1;
        if (take_option(edit, option, argument) < 0)
            return -1;
    }
    if (optind == argc && !edit->many) {
        ctl_fail(edit->ctl, "say which: %sSEQ, SEQ-SEQ%s", options == ctl_replay_options ? "--since TIME, " : "",
                 edit->pick.service != NULL ? ", or ALL for all of this service" : " or ALL");
        return -1;
    }
    if (ctl_pick_check_times(edit->ctl, &edit->pick) < 0)
        return -1;
    if (take_ids(edit, argv + optind, argc - optind, &err) < 0) {
        ctl_fail(edit->ctl, "%s", err.text);
        return -1;
    }
    return 0;
}

/* --- the order of things --------------------------------------------------- */

static int open_spool(struct ctl_edit *edit)
{
    const char *path = ctl_spool_path(edit->ctl);
    struct err err;

    if (path == NULL)
        return -1;
    if ((edit->dry_run ? spool_open_readonly(&edit->spool, path, &err) : spool_open_edit(&edit->spool, path, &err)) ==
        0)
        return 0;
    ctl_fail_open(edit->ctl, &err);
    return -1;
}

static int edit_spool(struct ctl_edit *edit)
{
    struct err err;
    int status;

    ctl_edit_note_window(edit);
    if (ctl_edit_plan(edit, &err) < 0 || (edit->pick.service != NULL && ctl_edit_find_service(edit, &err) < 0))
        return ctl_fail(edit->ctl, "%s", err.text);
    if (edit->dry_run) {
        ctl_edit_count(edit, &edit->tally);
    } else {
        if (!ctl_edit_ask(edit))
            return ctl_fail(edit->ctl, "nothing was %s", edit->form->past);
        ctl_edit_do(edit);
    }
    status = ctl_edit_tell(edit);
    ctl_edit_note(edit);
    return status;
}

static int run_verb(struct ctl *ctl, int argc, char **argv, int verb, const struct ctl_option *options)
{
    struct ctl_edit *edit = calloc(1, sizeof(*edit));
    int status = CTL_FAILED;

    if (edit == NULL)
        return ctl_fail(ctl, "no memory");
    edit->ctl = ctl;
    edit->form = &forms[verb];
    edit->states = edit->form->fits;
    edit->pick.until_ns = UINT64_MAX;
    ctl->exit = CTL_FAILED; /* unless help was asked for */
    if (take_command_line(edit, argc, argv, options) < 0) {
        status = ctl->exit;
    } else if (ctl_edit_may_ask(edit) && open_spool(edit) == 0) {
        status = edit_spool(edit);
        spool_close(edit->spool);
    }
    free(edit->only);
    free(edit->work);
    free(edit->ids.items);
    free(edit);
    return status;
}

int ctl_hold(struct ctl *ctl, int argc, char **argv)
{
    return run_verb(ctl, argc, argv, HOLD, ctl_hold_options);
}

int ctl_release(struct ctl *ctl, int argc, char **argv)
{
    return run_verb(ctl, argc, argv, RELEASE, ctl_hold_options);
}

int ctl_requeue(struct ctl *ctl, int argc, char **argv)
{
    return run_verb(ctl, argc, argv, REQUEUE, ctl_requeue_options);
}

int ctl_rm(struct ctl *ctl, int argc, char **argv)
{
    return run_verb(ctl, argc, argv, REMOVE, ctl_rm_options);
}

int ctl_replay(struct ctl *ctl, int argc, char **argv)
{
    return run_verb(ctl, argc, argv, REPLAY, ctl_replay_options);
}
