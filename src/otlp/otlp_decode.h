/*
 * otlp_decode.h - one message from its wire bytes into an arena.
 *
 * The structs are those that protobuf-c generates from proto/ (prefix Otlp__,
 * every string as bytes: see docs/design.md).  Only slices that an index
 * yielded may be decoded: the walk is what bounds the recursion.
 *
 * What is returned lives in the arena, and its texts and bytes are still those
 * of the input.  -1 with ERR_BUSY when the arena is full, ERR_POISON when the
 * bytes do not decode.
 */
#ifndef TRACESPOOL_OTLP_DECODE_H
#define TRACESPOOL_OTLP_DECODE_H

#include "arena.h"
#include "err.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"
#include "slice.h"

int otlp_decode_span(const Otlp__Span **span, struct arena *arena, struct slice bytes, struct err *err);
int otlp_decode_resource(const Otlp__Resource **resource, struct arena *arena, struct slice bytes, struct err *err);
int otlp_decode_scope(const Otlp__InstrumentationScope **scope, struct arena *arena, struct slice bytes,
                      struct err *err);

/* The string value of an attribute ("service.name"), or an empty slice. */
struct slice otlp_attribute_string(Otlp__KeyValue *const *attributes, size_t count, const char *key);

#endif
