/*
 * http_trace.c - an Export over HTTP as a span, by OpenTelemetry's semantic
 * conventions for HTTP.
 *
 * Only Exports whose head has passed the check have one: a client that may not
 * send decides nothing about what is recorded.
 */
#include "clock.h"
#include "http_internal.h"
#include "intake_trace.h"

void http_trace_begin(struct http_call *call)
{
    if (tracing_is_on())
        intake_trace_begin(&call->export, &call->parent, call->begun_ns);
}

void http_trace_end(struct http_call *call, bool is_answered)
{
    static const struct intake_answer gone = {.code = INTAKE_CODE_UNAVAILABLE, .message = "the client is gone"};
    const struct intake_answer *answer = is_answered ? &call->export.answer : &gone;
    struct tracing_span span;

    if (!intake_trace_end(&call->export, answer, &span, MHD_HTTP_METHOD_POST " " HTTP_PATH))
        return;
    tracing_span_text(&span, "http.request.method", MHD_HTTP_METHOD_POST);
    tracing_span_text(&span, "http.route", HTTP_PATH);
    if (is_answered)
        tracing_span_number(&span, "http.response.status_code", (uint64_t)http_reply_status(answer));
    tracing_record(&span);
}
