/*
 * daemon_limits.h - what the system lets the process have.
 */
#ifndef TRACESPOOL_DAEMON_LIMITS_H
#define TRACESPOOL_DAEMON_LIMITS_H

#include "conf.h"

/* Raises the number of descriptors to what receiver.max_connections may take, or says that it cannot be had. */
void daemon_limits_raise(const struct conf *conf);

/* Has malloc keep the memory that requests of a usual size take.  Before any thread starts. */
void daemon_limits_keep_memory(void);

#endif
