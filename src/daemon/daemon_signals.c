/*
 * daemon_signals.c - the signals of tracespoold.
 *
 * Those that mean something to us are blocked in every thread and taken by
 * sigtimedwait, so nothing runs in a handler; all others keep what the system
 * does with them.  While the daemon stops, main is busy: then one handler is
 * set, which only leaves.  That is safe, as the spool is made for crashes.
 */
#include "daemon_signals.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "log.h"

static void fill(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void daemon_signals_block(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;
    int result;

    fill(&set);
    result = pthread_sigmask(SIG_BLOCK, &set, NULL);
    assert(result == 0);
    /* A peer that hangs up is a failed write, not the end of the daemon. */
    result = sigaction(SIGPIPE, &ignore, NULL);
    assert(result == 0);
    (void)result;
}

int daemon_signals_wait(void (*look)(void *context, bool only_changed), void *context)
{
    const struct timespec pause = {.tv_sec = DAEMON_LOOK_MS / 1000, .tv_nsec = DAEMON_LOOK_MS % 1000 * 1000000L};
    sigset_t set;

    fill(&set);
    for (;;) {
        int signal = sigtimedwait(&set, NULL, &pause);

        assert(signal > 0 || errno == EAGAIN || errno == EINTR); /* EINTR: a debugger's stop and go */
        if (signal == SIGTERM || signal == SIGINT)
            return signal;
        if (signal == SIGHUP)
            log_info("daemon.reloading", "signal=SIGHUP, the configuration, certificates and tokens are read again");
        look(context, signal != SIGHUP);
    }
}

static void leave(int signal)
{
    (void)signal;
    _exit(1);
}

void daemon_signals_leave_at_next(void)
{
    const struct sigaction action = {.sa_handler = leave};
    sigset_t set;
    int result;

    result = sigaction(SIGTERM, &action, NULL);
    assert(result == 0);
    result = sigaction(SIGINT, &action, NULL);
    assert(result == 0);
    fill(&set);
    sigdelset(&set, SIGHUP);
    result = pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    assert(result == 0);
    (void)result;
}
