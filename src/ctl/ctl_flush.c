/*
 * ctl_flush.c - `tracespool flush`: asks the daemon to try now.
 *
 * One thread.  The daemon is reached through the spool: it notices within a
 * second that another process has committed, and ends its backoffs.  Nothing
 * is asked of a daemon that does not wait, or that has nothing to deliver.
 *
 * With --wait it looks until what was pending at the beginning is delivered;
 * what comes meanwhile is not waited for, or a busy daemon would never be done.
 */
#include "ctl_flush.h"

#include <getopt.h>
#include <time.h>

#include "clock.h"
#include "ctl_follow.h"
#include "ctl_progress.h"
#include "ctl_verbs.h"
#include "spool_edit.h"
#include "units.h"

#define OUT_BYTES_MAX (64UL << 10)
#define LINE_BYTES_MAX 256
#define OPTION_WAIT 'w'

const struct ctl_option ctl_flush_options[] = {
    {"wait", "DURATION", OPTION_WAIT, "wait until what is pending is delivered, at most so long"},
    {NULL, NULL, 0, NULL},
};

static int look(struct ctl *ctl, struct ctl_status *status)
{
    struct spool *spool = ctl_open_spool(ctl);
    struct err err;

    if (spool == NULL)
        return -1;
    int result = ctl_status_gather(status, spool, ctl_spool_path(ctl), &err);
    spool_close(spool);
    if (result < 0)
        ctl_fail(ctl, "%s", err.text);
    return result;
}

static int ask(struct ctl *ctl)
{
    struct spool *spool;
    struct err err;

    if (spool_open_edit(&spool, ctl_spool_path(ctl), &err) < 0) {
        ctl_fail(ctl, "%s", err.text);
        return -1;
    }
    int result = spool_edit_ask(spool, &err);
    spool_close(spool);
    if (result < 0)
        ctl_fail(ctl, "%s", err.text);
    return result;
}

/* --- waiting ----------------------------------------------------------------- */

/* 1: nothing is pending below `end_seq`; 0: something is; -1. */
static int is_delivered(struct spool *spool, uint64_t end_seq, struct err *err)
{
    struct spool_want want = {.end = SPOOL_OLDEST, .max_records = 1, .max_bytes = 1};
    struct spool_record oldest;
    size_t count;

    if (spool_read_pending(spool, &want, NULL, &oldest, &count, err) < 0)
        return -1;
    return count == 0 || oldest.seq >= end_seq ? 1 : 0;
}

/* One look of a wait.  -1: that cannot be looked at just now, as the daemon restarts. */
static int look_again(struct ctl_follow *follow, struct ctl_flush *flush, struct err *err)
{
    int result = ctl_follow_look(follow, err);

    if (result >= 0)
        result = is_delivered(follow->spool, flush->before.stat.next_seq, err);
    if (result >= 0)
        flush->done = result == 1;
    if (result < 0 || ctl_status_gather(&flush->after, follow->spool, follow->path, err) < 0) {
        ctl_follow_drop(follow);
        return -1;
    }
    return 0;
}

static void show_progress(struct ctl_progress *progress, const struct ctl_flush *flush)
{
    char line[LINE_BYTES_MAX];
    struct buf pending;

    if (!ctl_progress_due(progress))
        return;
    buf_init(&pending, LINE_BYTES_MAX);
    ctl_flush_put_pending(&flush->after, &pending);
    snprintf(line, sizeof(line), "%.*s pending", (int)pending.len, (const char *)pending.data);
    ctl_progress_line(progress, line);
    buf_fini(&pending);
}

/* Until all is delivered, the time is over, or no daemon is there to do it. */
static int wait(struct ctl *ctl, struct ctl_flush *flush, uint64_t most_ns)
{
    const struct timespec pause = {.tv_nsec = CTL_FLUSH_LOOK_MS * (long)NS_PER_MS};
    uint64_t begin_ns = clock_mono_ns();
    struct ctl_progress progress;
    struct ctl_follow follow;
    struct err err;
    bool going_on = true;

    if (ctl_follow_open(&follow, ctl) < 0)
        return -1;
    ctl_progress_init(&progress, ctl);
    flush->waited = true;
    flush->after = flush->before;
    while (going_on) {
        int result = look_again(&follow, flush, &err);

        flush->waited_ns = clock_mono_ns() - begin_ns;
        going_on = !flush->done && flush->waited_ns < most_ns && (result < 0 || flush->after.owner != 0);
        if (going_on) {
            show_progress(&progress, flush);
            nanosleep(&pause, NULL);
        }
    }
    ctl_progress_clear(&progress);
    ctl_follow_close(&follow);
    return 0;
}

/* --- all of it --------------------------------------------------------------- */

static void tell_asked(struct ctl *ctl, const struct ctl_flush *flush)
{
    struct buf out;

    if (ctl->json)
        return;
    buf_init(&out, OUT_BYTES_MAX);
    ctl_flush_put_asked(flush, &out);
    ctl_write(ctl, &out);
    fflush(ctl->out); /* before the wait */
    buf_fini(&out);
}

static int tell_end(struct ctl *ctl, const struct ctl_flush *flush)
{
    struct buf out;

    buf_init(&out, OUT_BYTES_MAX);
    if (ctl->json) {
        ctl_flush_json(flush, &out);
        ctl_write(ctl, &out);
    } else if (flush->waited) {
        ctl_flush_put_waited(flush, &out);
        if (!flush->done)
            ctl_note(ctl, "%.*s", (int)out.len, (const char *)out.data);
        else
            buf_text(&out, "\n");
        if (flush->done)
            ctl_write(ctl, &out);
    }
    buf_fini(&out);
    if (!flush->waited || flush->done)
        return CTL_OK;
    return flush->after.owner != 0 ? CTL_PARTIAL : CTL_FAILED;
}

static int run(struct ctl *ctl, bool waits, uint64_t wait_ns)
{
    struct ctl_flush flush = {.asked = false};

    if (look(ctl, &flush.before) < 0)
        return CTL_FAILED;
    if (flush.before.owner == 0)
        return ctl_fail(ctl, "no daemon runs on %s: there is nobody to deliver; start it (systemctl start tracespoold)",
                        flush.before.path);
    if (ctl_flush_is_due(&flush.before)) {
        if (ask(ctl) < 0)
            return CTL_FAILED;
        flush.asked = true;
    }
    tell_asked(ctl, &flush);
    if (waits && flush.before.stat.pending_records > 0 && wait(ctl, &flush, wait_ns) < 0)
        return CTL_FAILED;
    return tell_end(ctl, &flush);
}

int ctl_flush(struct ctl *ctl, int argc, char **argv)
{
    const char *argument;
    uint64_t wait_ns = 0;
    bool waits = false;

    for (int option; (option = ctl_options_next(ctl, argc, argv, ctl_flush_options, &argument)) != CTL_OPTIONS_END;) {
        if (option == CTL_OPTIONS_STOP)
            return ctl->exit;
        waits = true;
        if (units_parse_duration(argument, &wait_ns) != 0)
            return ctl_fail(ctl, "--wait takes a duration, such as 30s, not \"%s\"", argument);
    }
    if (optind < argc)
        return ctl_fail(ctl, "takes no operand");
    return run(ctl, waits, wait_ns);
}
