/*
 * ctl_show_batch.h - the two halves of `tracespool show SEQ`: walking a batch, and its lines.
 */
#ifndef TRACESPOOL_CTL_SHOW_BATCH_H
#define TRACESPOOL_CTL_SHOW_BATCH_H

#include "ctl.h"
#include "ctl_batch.h"
#include "otlp_decode.h"

/* A batch that is being shown. */
struct ctl_show_page {
    struct ctl *ctl;
    struct ctl_batch batch;
    struct arena parts; /* the resource, scope or span in hand */
    struct buf out;
    uint32_t next_scope, next_span; /* the index holds both in the order of their parents */
    bool colored;
    unsigned width;
};

/* Each appends to page->out; a message that was absent is NULL. */
void ctl_show_print_header(struct ctl_show_page *page, uint64_t now_ns);
void ctl_show_print_resource(struct ctl_show_page *page, const Otlp__Resource *resource);
void ctl_show_print_scope(struct ctl_show_page *page, const Otlp__InstrumentationScope *scope);

/* A line where the trace changes from the span `before` (NULL: none), or where a span is not valid. */
void ctl_show_print_trace_id(struct ctl_show_page *page, const struct otlp_span_ref *ref,
                             const struct otlp_span_ref *before);
void ctl_show_print_span(struct ctl_show_page *page, const struct otlp_span_ref *ref, const Otlp__Span *span);

#endif
