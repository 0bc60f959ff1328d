/*
 * h2_trace.c - an Export over gRPC as a span, by OpenTelemetry's semantic
 * conventions for RPC.
 *
 * Only Exports whose fields have passed the check have one: a client that may
 * not send decides nothing about what is recorded.
 */
#include "h2_internal.h"
#include "intake_trace.h"

#define SERVICE "opentelemetry.proto.collector.trace.v1.TraceService"
#define METHOD "Export"

void h2_trace_begin(struct h2_call *call)
{
    if (tracing_is_on())
        intake_trace_begin(&call->export, &call->request.parent, call->begun_ns);
}

void h2_trace_end(struct h2_call *call, const struct intake_answer *answer)
{
    static const struct intake_answer gone = {.code = INTAKE_CODE_UNAVAILABLE, .message = "the client is gone"};
    struct tracing_span span;

    if (!intake_trace_end(&call->export, answer != NULL ? answer : &gone, &span, SERVICE "/" METHOD))
        return;
    tracing_span_text(&span, "rpc.system", "grpc");
    tracing_span_text(&span, "rpc.service", SERVICE);
    tracing_span_text(&span, "rpc.method", METHOD);
    if (answer != NULL)
        tracing_span_number(&span, "rpc.grpc.status_code", answer->code);
    tracing_record(&span);
}
