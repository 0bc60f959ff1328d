/*
 * tracing_export.h - sends the daemon's own spans to an OTLP/HTTP receiver, on
 * a thread of its own.
 *
 * A receiver that does not take them costs spans, which are counted, and lines
 * in the log; nothing else waits for it.  Main's thread.
 */
#ifndef TRACESPOOL_TRACING_EXPORT_H
#define TRACESPOOL_TRACING_EXPORT_H

#include <stdint.h>

#include "err.h"

struct tracing_export;

struct tracing_export_options {
    const char *endpoint; /* http://host[:port][/path] or https://..., as conf_url.c has checked */
    uint32_t ratio_millionths;
    const char *ca_file;    /* "": the system's authorities */
    const char *token_file; /* "": no token */
};

/*
 * Turns tracing on (tracing.h).  *export is NULL, and nothing was done, when
 * the endpoint is "".  -1: ERR_CONFIG (a file cannot be read), ERR_BUSY,
 * ERR_RETRY.
 */
int tracing_export_start(struct tracing_export **export, const struct tracing_export_options *options, struct err *err);

/* Turns it off, after a last try to send what is left, of TRACING_STOP_MS at most.  NULL is allowed. */
void tracing_export_stop(struct tracing_export *export);

#endif
