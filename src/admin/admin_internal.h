/*
 * admin_internal.h - what the files of this folder share.
 */
#ifndef TRACESPOOL_ADMIN_INTERNAL_H
#define TRACESPOOL_ADMIN_INTERNAL_H

#include "err.h"
#include "metrics.h"

/*
 * A listening, non-blocking socket on "host:port" or "[v6]:port", owned by the
 * caller, and the port that it is bound to.  -1: ERR_CONFIG.
 */
int admin_socket_listen(const char *address, int *port, struct err *err);

/* The format for a client that sends `accept`, NULL when it sends none.  Pure. */
enum metrics_format admin_accept_metrics(const char *accept);

/* Sets the gauges of the process. */
void admin_process_refresh(void);

#endif
