/*
 * ctl_status.c - `tracespool status`: one look.
 *
 * Reads the spool's own figures and the lock, asks nobody over a network, so
 * it answers at once and also while everything else is down.
 */
#include "ctl_status.h"

#include <getopt.h>
#include <sys/statvfs.h>

#include "clock.h"
#include "ctl_terminal.h"
#include "ctl_verbs.h"
#include "units.h"

#define SCREEN_BYTES_MAX (64UL << 10)
#define OPTION_WATCH 'w'

const struct ctl_option ctl_status_options[] = {
    {"watch", "[INTERVAL]", CTL_OPTION_LETTER | OPTION_WATCH, "look again every INTERVAL (default 2s), until Ctrl-C"},
    {NULL, NULL, 0, NULL},
};

int ctl_status_gather(struct ctl_status *status, struct spool *spool, const char *path, struct err *err)
{
    struct statvfs file_system;

    *status = (struct ctl_status){.path = path, .owner = spool_owner(path), .now_ns = clock_wall_ns()};
    if (spool_stat(spool, &status->stat, err) < 0)
        return -1;
    if (statvfs(path, &file_system) == 0) {
        status->file_system_known = true;
        status->file_system_free_bytes = (uint64_t)file_system.f_bavail * file_system.f_frsize;
    }
    if (status->owner != 0) {
        struct spool_sums sums = spool_stat_sums(&status->stat);

        status->rates_known = spool_rate_recent(&status->stat.marks, &sums, status->now_ns, &status->rates);
    }
    return 0;
}

void ctl_status_put(const struct ctl *ctl, const struct ctl_status *status, struct buf *out)
{
    if (ctl->json) {
        ctl_status_json(status, out);
        buf_text(out, "\n");
    } else {
        ctl_status_text(status, ctl_terminal_width(ctl), ctl_terminal_colored(ctl), out);
    }
}

static int show_once(struct ctl *ctl)
{
    struct ctl_status status;
    struct buf out;
    struct err err;
    struct spool *spool = ctl_open_spool(ctl);

    if (spool == NULL)
        return CTL_FAILED;
    int result = ctl_status_gather(&status, spool, ctl_spool_path(ctl), &err);
    spool_close(spool);
    if (result < 0)
        return ctl_fail(ctl, "%s", err.text);
    buf_init(&out, SCREEN_BYTES_MAX);
    ctl_status_put(ctl, &status, &out);
    ctl_write(ctl, &out);
    buf_fini(&out);
    return CTL_OK;
}

/* "2s", or seconds alone, as watch(1) takes them. */
static int take_interval(struct ctl *ctl, const char *text, uint64_t *ns)
{
    uint64_t seconds;

    if (ctl_options_number(text, CTL_WATCH_MAX_MS / 1000, &seconds) == 0)
        *ns = seconds * NS_PER_S;
    else if (units_parse_duration(text, ns) != 0)
        *ns = 0;
    if (*ns >= CTL_WATCH_MIN_MS * NS_PER_MS && *ns <= CTL_WATCH_MAX_MS * NS_PER_MS)
        return 0;
    ctl_fail(ctl, "--watch takes an interval from %d ms to %d h, such as 2s, not \"%s\"", CTL_WATCH_MIN_MS,
             CTL_WATCH_MAX_MS / 3600000, text);
    return -1;
}

int ctl_status(struct ctl *ctl, int argc, char **argv)
{
    uint64_t interval_ns = CTL_WATCH_MS * NS_PER_MS;
    const char *argument, *interval = NULL;
    bool watches = false;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_status_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return ctl->exit;
        watches = true;
        interval = argument;
    }
    if (watches && interval == NULL && optind < argc)
        interval = argv[optind++];
    if (optind < argc)
        return ctl_fail(ctl, "takes no operand");
    if (interval != NULL && take_interval(ctl, interval, &interval_ns) < 0)
        return CTL_FAILED;
    return watches ? ctl_status_watch(ctl, interval_ns) : show_once(ctl);
}
