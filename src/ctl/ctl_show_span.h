/*
 * ctl_show_span.h - one span with its resource and scope, all of it, for people.  Pure.
 */
#ifndef TRACESPOOL_CTL_SHOW_SPAN_H
#define TRACESPOOL_CTL_SHOW_SPAN_H

#include <stdbool.h>

#include "buf.h"
#include "otlp_decode.h"
#include "slice.h"

/* Each appends to `out`; a message that was absent is NULL. */
void ctl_show_span_resource(struct buf *out, const Otlp__Resource *resource, struct slice schema_url, bool colored);
void ctl_show_span_scope(struct buf *out, const Otlp__InstrumentationScope *scope, struct slice schema_url,
                         bool colored);
void ctl_show_span(struct buf *out, const Otlp__Span *span, bool colored);

#endif
