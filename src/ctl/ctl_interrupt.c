/*
 * ctl_interrupt.c - signals that ask to end, kept waiting while there is work.
 */
#include "ctl_interrupt.h"

#include <stddef.h>
#include <time.h>

void ctl_interrupt_watch(struct ctl_interrupt *interrupt)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action;

    sigemptyset(&interrupt->watched);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&interrupt->watched, signals[i]);
    }
    sigprocmask(SIG_BLOCK, &interrupt->watched, &interrupt->old);
}

bool ctl_interrupt_came(const struct ctl_interrupt *interrupt)
{
    const struct timespec at_once = {.tv_sec = 0};

    return sigtimedwait(&interrupt->watched, NULL, &at_once) > 0;
}

void ctl_interrupt_end(struct ctl_interrupt *interrupt)
{
    while (ctl_interrupt_came(interrupt)) {
    }
    sigprocmask(SIG_SETMASK, &interrupt->old, NULL);
}
