/*
 * tracing_context.h - a place in a trace, and the header that carries it:
 * W3C Trace Context, level 2, `traceparent`.  Pure.
 *
 * `tracestate` is other systems' and is neither read nor passed on.
 */
#ifndef TRACESPOOL_TRACING_CONTEXT_H
#define TRACESPOOL_TRACING_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

#define TRACING_TRACE_ID_BYTES 16
#define TRACING_SPAN_ID_BYTES 8
#define TRACING_PARENT_MAX 56 /* a traceparent of version 00, with its NUL */

struct tracing_context {
    uint8_t trace_id[TRACING_TRACE_ID_BYTES];
    uint8_t span_id[TRACING_SPAN_ID_BYTES];
    bool is_valid; /* false, as in zeroed memory: there is none */
    bool is_sampled;
};

/* Takes a header's value.  What the rules call invalid gives a context that is not valid. */
void tracing_context_parse(struct tracing_context *context, struct slice value);

/* As a header's value, with its NUL.  Returns `out`. */
char *tracing_context_format(char out[TRACING_PARENT_MAX], const struct tracing_context *context);

#endif
