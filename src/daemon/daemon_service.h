/*
 * daemon_service.h - what the service manager is told: readiness, a status
 * line, and that the daemon is well.  Does nothing where there is none.
 */
#ifndef TRACESPOOL_DAEMON_SERVICE_H
#define TRACESPOOL_DAEMON_SERVICE_H

#include <stdint.h>

#include "spool.h"

void daemon_service_ready(void);

/*
 * From time to time, by main's thread: the status line, and the watchdog is
 * fed unless a thread is stuck (pulse.h), which is logged when it is first seen.
 */
void daemon_service_look(struct spool *spool);

/* It may take so long. */
void daemon_service_stopping(uint64_t stop_ns);

#endif
