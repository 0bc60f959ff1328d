/*
 * tracing_http.h - one OTLP/HTTP receiver, and requests to it one after the other.
 *
 * The thread that made it, unless a function says otherwise.
 */
#ifndef TRACESPOOL_TRACING_HTTP_H
#define TRACESPOOL_TRACING_HTTP_H

#include <stdint.h>

#include "err.h"
#include "slice.h"

struct tracing_http;

struct tracing_http_options {
    const char *endpoint;      /* http://host[:port][/path], https://...; /v1/traces is added */
    const char *ca_file;       /* "" or NULL: the system's authorities */
    const char *authorization; /* "Bearer ...", or NULL */
};

/* Once in a process, before and after all others; main's thread.  -1: ERR_RETRY. */
int tracing_http_init(struct err *err);
void tracing_http_cleanup(void);

/* Connects to nothing.  -1: ERR_CONFIG, ERR_BUSY. */
int tracing_http_new(struct tracing_http **http, const struct tracing_http_options *options, struct err *err);
void tracing_http_free(struct tracing_http *http); /* NULL is allowed */

/*
 * Sends an ExportTraceServiceRequest, once.  0: it was taken, but for
 * *rejected_spans.  -1: ERR_RETRY, it was not, as far as is known.  Blocks for
 * TRACING_EXPORT_MS at most.
 */
int tracing_http_post(struct tracing_http *http, struct slice request, uint64_t *rejected_spans, struct err *err);

/* The request in hand, and each one after it, ends before `deadline_ns` (monotonic).  Any thread. */
void tracing_http_end(struct tracing_http *http, uint64_t deadline_ns);

#endif
