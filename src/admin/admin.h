/*
 * admin.h - /metrics, /healthz and /readyz over HTTP, for machines.
 */
#ifndef TRACESPOOL_ADMIN_H
#define TRACESPOOL_ADMIN_H

#include <stdbool.h>

#include "err.h"

struct admin;

struct admin_options {
    const char *listen;             /* "host:port", "[::1]:port"; port 0 picks a free one; "" : no admin endpoint */
    bool (*ready)(void *context);   /* would an Export be acknowledged now; called on admin's thread */
    void (*refresh)(void *context); /* sets gauges before /metrics is rendered */
    void *context;
};

/* *admin is NULL when listen is "".  -1: ERR_CONFIG. */
int admin_start(struct admin **admin, const struct admin_options *options, struct err *err);
int admin_port(const struct admin *admin);
void admin_stop(struct admin *admin); /* NULL is allowed */

#endif
