/*
 * flush_trace.c - a write to the sink as a span: a root of its own, since it
 * carries what came with many requests.
 *
 * Without a sampled span nothing is done but the sampler's question, and that
 * only while tracing is on.
 */
#include "clock.h"
#include "flush_internal.h"

#define OWN_ATTRIBUTES 6

static_assert(SINK_DESCRIBED_MAX + OWN_ATTRIBUTES <= TRACING_ATTRIBUTES_MAX, "a write's span takes all");

void flush_trace_begin(struct tracing_live *live)
{
    *live = (struct tracing_live){.begun_ns = 0};
    if (tracing_is_on())
        tracing_begin(live, NULL, false, clock_mono_ns());
}

static uint64_t count_spans(const struct otlp_fragment *fragments, size_t count)
{
    uint64_t spans = 0;

    for (size_t i = 0; i < count; i++)
        spans += fragments[i].span_count;
    return spans;
}

static bool has_refused(const struct sink_verdict *verdicts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (verdicts[i].outcome == SINK_REFUSED)
            return true;
    return false;
}

/* The records of the batch, of which the write may be a part. */
static void tell_seqs(struct tracing_span *span, const struct flush_batch *batch)
{
    if (batch->seq_count == 0)
        return;
    tracing_span_number(span, "tracespool.seq.first", batch->seqs[0]);
    tracing_span_number(span, "tracespool.seq.last", batch->seqs[batch->seq_count - 1]);
}

void flush_trace_end(struct flush_thread *thread, const struct tracing_live *live,
                     const struct otlp_fragment *fragments, size_t count, const struct sink_verdict *verdicts,
                     const struct err *failure)
{
    struct sink *sink = thread->flusher->sink;
    struct tracing_span span;

    if (!live->context.is_sampled)
        return;
    tracing_span_init(&span, live, "deliver", TRACING_CLIENT);
    sink->ops->describe(sink, fragments, count, &span);
    tell_seqs(&span, &thread->batch);
    tracing_span_number(&span, "tracespool.documents", count);
    tracing_span_number(&span, "tracespool.spans", count_spans(fragments, count));
    tracing_span_number(&span, "tracespool.attempt", thread->attempts + 1);
    if (failure != NULL) {
        tracing_span_text(&span, "error.type", err_class_name(failure->class));
        tracing_span_fail(&span, failure->text);
    } else {
        tracing_span_text(&span, "tracespool.outcome", has_refused(verdicts, count) ? "refused" : "stored");
    }
    tracing_record(&span);
}
