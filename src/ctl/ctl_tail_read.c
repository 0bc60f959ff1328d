/*
 * ctl_tail_read.c - the spans of one batch, one at a time.
 *
 * The batch is copied out in a read transaction of its own, which is over
 * before the first span is looked at.  Each span is decoded into memory that
 * the next one uses again.  A span whose ids are not valid is not stored and
 * is passed over.
 */
#include "ctl_tail.h"

#include <string.h>

#include "otlp_decode.h"

#define KEEP_BYTES (1UL << 20)

struct walk {
    struct ctl_tail_reader *reader;
    const struct ctl_tail_filter *filter;
    ctl_tail_visit *visit;
    void *context;
    uint32_t resource; /* whose service is decoded; UINT32_MAX: none yet */
    struct slice service;
};

void ctl_tail_reader_init(struct ctl_tail_reader *reader)
{
    ctl_batch_init(&reader->batch);
    arena_init(&reader->span, OTLP_DECODED_BYTES_MAX);
}

void ctl_tail_reader_fini(struct ctl_tail_reader *reader)
{
    arena_fini(&reader->span);
    ctl_batch_fini(&reader->batch);
}

static int decode_service(struct walk *walk, uint32_t at, struct err *err)
{
    struct ctl_batch *batch = &walk->reader->batch;
    struct slice bytes = batch->index.resources[at].bytes;
    const Otlp__Resource *resource;

    if (walk->resource == at)
        return 0;
    walk->resource = at;
    walk->service = slice_of(NULL, 0);
    if (bytes.len == 0)
        return 0;
    if (otlp_decode_resource(&resource, &batch->decoded, bytes, err) < 0)
        return -1;
    walk->service = otlp_attribute_string(resource->attributes, resource->n_attributes, "service.name");
    return 0;
}

static bool has_parent(const Otlp__Span *span)
{
    static const uint8_t none[OTLP_SPAN_ID_BYTES];

    return span->parent_span_id.len == OTLP_SPAN_ID_BYTES &&
           memcmp(span->parent_span_id.data, none, OTLP_SPAN_ID_BYTES) != 0;
}

static void fill(struct ctl_tail_span *seen, const struct otlp_span_ref *ref, const Otlp__Span *span)
{
    memcpy(seen->span.span_id, ref->span_id, OTLP_SPAN_ID_BYTES);
    seen->span.has_parent = has_parent(span);
    if (seen->span.has_parent)
        memcpy(seen->span.parent_span_id, span->parent_span_id.data, OTLP_SPAN_ID_BYTES);
    seen->span.name = slice_of(span->name.data, span->name.len);
    seen->span.kind = (int)span->kind;
    if (span->status != NULL) {
        seen->span.status_code = (int)span->status->code;
        seen->span.status_text = slice_of(span->status->message.data, span->status->message.len);
    }
    seen->span.start_unix_nano = ref->start_unix_nano;
    seen->span.end_unix_nano = ref->end_unix_nano;
}

/* 1: go on, 0: enough, -1. */
static int walk_span(struct walk *walk, const struct otlp_span_ref *ref, struct err *err)
{
    const struct ctl_batch *batch = &walk->reader->batch;
    struct ctl_tail_span seen = {
        .seq = batch->record.seq, .received_ns = batch->record.received_ns, .trace_id = ref->trace_id};
    const Otlp__Span *span;

    if (ref->validity != OTLP_VALID)
        return 1;
    arena_reset(&walk->reader->span, KEEP_BYTES);
    if (decode_service(walk, batch->index.scopes[ref->scope].resource, err) < 0 ||
        otlp_decode_span(&span, &walk->reader->span, ref->bytes, err) < 0)
        return -1;
    seen.span.service = walk->service;
    fill(&seen, ref, span);
    if (!ctl_tail_is_wanted(walk->filter, &seen.span))
        return 1;
    return walk->visit(walk->context, &seen) < 0 ? 0 : 1;
}

enum ctl_tail_found ctl_tail_read(struct ctl_tail_reader *reader, struct spool *spool, uint64_t seq,
                                  const struct ctl_tail_filter *filter, ctl_tail_visit *visit, void *context,
                                  struct err *err)
{
    struct walk walk = {.reader = reader, .filter = filter, .visit = visit, .context = context, .resource = UINT32_MAX};
    struct ctl_batch *batch = &reader->batch;
    int found = ctl_batch_read(batch, spool, seq, err), result = 1;

    if (found <= 0)
        return found == 0 ? CTL_TAIL_GONE : CTL_TAIL_FAILED;
    if (batch->record.damaged) {
        err_set(err, ERR_POISON, 0, "a part is missing or its checksum is wrong");
        return CTL_TAIL_DAMAGED;
    }
    if (ctl_batch_inflate(batch, err) < 0 || ctl_batch_walk(batch, err) < 0)
        return CTL_TAIL_DAMAGED;
    for (uint32_t i = 0; result == 1 && i < batch->index.span_count; i++)
        result = walk_span(&walk, &batch->index.spans[i], err);
    return result < 0 ? CTL_TAIL_DAMAGED : CTL_TAIL_READ;
}
