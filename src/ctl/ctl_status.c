/*
 * ctl_status.c - `tracespool status`.
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

#define SCREEN_BYTES_MAX (64UL << 10)

const struct ctl_option ctl_status_options[] = {{NULL, NULL, 0, NULL}};

static int gather(struct ctl *ctl, struct ctl_status *status)
{
    struct err err;
    struct statvfs file_system;
    struct spool *spool = ctl_open_spool(ctl);

    if (spool == NULL)
        return -1;
    status->path = ctl_spool_path(ctl);
    status->owner = spool_owner(status->path);
    status->now_ns = clock_wall_ns();
    int result = spool_stat(spool, &status->stat, &err);
    if (result < 0)
        ctl_fail(ctl, "%s", err.text);
    spool_close(spool);
    if (statvfs(status->path, &file_system) == 0) {
        status->file_system_known = true;
        status->file_system_free_bytes = (uint64_t)file_system.f_bavail * file_system.f_frsize;
    }
    return result;
}

int ctl_status(struct ctl *ctl, int argc, char **argv)
{
    struct ctl_status status = {.path = NULL};
    struct buf out;
    const char *argument;

    if (ctl_options_next(ctl, argc, argv, ctl_status_options, &argument) == CTL_OPTIONS_STOP)
        return ctl->exit;
    if (optind < argc)
        return ctl_fail(ctl, "takes no operand");
    if (gather(ctl, &status) < 0)
        return CTL_FAILED;
    buf_init(&out, SCREEN_BYTES_MAX);
    if (ctl->json) {
        ctl_status_json(&status, &out);
        buf_text(&out, "\n");
    } else {
        ctl_status_text(&status, ctl_terminal_width(ctl), ctl_terminal_colored(ctl), &out);
    }
    ctl_write(ctl, &out);
    buf_fini(&out);
    return CTL_OK;
}
