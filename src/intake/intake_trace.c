/*
 * intake_trace.c - an Export as a span.
 *
 * Runs on the transport's thread.  The event splits the time into what the
 * client and the network took and what we did; below it, the spool's writer
 * has a span of its own.
 */
#include "intake_trace.h"

void intake_trace_begin(struct intake_export *export, const struct tracing_context *parent, uint64_t begun_ns)
{
    tracing_begin(&export->trace, parent, true, begun_ns);
}

bool intake_trace_end(struct intake_export *export, const struct intake_answer *answer, struct tracing_span *span,
                      const char *name)
{
    uint32_t valid = export->by_validity[OTLP_VALID];

    if (!export->trace.context.is_sampled)
        return false;
    tracing_span_init(span, &export->trace, name, TRACING_SERVER);
    export->trace.context.is_sampled = false;
    if (export->whole_ns != 0)
        tracing_span_event(span, "request received", export->whole_ns);
    tracing_span_number(span, "tracespool.request.bytes", export->put.raw_bytes);
    tracing_span_number(span, "tracespool.request.spans", valid);
    tracing_span_number(span, "tracespool.request.rejected_spans",
                        (uint64_t) export->by_validity[OTLP_BAD_TRACE_ID] + export->by_validity[OTLP_BAD_SPAN_ID]);
    if (export->put.seq != 0)
        tracing_span_number(span, "tracespool.seq", export->put.seq);
    if (answer->code != INTAKE_CODE_OK)
        tracing_span_fail(span, answer->message);
    return true;
}
