/*
 * intake_trace.h - the span of an Export (tracing.h): what is the same whatever
 * brought it.  The transport begins it, adds its protocol's attributes and
 * records it.
 *
 *   if (tracing_is_on())
 *       intake_trace_begin(&call->export, &parent, begun_ns);
 *   ...
 *   if (intake_trace_end(&call->export, &answer, &span, "POST /v1/traces")) {
 *       tracing_span_text(&span, "http.route", ...);
 *       tracing_record(&span);
 *   }
 */
#ifndef TRACESPOOL_INTAKE_TRACE_H
#define TRACESPOOL_INTAKE_TRACE_H

#include <stdbool.h>

#include "intake_answer.h"
#include "intake_export.h"
#include "tracing.h"

/* Before intake_export_begin.  `parent` is the client's, valid or not; `begun_ns` (monotonic) when its request began. */
void intake_trace_begin(struct intake_export *export, const struct tracing_context *parent, uint64_t begun_ns);

/* Fills `span`, which ends now with `answer`, once.  False: it is not recorded. */
bool intake_trace_end(struct intake_export *export, const struct intake_answer *answer, struct tracing_span *span,
                      const char *name);

#endif
