/*
 * ctl_interrupt.h - asking to end (Ctrl-C, SIGTERM, SIGHUP) between two steps of a command.
 */
#ifndef TRACESPOOL_CTL_INTERRUPT_H
#define TRACESPOOL_CTL_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

struct ctl_interrupt {
    sigset_t watched;
    sigset_t old;
};

/* From now on these signals wait; one that the process ignores (nohup) stays ignored. */
void ctl_interrupt_watch(struct ctl_interrupt *interrupt);

/* Whether one has come since; it is taken. */
bool ctl_interrupt_came(const struct ctl_interrupt *interrupt);

/* Those that came when all was done are taken too, or they would end the process before it has told what it did. */
void ctl_interrupt_end(struct ctl_interrupt *interrupt);

#endif
