/*
 * ctl_value.h - attributes in full, for people.  Pure.
 */
#ifndef TRACESPOOL_CTL_VALUE_H
#define TRACESPOOL_CTL_VALUE_H

#include "buf.h"
#include "json.h"
#include "otlp_decode.h"

/* The value as plain JSON: maps are objects, arrays are arrays, bytes are "0x" and hex digits, nothing is null. */
void ctl_value_put(struct json *json, const Otlp__AnyValue *value);

/*
 * A line an attribute, made harmless and not cut: its key, and its value as
 * above.  A text of several lines stands below its key, a line each.
 */
void ctl_value_print(struct buf *out, Otlp__KeyValue *const *attributes, size_t count, unsigned indent);

#endif
