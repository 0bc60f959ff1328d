/*
 * ctl_ls.c - `tracespool ls`: which list, and of how many.
 */
#include "ctl_ls.h"

#include <getopt.h>

#include "ctl_text.h"
#include "ctl_verbs.h"
#include "units.h"

#define DEFAULT_LIMIT 50

const struct ctl_option ctl_ls_options[] = {
    {"all", NULL, 'a', "history too: batches that are delivered"},
    {"parked", NULL, 'p', "what MongoDB refused or what was found damaged, with the reason"},
    {"limit", "N", 'n', "the newest N (default 50); 0: all"},
    {NULL, NULL, 0, NULL},
};

void ctl_ls_time(struct buf *out, uint64_t wall_ns)
{
    char text[UNITS_TEXT_MAX];

    /* Milliseconds tell batches apart in JSON; here they would take the room of a service's name. */
    units_format_time(text, wall_ns);
    buf_printf(out, "%.19sZ", text);
}

int ctl_ls(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_ls_options options = {.limit = DEFAULT_LIMIT};
    bool parked = false;
    const char *argument;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_ls_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return ctl->exit;
        options.all |= option == 'a';
        parked |= option == 'p';
        if (option == 'n' && ctl_options_number(argument, UINT64_MAX, &options.limit) < 0)
            return ctl_fail(ctl, "--limit takes a number, not \"%s\"", argument);
    }
    if (optind < argc)
        return ctl_fail(ctl, "takes no operand; `tracespool show %s` shows one batch or trace", argv[optind]);
    if (parked && options.all)
        return ctl_fail(ctl, "--all and --parked are two lists; ask for one");
    if (options.limit == 0)
        options.limit = UINT64_MAX;
    struct spool *spool = ctl_open_spool(ctl);
    if (spool == NULL)
        return CTL_FAILED;
    int status = parked ? ctl_ls_parked(ctl, spool, &options) : ctl_ls_batches(ctl, spool, &options);
    spool_close(spool);
    return status;
}
