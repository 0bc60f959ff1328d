/*
 * sink_span.h - a span, its events and links, a scope and a resource as BSON.  Pure.
 */
#ifndef TRACESPOOL_SINK_SPAN_H
#define TRACESPOOL_SINK_SPAN_H

#include "sink_out.h"

/* `scope` is a document, or no bytes at all: then there is no such member. */
void sink_span_put(struct sink_out *out, struct slice key, const Otlp__Span *span, struct slice scope);

/* The members of `resource` and of `scope`. */
void sink_span_put_resource(struct sink_out *out, const Otlp__Resource *resource, struct slice schema_url);
void sink_span_put_scope(struct sink_out *out, const Otlp__InstrumentationScope *scope, struct slice schema_url);

/* False for a scope of which there is nothing to write. */
bool sink_span_scope_says(const Otlp__InstrumentationScope *scope, struct slice schema_url);

/* Whether the span names a parent: an id of zeros is none. */
bool sink_span_has_parent(const Otlp__Span *span);

/* 0 when it has no status. */
int sink_span_status_code(const Otlp__Span *span);

#endif
