/*
 * spool_trace.c - why a commit took as long as it did: first the record waited
 * for the group before it, then its own was written and synced.
 *
 * Without a sampled parent nothing is done, and no clock is read.
 */
#include "spool_trace.h"

#include "clock.h"
#include "tracing.h"

static bool is_traced(const struct spool_put *put)
{
    return put->trace != NULL && put->trace->context.is_sampled;
}

void spool_trace_queue(struct spool_put *put)
{
    if (is_traced(put))
        put->queued_ns = clock_mono_ns();
}

struct spool_trace_group spool_trace_group(const struct spool_put *puts)
{
    struct spool_trace_group group = {0};

    if (!tracing_is_on())
        return group;
    group.begun_ns = clock_mono_ns();
    for (; puts != NULL; puts = puts->next) {
        group.records++;
        group.bytes += puts->payload.len;
    }
    return group;
}

void spool_trace_told(const struct spool_put *put, const struct spool_trace_group *group, const struct err *refusal)
{
    struct tracing_live live;
    struct tracing_span span;

    if (!is_traced(put))
        return;
    tracing_begin(&live, &put->trace->context, false, put->queued_ns);
    tracing_span_init(&span, &live, "spool commit", TRACING_INTERNAL);
    if (group->begun_ns != 0)
        tracing_span_event(&span, "transaction begins", group->begun_ns);
    tracing_span_number(&span, "tracespool.record.bytes", put->payload.len);
    tracing_span_number(&span, "tracespool.group.records", group->records);
    tracing_span_number(&span, "tracespool.group.bytes", group->bytes);
    if (put->seq != 0)
        tracing_span_number(&span, "tracespool.seq", put->seq);
    else
        tracing_span_fail(&span, refusal->text);
    tracing_record(&span);
}
