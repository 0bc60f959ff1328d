/*
 * ctl_ls.c - `tracespool ls`: which list, of what, and of how many.
 */
#include "ctl_ls.h"

#include <getopt.h>

#include "ctl_verbs.h"
#include "units.h"

#define DEFAULT_LIMIT 50

const struct ctl_option ctl_ls_options[] = {
    {"pending", NULL, 'P', "batches that wait for MongoDB"},
    {"held", NULL, 'H', "batches that are kept back; without a choice: --pending --held"},
    {"history", NULL, 'D', "batches that are delivered"},
    {"all", NULL, 'a', "batches in every state"},
    {"parked", NULL, 'p', "what MongoDB refused or what was found damaged, with the reason"},
    {"damaged", NULL, 'd', "only what is damaged, in every state unless one is named"},
    {"service", "NAME", 'S', "only batches with spans of this service.name"},
    {"since", "TIME", 's', "only what was received then or later"},
    {"until", "TIME", 'u', "only what was received before"},
    {"limit", "N", 'n', "the newest N (default 50); 0: all"},
    {"oldest", NULL, 'o', "--limit takes the oldest"},
    {"reverse", NULL, 'r', "the newest first"},
    {NULL, NULL, 0, NULL},
};

void ctl_ls_put_cut(struct buf *out, const struct ctl_ls_options *options, uint64_t listed, uint64_t there,
                    const char *what)
{
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

    buf_printf(out, "The %s ", options->oldest ? "oldest" : "newest");
    if (there > 0)
        buf_printf(out, "%s of %s %s", units_format_count(a, listed), units_format_count(b, there), what);
    else if (listed > 1)
        buf_printf(out, "%s %s that match", units_format_count(a, listed), what);
    else
        buf_text(out, "that matches");
    buf_text(out, "; --limit 0 lists all.\n");
}

static void take_state(struct ctl_ls_options *options, unsigned states)
{
    if (!options->states_given)
        options->pick.states = 0;
    options->states_given = true;
    options->pick.states |= states;
}

/* 0, or -1 after the mistake has been told. */
static int take_option(struct ctl *ctl, struct ctl_ls_options *options, int option, const char *argument)
{
    switch (option) {
    case 'P':
        take_state(options, SPOOL_EDIT_STATE(SPOOL_PENDING));
        return 0;
    case 'H':
        take_state(options, SPOOL_EDIT_STATE(SPOOL_HELD));
        return 0;
    case 'D':
        take_state(options, SPOOL_EDIT_STATE(SPOOL_DELIVERED));
        return 0;
    case 'a':
        take_state(options, CTL_STATES_ALL);
        return 0;
    case 'd':
        options->pick.damaged = true;
        return 0;
    case 'S':
        return ctl_pick_take_service(ctl, &options->pick, argument);
    case 's':
        return ctl_pick_take_since(ctl, &options->pick, argument);
    case 'u':
        return ctl_pick_take_until(ctl, &options->pick, argument);
    case 'o':
        options->oldest = true;
        return 0;
    case 'r':
        options->reverse = true;
        return 0;
    default:
        if (ctl_options_number(argument, UINT64_MAX, &options->limit) == 0)
            return 0;
        ctl_fail(ctl, "--limit takes a number, not \"%s\"", argument);
        return -1;
    }
}

static int parse(struct ctl *ctl, int argc, char **argv, struct ctl_ls_options *options, bool *parked)
{
    const char *argument;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_ls_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return -1;
        ctl->exit = CTL_FAILED;
        *parked |= option == 'p';
        if (option != 'p' && take_option(ctl, options, option, argument) < 0)
            return -1;
    }
    return ctl_pick_check_times(ctl, &options->pick);
}

int ctl_ls(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_ls_options options = {
        .pick = {.states = SPOOL_EDIT_STATE(SPOOL_PENDING) | SPOOL_EDIT_STATE(SPOOL_HELD), .until_ns = UINT64_MAX},
        .limit = DEFAULT_LIMIT};
    bool parked = false;

    ctl->exit = CTL_FAILED;
    if (parse(ctl, argc, argv, &options, &parked) < 0)
        return ctl->exit;
    if (optind < argc)
        return ctl_fail(ctl, "takes no operand; `tracespool show %s` shows one batch or trace", argv[optind]);
    if (parked && options.states_given)
        return ctl_fail(ctl, "--parked is a list of its own, of spans and not of batches; ask for one");
    if (options.oldest && options.reverse)
        return ctl_fail(ctl, "--oldest begins with the oldest, --reverse with the newest; ask for one");
    if (options.limit == 0)
        options.limit = UINT64_MAX;
    if (options.pick.damaged && !options.states_given)
        take_state(&options, CTL_STATES_ALL);
    struct spool *spool = ctl_open_spool(ctl);
    if (spool == NULL)
        return CTL_FAILED;
    int status = parked ? ctl_ls_parked(ctl, spool, &options) : ctl_ls_batches(ctl, spool, &options);
    spool_close(spool);
    return status;
}
