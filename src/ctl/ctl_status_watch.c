/*
 * ctl_status_watch.c - `tracespool status --watch`: a look every few seconds.
 *
 * On a terminal a screen of its own, put back to what it was at the end, at
 * Ctrl-Z, and when the spool cannot be looked at any more; elsewhere a block,
 * or a line of JSON, a look.  Rates are those from one look to the next.  A
 * look that fails is told, and the next one tried: the daemon may be starting.
 */
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "ctl_follow.h"
#include "ctl_status.h"
#include "ctl_terminal.h"
#include "ctl_text.h"
#include "ctl_turns.h"
#include "units.h"

#define SCREEN_BYTES_MAX (128UL << 10)

/* The other screen, without a cursor and without wrapping: a line too long must not move those below it. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

struct watch {
    struct ctl *ctl;
    uint64_t interval_ns;
    bool on_screen; /* a terminal that is not dumb, and not JSON */
    unsigned looks;
    struct ctl_follow follow;
    struct ctl_turns turns;

    bool has_before;
    struct spool_sums before; /* at the look before */
    uint64_t before_ns;       /* monotonic */

    struct buf text;
    struct buf out;
};

static void measure(struct watch *watch, struct ctl_status *status)
{
    struct spool_sums sums = spool_stat_sums(&status->stat);
    uint64_t now_ns = clock_mono_ns();

    if (status->owner != 0 && watch->has_before)
        status->rates_known = spool_rate_between(&watch->before, &sums, now_ns - watch->before_ns, &status->rates);
    watch->has_before = true;
    watch->before = sums;
    watch->before_ns = now_ns;
}

static int look(struct watch *watch, struct ctl_status *status, struct err *err)
{
    int result = ctl_follow_look(&watch->follow, err);

    if (result != 0)
        watch->has_before = false;
    if (result < 0)
        return -1;
    if (ctl_status_gather(status, watch->follow.spool, watch->follow.path, err) < 0) {
        ctl_follow_drop(&watch->follow);
        watch->has_before = false;
        return -1;
    }
    measure(watch, status);
    return 0;
}

static void put_head(struct watch *watch)
{
    char time[UNITS_TEXT_MAX], interval[UNITS_TEXT_MAX];
    bool colored = ctl_terminal_colored(watch->ctl);

    ctl_text_style(&watch->text, colored, CTL_DIM);
    buf_printf(&watch->text, "%s, every %s; Ctrl-C ends\n", units_format_time(time, clock_wall_ns()),
               units_exact_duration(interval, watch->interval_ns));
    ctl_text_style(&watch->text, colored, CTL_PLAIN);
}

/* What stands where the screen would be. */
static void put_failure(struct watch *watch, const struct err *err)
{
    if (!watch->on_screen) {
        ctl_fail(watch->ctl, "%s", err->text);
        return;
    }
    ctl_text_wrap(&watch->text, slice_of_text(err->text), 0, ctl_terminal_width(watch->ctl));
    buf_text(&watch->text, "\n");
}

/* -1: to be ended. */
static int show(struct watch *watch)
{
    struct ctl_status status;
    struct err err;

    if (watch->on_screen)
        put_head(watch);
    else if (!watch->ctl->json && watch->looks > 0)
        buf_text(&watch->text, "\n");
    watch->looks++;
    if (look(watch, &status, &err) == 0)
        ctl_status_put(watch->ctl, &status, &watch->text);
    else
        put_failure(watch, &err);
    if (watch->on_screen)
        ctl_status_frame(buf_slice(&watch->text), ctl_terminal_rows(watch->ctl), &watch->out);
    else
        buf_append(&watch->out, watch->text.data, watch->text.len);
    buf_clear(&watch->text);
    return ctl_turns_write(&watch->turns, &watch->out);
}

static void screen(struct watch *watch, const char *sequence)
{
    if (!watch->on_screen)
        return;
    /* Not by ctl_turns_write, which writes nothing once it is to end. */
    fputs(sequence, watch->ctl->out);
    fflush(watch->ctl->out);
}

/* Ctrl-Z: the shell gets its screen back, and we begin anew when it lets us. */
static void suspend(struct watch *watch)
{
    screen(watch, LEAVE);
    raise(SIGSTOP);
    screen(watch, ENTER);
}

static void run(struct watch *watch)
{
    uint64_t next_ns = clock_mono_ns();

    for (enum ctl_turn turn = CTL_TURN_NEXT; turn != CTL_TURN_END;) {
        if (turn == CTL_TURN_SUSPEND)
            suspend(watch);
        if (show(watch) < 0)
            return;
        /* By the clock, so that the time of a look does not add up; looks that were missed are not made up for. */
        while (next_ns <= clock_mono_ns())
            next_ns += watch->interval_ns;
        turn = ctl_turns_wait(&watch->turns, next_ns);
    }
}

int ctl_status_watch(struct ctl *ctl, uint64_t interval_ns)
{
    struct watch watch = {.ctl = ctl, .interval_ns = interval_ns};

    if (ctl_follow_open(&watch.follow, ctl) < 0)
        return CTL_FAILED;
    watch.on_screen = !ctl->json && ctl_terminal_moves(ctl->out);
    buf_init(&watch.text, SCREEN_BYTES_MAX);
    buf_init(&watch.out, 2 * SCREEN_BYTES_MAX);
    ctl_turns_begin(&watch.turns, ctl, watch.on_screen);
    screen(&watch, ENTER);
    run(&watch);
    screen(&watch, LEAVE);
    ctl_turns_end(&watch.turns);
    buf_fini(&watch.out);
    buf_fini(&watch.text);
    ctl_follow_close(&watch.follow);
    return ctl_turns_status(&watch.turns);
}
