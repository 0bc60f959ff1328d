/*
 * daemon_gauges.h - the spool's gauges for /metrics.
 */
#ifndef TRACESPOOL_DAEMON_GAUGES_H
#define TRACESPOOL_DAEMON_GAUGES_H

#include "spool.h"

/* Reads the spool and sets its gauges; they stay as they were when it cannot be read.  Any thread. */
void daemon_gauges_refresh(struct spool *spool);

#endif
