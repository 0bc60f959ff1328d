/*
 * ctl_export.c - `tracespool export`: what is in the spool, as OTLP for files and other tools.
 *
 * One thread.  Only reads, a batch a transaction, and writes it before the
 * next is read: the memory is that of the largest.  Without ids it is what
 * MongoDB does not have, which is what would be lost with the spool.
 *
 * Exit status 1: it did not come to its end, or none of the ids was found;
 * else 2: something is damaged, or an id was not found; else 0.
 */
#include "ctl_export.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl_verbs.h"
#include "ctl_words.h"

const struct ctl_option ctl_export_options[] = {
    {"format", "FORMAT", 'f', "json (default): OTLP/JSON, a request a line; proto: protobuf, each after its length"},
    {"output", "OUT", 'o', "write a new file, which has its name when it is complete; none when there is nothing"},
    {"all", NULL, 'a', "batches in every state, and what is parked"},
    {"pending", NULL, 'p', "batches that wait for MongoDB; without a choice: --pending --held --parked"},
    {"held", NULL, 'l', "batches that are held back"},
    {"parked", NULL, 'k', "what is parked"},
    {"history", NULL, 'H', "batches that are delivered"},
    {"since", "TIME", 's', "only what was received then or later"},
    {"until", "TIME", 'u', "only what was received before"},
    {"service", "NAME", 'S', "only batches with spans of this service; whole batches"},
    {"limit", "N", 'n', "the first N batches and parked entries"},
    {NULL, NULL, 0, NULL},
};

/* For ctl_edit_plan: every batch and every entry fits. */
static const struct ctl_edit_form form = {
    .present = "export", .past = "exported", .kind = SPOOL_EDIT_REPLAY, .fits = CTL_STATES_ALL, .entries = true};

/* --- the command line ------------------------------------------------------ */

static int take_format(struct ctl_export *export, const char *name)
{
    int choice = ctl_words_choose(ctl_words_format, name);

    if (choice < 0) {
        ctl_fail(export->ctl, "--format takes json or proto, not \"%s\"", name);
        return -1;
    }
    export->proto = choice == 1;
    return 0;
}

static int take_limit(struct ctl_export *export, const char *text)
{
    if (ctl_options_number(text, UINT64_MAX, &export->limit) == 0 && export->limit > 0)
        return 0;
    ctl_fail(export->ctl, "--limit takes a number from 1, not \"%s\"", text);
    return -1;
}

static int take_set(struct ctl_export *export, int option)
{
    export->sets = true;
    export->parked |= option == 'k' || option == 'a';
    if (option == 'a')
        export->pick.states = CTL_STATES_ALL;
    else if (option != 'k')
        export->pick.states |= SPOOL_EDIT_STATE(option == 'p'   ? SPOOL_PENDING
                                                : option == 'l' ? SPOOL_HELD
                                                                : SPOOL_DELIVERED);
    return 0;
}

static int take_option(struct ctl_export *export, int option, const char *argument)
{
    switch (option) {
    case 'f':
        return take_format(export, argument);
    case 'o':
        export->output = argument;
        return 0;
    case 's':
        return ctl_pick_take_since(export->ctl, &export->pick, argument);
    case 'u':
        return ctl_pick_take_until(export->ctl, &export->pick, argument);
    case 'S':
        return ctl_pick_take_service(export->ctl, &export->pick, argument);
    case 'n':
        return take_limit(export, argument);
    default:
        return take_set(export, option);
    }
}

static int take_ids(struct ctl_export *export, char **operands, int count, struct err *err)
{
    struct ctl_edit_ids *ids = &export->edit->ids;
    struct ctl_edit_id id = {.kind = CTL_EDIT_ALL};
    bool read = false;

    for (int i = 0; i < count; i++) {
        if (strcmp(operands[i], "-") == 0 && !read) {
            read = true;
            if (ctl_edit_id_read(ids, stdin, err) < 0)
                return -1;
        } else if (ctl_edit_id_parse(&id, operands[i], err) < 0 || ctl_edit_id_add(ids, &id, err) < 0) {
            return -1;
        }
    }
    return count > 0 ? 0 : ctl_edit_id_add(ids, &id, err);
}

static int check(struct ctl_export *export, int operands)
{
    if (operands > 0 && export->sets)
        ctl_fail(export->ctl, "takes ids, or --all, --pending, --held, --parked and --history, not both");
    else if (export->proto && export->output == NULL && isatty(fileno(export->ctl->out)) == 1)
        ctl_fail(export->ctl, "--format proto is no text for a terminal: redirect standard output");
    else
        return ctl_pick_check_times(export->ctl, &export->pick);
    return -1;
}

static int take_command_line(struct ctl_export *export, int argc, char **argv)
{
    struct ctl *ctl = export->ctl;
    const char *argument;
    struct err err;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_export_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP || take_option(export, option, argument) < 0)
            return -1;
    }
    if (check(export, argc - optind) < 0)
        return -1;
    if (take_ids(export, argv + optind, argc - optind, &err) < 0) {
        ctl_fail(ctl, "%s", err.text);
        return -1;
    }
    if (optind < argc)
        export->pick.states = CTL_STATES_ALL;
    else if (!export->sets)
        export->pick.states = SPOOL_EDIT_STATE(SPOOL_PENDING) | SPOOL_EDIT_STATE(SPOOL_HELD);
    export->parked |= !export->sets;
    return 0;
}

/* --- the order of things --------------------------------------------------- */

static int write_all(struct ctl_export *export, struct err *err)
{
    struct ctl_edit *edit = export->edit;

    edit->spool = export->spool;
    edit->states = CTL_STATES_ALL;
    edit->pick = export->pick;
    if (ctl_edit_plan(edit, err) < 0 || ctl_export_begin(export, err) < 0)
        return -1;
    return ctl_export_finish(export, ctl_export_pick(export, err), err);
}

static int run(struct ctl_export *export)
{
    struct err err = {.text = ""};
    int result = write_all(export, &err);

    ctl_progress_clear(&export->progress);
    ctl_export_tell(export, result < 0 ? err.text : NULL);
    if (result < 0 || (export->edit->failed > 0 && export->requests == 0))
        return CTL_FAILED;
    return export->edit->failed + export->damaged > 0 ? CTL_PARTIAL : CTL_OK;
}

static void init(struct ctl_export *export, struct ctl *ctl)
{
    *export = (struct ctl_export){.ctl = ctl, .pick = {.until_ns = UINT64_MAX}, .limit = UINT64_MAX};
    ctl_batch_init(&export->batch);
    arena_init(&export->parts, OTLP_DECODED_BYTES_MAX);
    buf_init(&export->text, OTLP_DECODED_BYTES_MAX);
    ctl_progress_init(&export->progress, ctl);
}

int ctl_export(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_edit *edit = calloc(1, sizeof(*edit));
    struct ctl_export export;
    int status = CTL_FAILED;

    if (edit == NULL)
        return ctl_fail(ctl, "no memory");
    init(&export, ctl);
    edit->ctl = ctl;
    edit->form = &form;
    export.edit = edit;
    ctl->exit = CTL_FAILED; /* unless help was asked for */
    if (take_command_line(&export, argc, argv) < 0) {
        status = (int)ctl->exit;
    } else if ((export.spool = ctl_open_spool(ctl)) != NULL) {
        status = run(&export);
        spool_close(export.spool);
    }
    buf_fini(&export.text);
    arena_fini(&export.parts);
    ctl_batch_fini(&export.batch);
    free(edit->work);
    free(edit->ids.items);
    free(edit);
    return status;
}
