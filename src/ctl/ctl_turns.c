/*
 * ctl_turns.c - signals and output of a verb that goes on.
 *
 * Handlers only set flags.  The signals are blocked but for the time of a wait
 * (ppoll) and of a write, both of which they interrupt, so none is missed in
 * between, and Ctrl-C also ends a write to a terminal that has been stopped.
 * Only one that comes in the moment before write(2) begins, and finds a reader
 * that takes nothing, has to be sent again.
 *
 * A reader that has gone (`| head`) is noticed while waiting too, and is the
 * end and no failure.
 */
#include "ctl_turns.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

static const int signals[CTL_TURNS_SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGPIPE};

static volatile sig_atomic_t ended, resized, suspended;

static void note(int signal)
{
    if (signal == SIGWINCH)
        resized = 1;
    else if (signal == SIGTSTP)
        suspended = 1;
    else
        ended = 1;
}

static void handle(struct ctl_turns *turns, size_t at, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler}; /* without SA_RESTART: a write has to end */
    int result = sigaction(signals[at], NULL, &turns->old[at]);

    assert(result == 0);
    /* What the process ignores (nohup) stays ignored. */
    if (turns->old[at].sa_handler == SIG_IGN)
        return;
    result = sigaction(signals[at], &action, NULL);
    assert(result == 0);
    (void)result;
    if (handler != SIG_IGN)
        sigaddset(&turns->handled, signals[at]);
}

void ctl_turns_begin(struct ctl_turns *turns, const struct ctl *ctl, bool suspends)
{
    *turns = (struct ctl_turns){.ctl = ctl};
    ended = resized = suspended = 0;
    sigemptyset(&turns->handled);
    for (size_t i = 0; i < CTL_TURNS_SIGNALS; i++) {
        if (signals[i] == SIGTSTP && !suspends)
            sigaction(SIGTSTP, NULL, &turns->old[i]);
        else
            handle(turns, i, signals[i] == SIGPIPE ? SIG_IGN : note);
    }
    sigprocmask(SIG_BLOCK, &turns->handled, &turns->before);
}

void ctl_turns_end(struct ctl_turns *turns)
{
    for (size_t i = 0; i < CTL_TURNS_SIGNALS; i++) {
        if (signals[i] != SIGPIPE) /* what is still to be flushed finds the same reader gone */
            sigaction(signals[i], &turns->old[i], NULL);
    }
    sigprocmask(SIG_SETMASK, &turns->before, NULL);
}

static enum ctl_turn take_turn(const struct ctl_turns *turns)
{
    if (ended || turns->broken || turns->failed)
        return CTL_TURN_END;
    if (suspended) {
        suspended = 0;
        return CTL_TURN_SUSPEND;
    }
    if (resized) {
        resized = 0;
        return CTL_TURN_RESIZED;
    }
    return CTL_TURN_NEXT;
}

enum ctl_turn ctl_turns_wait(struct ctl_turns *turns, uint64_t deadline_ns)
{
    struct pollfd output = {.fd = fileno(turns->ctl->out)};
    enum ctl_turn turn;

    while ((turn = take_turn(turns)) == CTL_TURN_NEXT) {
        uint64_t now_ns = clock_mono_ns(), left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_S), .tv_nsec = (long)(left_ns % NS_PER_S)};
        int ready = ppoll(&output, 1, &left, &turns->before);

        if (ready > 0)
            turns->broken = true;
        else if (ready == 0)
            break;
    }
    return turn;
}

static int failed(struct ctl_turns *turns)
{
    turns->broken = errno == EPIPE;
    turns->failed = !turns->broken;
    if (turns->failed)
        ctl_fail(turns->ctl, "cannot write the output: %s", strerror(errno));
    return -1;
}

int ctl_turns_write(struct ctl_turns *turns, struct buf *out)
{
    size_t done = 0;
    int result = 0;

    fflush(turns->ctl->out);
    sigprocmask(SIG_SETMASK, &turns->before, NULL);
    while (result == 0 && done < out->len) {
        ssize_t written = ended ? -1 : write(fileno(turns->ctl->out), out->data + done, out->len - done);

        if (written >= 0)
            done += (size_t)written;
        else if (ended)
            result = -1;
        else if (errno != EINTR)
            result = failed(turns);
    }
    sigprocmask(SIG_BLOCK, &turns->handled, NULL);
    buf_clear(out);
    return result;
}

int ctl_turns_status(const struct ctl_turns *turns)
{
    return turns->failed ? CTL_FAILED : CTL_OK;
}
