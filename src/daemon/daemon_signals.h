/*
 * daemon_signals.h - signals, taken by main's thread and no other.
 */
#ifndef TRACESPOOL_DAEMON_SIGNALS_H
#define TRACESPOOL_DAEMON_SIGNALS_H

#include <stdbool.h>

/* Before any thread starts: threads inherit what is blocked here. */
void daemon_signals_block(void);

/*
 * Waits for SIGTERM or SIGINT, and returns which came.  `look` is called at
 * each SIGHUP, and every DAEMON_LOOK_MS for what has changed only.
 */
int daemon_signals_wait(void (*look)(void *context, bool only_changed), void *context);

/* From here on SIGTERM and SIGINT end the process at once, with exit status 1. */
void daemon_signals_leave_at_next(void);

#endif
