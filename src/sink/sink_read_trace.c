/*
 * sink_read_trace.c - what the documents of a trace say: as spans with what a
 * list shows of them, or as requests with all that was sent.
 *
 * Runs on the caller's thread, as sink_read.c.
 */
#include "checksum.h"
#include "hex.h"
#include "sink_mongo_internal.h"
#include "sink_restore.h"
#include "sink_seen.h"

/* --- spans ------------------------------------------------------------------ */

struct reading {
    struct checksum_128 *checksum;
    struct sink_seen seen;
    void (*visit)(void *context, const struct sink_mongo_span *span);
    void *context;
};

static struct slice text_of(const bson_iter_t *at)
{
    uint32_t len = 0;
    const char *text = BSON_ITER_HOLDS_UTF8(at) ? bson_iter_utf8(at, &len) : NULL;

    return slice_of(text, len);
}

static bool id_of(const bson_iter_t *at, uint8_t id[OTLP_SPAN_ID_BYTES])
{
    return BSON_ITER_HOLDS_UTF8(at) && hex_decode(id, OTLP_SPAN_ID_BYTES, bson_iter_utf8(at, NULL)) == 0;
}

static uint32_t count_elements(const bson_iter_t *at)
{
    bson_iter_t element;
    uint32_t count = 0;

    if (BSON_ITER_HOLDS_ARRAY(at) && bson_iter_recurse(at, &element))
        while (bson_iter_next(&element))
            count++;
    return count;
}

static void read_status(const bson_iter_t *at, struct sink_mongo_span *span)
{
    bson_iter_t member;

    if (!BSON_ITER_HOLDS_DOCUMENT(at) || !bson_iter_recurse(at, &member))
        return;
    while (bson_iter_next(&member)) {
        if (BSON_ITER_IS_KEY(&member, "code"))
            span->status_code = (int)bson_iter_as_int64(&member);
        else if (BSON_ITER_IS_KEY(&member, "description"))
            span->status_text = text_of(&member);
    }
}

static struct sink_mongo_span read_span(bson_iter_t *member, struct slice service)
{
    struct sink_mongo_span span = {.service = service};

    while (bson_iter_next(member)) {
        if (BSON_ITER_IS_KEY(member, "spanId"))
            id_of(member, span.span_id);
        else if (BSON_ITER_IS_KEY(member, "parentSpanId"))
            span.has_parent = id_of(member, span.parent_span_id);
        else if (BSON_ITER_IS_KEY(member, "name"))
            span.name = text_of(member);
        else if (BSON_ITER_IS_KEY(member, "kind"))
            span.kind = (int)bson_iter_as_int64(member);
        else if (BSON_ITER_IS_KEY(member, "startTimeUnixNano"))
            span.start_unix_nano = (uint64_t)bson_iter_as_int64(member);
        else if (BSON_ITER_IS_KEY(member, "endTimeUnixNano"))
            span.end_unix_nano = (uint64_t)bson_iter_as_int64(member);
        else if (BSON_ITER_IS_KEY(member, "status"))
            read_status(member, &span);
        else if (BSON_ITER_IS_KEY(member, "events"))
            span.event_count = count_elements(member);
    }
    return span;
}

/* 1 for a span that was not shown yet, -1 out of memory.  Same content is the span's bytes and its resource's. */
static int is_new(struct reading *reading, struct slice span, struct slice resource)
{
    uint8_t digest[CHECKSUM_128_BYTES];

    checksum_128_reset(reading->checksum);
    checksum_128_field(reading->checksum, resource);
    checksum_128_field(reading->checksum, span);
    checksum_128_result(reading->checksum, digest);
    return sink_seen_add(&reading->seen, digest);
}

static struct slice document_of(const bson_iter_t *at)
{
    const uint8_t *data = NULL;
    uint32_t len = 0;

    if (BSON_ITER_HOLDS_DOCUMENT(at))
        bson_iter_document(at, &len, &data);
    return slice_of(data, len);
}

static int visit_document(void *context, const bson_t *document, struct err *err)
{
    struct reading *reading = context;
    struct slice service = {.len = 0}, resource = {.len = 0};
    bson_iter_t at, element, member;

    if (bson_iter_init_find(&at, document, "serviceName"))
        service = text_of(&at);
    if (bson_iter_init_find(&at, document, "resource"))
        resource = document_of(&at);
    if (!bson_iter_init_find(&at, document, "spans") || !BSON_ITER_HOLDS_ARRAY(&at) ||
        !bson_iter_recurse(&at, &element))
        return 0;
    while (bson_iter_next(&element)) {
        struct sink_mongo_span span;
        int fresh;

        if (!BSON_ITER_HOLDS_DOCUMENT(&element) || !bson_iter_recurse(&element, &member))
            continue;
        fresh = is_new(reading, document_of(&element), resource);
        if (fresh < 0)
            return err_set(err, ERR_RETRY, 0, "no memory for the spans of a trace");
        if (fresh == 0)
            continue;
        span = read_span(&member, service);
        reading->visit(reading->context, &span);
    }
    return 0;
}

int sink_mongo_find_trace(const struct sink_mongo_options *options, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                          unsigned timeout_ms, void (*visit)(void *context, const struct sink_mongo_span *span),
                          void *context, struct err *err)
{
    struct reading reading = {.checksum = checksum_128_new(), .visit = visit, .context = context};
    int result;

    if (reading.checksum == NULL)
        return err_set(err, ERR_RETRY, 0, "no memory to read a trace");
    result = sink_read_documents(options, trace_id, timeout_ms, visit_document, &reading, err);
    checksum_128_free(reading.checksum);
    sink_seen_fini(&reading.seen);
    return result;
}

/* --- requests ---------------------------------------------------------------- */

struct restoring {
    struct buf request;
    uint64_t *foreign;
    int (*visit)(void *context, struct slice request, struct err *err);
    void *context;
};

static int visit_request(void *context, const bson_t *document, struct err *err)
{
    struct restoring *restoring = context;

    buf_clear(&restoring->request);
    if (sink_restore(&restoring->request, document, err) == 0)
        return restoring->visit(restoring->context, buf_slice(&restoring->request), err);
    if (err->class != ERR_POISON)
        return -1;
    ++*restoring->foreign;
    return 0;
}

int sink_mongo_find_requests(const struct sink_mongo_options *options, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                             unsigned timeout_ms, int (*visit)(void *context, struct slice request, struct err *err),
                             void *context, uint64_t *foreign, struct err *err)
{
    struct restoring restoring = {.foreign = foreign, .visit = visit, .context = context};
    int result;

    *foreign = 0;
    buf_init(&restoring.request, SINK_RESTORED_BYTES_MAX);
    result = sink_read_documents(options, trace_id, timeout_ms, visit_request, &restoring, err);
    buf_fini(&restoring.request);
    return result;
}
