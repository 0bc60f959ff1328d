/*
 * sink_attributes.h - an attribute list as the members `attributes` and `names`.  Pure.
 */
#ifndef TRACESPOOL_SINK_ATTRIBUTES_H
#define TRACESPOOL_SINK_ATTRIBUTES_H

#include "sink_out.h"

/*
 * Appends `attributes` (also when there are none) and, when the rule of
 * sink_keys.h needs it, `names`.
 */
void sink_attributes_put(struct sink_out *out, Otlp__KeyValue *const *attributes, size_t count);

#endif
