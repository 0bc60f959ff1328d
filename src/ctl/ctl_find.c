/*
 * ctl_find.c - looks for the spans of a trace.
 *
 * Only the spans that have the id are decoded.  When the set of spans is full
 * nothing is added any more.
 */
#include "ctl_find.h"

#include <string.h>

#include "checksum.h"
#include "ctl_scan.h"
#include "otlp_decode.h"
#include "sink_mongo.h"

struct search {
    struct ctl_spans *spans;
    const uint8_t *trace_id;
    struct ctl_batch *batch; /* in hand */
    unsigned place;
};

/* The service of resource number `at`; empty when it says none. */
static int decode_service(struct search *search, uint32_t at, struct slice *service, struct err *err)
{
    const Otlp__Resource *resource;
    struct slice bytes = search->batch->index.resources[at].bytes;

    *service = slice_of(NULL, 0);
    if (bytes.len == 0)
        return 0;
    if (otlp_decode_resource(&resource, &search->batch->decoded, bytes, err) < 0)
        return -1;
    *service = otlp_attribute_string(resource->attributes, resource->n_attributes, "service.name");
    return 0;
}

static bool is_set(const uint8_t *id, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (id[i] != 0)
            return true;
    }
    return false;
}

/* As MongoDB tells spans apart: by their bytes and their resource's.  Never 0, which says that it is not known. */
static uint64_t content_of(const struct search *search, const struct otlp_span_ref *ref)
{
    const struct otlp_index *index = &search->batch->index;
    uint64_t hashes[] = {checksum_64(index->resources[index->scopes[ref->scope].resource].bytes),
                         checksum_64(ref->bytes)};

    return checksum_64(slice_of(hashes, sizeof(hashes))) | 1;
}

static int add_span(struct search *search, const struct otlp_span_ref *ref, struct slice service, struct err *err)
{
    const Otlp__Span *span;
    struct ctl_span seen = {.service = service, .places = search->place};

    if (otlp_decode_span(&span, &search->batch->decoded, ref->bytes, err) < 0)
        return -1;
    memcpy(seen.span_id, ref->span_id, sizeof(seen.span_id));
    if (span->parent_span_id.len == OTLP_SPAN_ID_BYTES && is_set(span->parent_span_id.data, OTLP_SPAN_ID_BYTES)) {
        memcpy(seen.parent_span_id, span->parent_span_id.data, OTLP_SPAN_ID_BYTES);
        seen.has_parent = true;
    }
    seen.name = slice_of(span->name.data, span->name.len);
    seen.kind = (int)span->kind;
    if (span->status != NULL) {
        seen.status_code = (int)span->status->code;
        seen.status_text = slice_of(span->status->message.data, span->status->message.len);
    }
    seen.start_unix_nano = ref->start_unix_nano;
    seen.end_unix_nano = ref->end_unix_nano;
    seen.event_count = (uint32_t)span->n_events;
    seen.content = content_of(search, ref);
    ctl_spans_add(search->spans, &seen);
    return 0;
}

/* The spans of the trace in batch->request. */
static int search_request(void *context, struct ctl_batch *batch, unsigned place, struct err *err)
{
    struct search *search = context;
    uint32_t resource = UINT32_MAX; /* whose service is decoded */
    struct slice service = slice_of(NULL, 0);

    search->batch = batch;
    search->place = place;
    if (ctl_batch_walk(batch, err) < 0)
        return -1;
    for (uint32_t i = 0; i < batch->index.span_count && !search->spans->cut; i++) {
        const struct otlp_span_ref *ref = &batch->index.spans[i];
        uint32_t of = batch->index.scopes[ref->scope].resource;

        if (ref->validity != OTLP_VALID || memcmp(ref->trace_id, search->trace_id, OTLP_TRACE_ID_BYTES) != 0)
            continue;
        if (of != resource && decode_service(search, of, &service, err) < 0)
            return -1;
        resource = of;
        if (add_span(search, ref, service, err) < 0)
            return -1;
    }
    return 0;
}

int ctl_find_in_spool(struct ctl_spans *spans, struct spool *spool, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                      struct ctl_scan_report *report, struct err *err)
{
    struct search search = {.spans = spans, .trace_id = trace_id};
    struct ctl_scan scan = {
        .trace_id = trace_id, .visit = search_request, .context = &search, .enough = &spans->cut, .report = report};

    return ctl_scan_spool(&scan, spool, err);
}

static void add_stored(void *context, const struct sink_mongo_span *stored)
{
    struct ctl_span seen = {
        .has_parent = stored->has_parent,
        .service = stored->service,
        .name = stored->name,
        .kind = stored->kind,
        .status_code = stored->status_code,
        .status_text = stored->status_text,
        .start_unix_nano = stored->start_unix_nano,
        .end_unix_nano = stored->end_unix_nano,
        .event_count = stored->event_count,
        .places = CTL_IN_MONGODB,
    };

    memcpy(seen.span_id, stored->span_id, sizeof(seen.span_id));
    memcpy(seen.parent_span_id, stored->parent_span_id, sizeof(seen.parent_span_id));
    ctl_spans_add(context, &seen);
}

int ctl_find_in_mongodb(struct ctl_spans *spans, const struct conf *conf, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                        unsigned timeout_ms, struct err *err)
{
    struct sink_mongo_options options = {
        .uri = conf->mongodb.uri,
        .database = conf->mongodb.database,
        .compressor = conf->mongodb.compressor,
        .sessions = 1,
    };

    sink_mongo_init();
    int result = sink_mongo_find_trace(&options, trace_id, timeout_ms, add_stored, spans, err);
    sink_mongo_cleanup();
    return result;
}
