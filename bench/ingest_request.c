/*
 * ingest_request.c - cuts a request from captured spans, and renews its ids.
 *
 * Cutting is before the clock starts and copies each byte three times.  What
 * runs within the measured time is ingest_request_renew: a few stores a span,
 * into lines of memory that are read right after to be sent.
 */
#include "ingest_request.h"

#include <assert.h>
#include <string.h>

#include "otlp_field.h"

enum {
    REQUEST_RESOURCE_SPANS = 1,
    GROUP_HEAD = 1, /* of ResourceSpans and ScopeSpans: the resource, the scope */
    GROUP_MEMBERS = 2,
    GROUP_SCHEMA_URL = 3,
    SPAN_TRACE_ID = 1,
    SPAN_SPAN_ID = 2,
    SPAN_PARENT_SPAN_ID = 4,
    SPAN_LINK = 13,
    LINK_TRACE_ID = 1,
    LINK_SPAN_ID = 2,
};

#define SCRATCH_BYTES_MAX (1UL << 30)

/* What is open while a request is put together. */
struct draft {
    struct buf scope_spans;
    struct buf resource_spans;
    const struct otlp_scope_ref *scope;
    const struct otlp_resource_ref *resource;
};

uint64_t ingest_random(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

struct slice ingest_request_message(const struct ingest_request *request)
{
    return slice_of(request->frame.data + INGEST_PREFIX_BYTES, request->frame.len - INGEST_PREFIX_BYTES);
}

/* A group is its head, its members, and the address of its schema when there is one. */
static void put_group(struct buf *out, uint32_t number, struct buf *group, struct slice schema_url)
{
    if (schema_url.len > 0)
        otlp_field_put_bytes(group, GROUP_SCHEMA_URL, schema_url);
    out->failed |= group->failed;
    otlp_field_put_bytes(out, number, buf_slice(group));
    buf_clear(group);
}

static void close_scope(struct draft *draft)
{
    if (draft->scope != NULL)
        put_group(&draft->resource_spans, GROUP_MEMBERS, &draft->scope_spans, draft->scope->schema_url);
    draft->scope = NULL;
}

static void close_resource(struct draft *draft, struct buf *out)
{
    close_scope(draft);
    if (draft->resource != NULL)
        put_group(out, REQUEST_RESOURCE_SPANS, &draft->resource_spans, draft->resource->schema_url);
    draft->resource = NULL;
}

static void add_span(struct draft *draft, const struct ingest_span *span, struct buf *out)
{
    if (draft->resource != span->resource) {
        close_resource(draft, out);
        draft->resource = span->resource;
        otlp_field_put_bytes(&draft->resource_spans, GROUP_HEAD, span->resource->bytes);
    }
    if (draft->scope != span->scope) {
        close_scope(draft);
        draft->scope = span->scope;
        otlp_field_put_bytes(&draft->scope_spans, GROUP_HEAD, span->scope->bytes);
    }
    otlp_field_put_bytes(&draft->scope_spans, GROUP_MEMBERS, span->bytes);
}

static void put_prefix(uint8_t *prefix, size_t message_bytes)
{
    prefix[0] = 0; /* not compressed */
    for (unsigned i = 1; i < INGEST_PREFIX_BYTES; i++)
        prefix[i] = (uint8_t)(message_bytes >> (8 * (INGEST_PREFIX_BYTES - 1 - i)));
}

static int cut(struct ingest_request *request, const struct ingest_source *source, size_t first, struct err *err)
{
    struct draft draft = {.scope = NULL};
    struct buf *frame = &request->frame;

    buf_init(&draft.scope_spans, SCRATCH_BYTES_MAX);
    buf_init(&draft.resource_spans, SCRATCH_BYTES_MAX);
    buf_append(frame, "\0\0\0\0", INGEST_PREFIX_BYTES);
    for (uint32_t i = 0; i < request->spans; i++)
        add_span(&draft, &source->spans[(first + i) % source->span_count], frame);
    close_resource(&draft, frame);
    buf_fini(&draft.scope_spans);
    buf_fini(&draft.resource_spans);
    if (frame->failed)
        return err_set(err, ERR_CONFIG, 0, "a request of %u spans passes %lu bytes", request->spans,
                       INGEST_REQUEST_BYTES_MAX);
    put_prefix(frame->data, frame->len - INGEST_PREFIX_BYTES);
    return 0;
}

/* Remembers where an id stands.  With no list yet it is only counted. */
static void add_place(const struct ingest_request *request, uint32_t *places, uint32_t *count, struct slice id)
{
    if (places != NULL)
        places[*count] = (uint32_t)(id.data - request->frame.data);
    (*count)++;
}

static void find_in_link(struct ingest_request *request, struct slice link)
{
    struct otlp_field field;

    while (otlp_field_next(&link, &field)) {
        if (field.number == LINK_TRACE_ID && field.bytes.len == OTLP_TRACE_ID_BYTES)
            add_place(request, request->trace_ids, &request->trace_id_count, field.bytes);
        else if (field.number == LINK_SPAN_ID && field.bytes.len == OTLP_SPAN_ID_BYTES)
            add_place(request, request->span_ids, &request->span_id_count, field.bytes);
    }
}

static void find_in_span(struct ingest_request *request, struct slice span)
{
    struct otlp_field field;

    while (otlp_field_next(&span, &field)) {
        if (field.number == SPAN_TRACE_ID)
            add_place(request, request->trace_ids, &request->trace_id_count, field.bytes);
        else if (field.number == SPAN_SPAN_ID ||
                 (field.number == SPAN_PARENT_SPAN_ID && field.bytes.len == OTLP_SPAN_ID_BYTES))
            add_place(request, request->span_ids, &request->span_id_count, field.bytes);
        else if (field.number == SPAN_LINK)
            find_in_link(request, field.bytes);
    }
}

static void find_ids(struct ingest_request *request, const struct otlp_index *index)
{
    request->trace_id_count = request->span_id_count = 0;
    for (uint32_t i = 0; i < index->span_count; i++)
        find_in_span(request, index->spans[i].bytes);
}

static int list_ids(struct ingest_request *request, const struct otlp_index *index, struct arena *arena,
                    struct err *err)
{
    uint32_t *places;

    find_ids(request, index);
    places = arena_calloc(arena, (size_t)request->trace_id_count + request->span_id_count, sizeof(*places));
    if (places == NULL)
        return err_set(err, ERR_BUSY, 0, "out of memory for the places of ids");
    request->trace_ids = places;
    request->span_ids = places + request->trace_id_count;
    find_ids(request, index);
    return 0;
}

int ingest_request_init(struct ingest_request *request, const struct ingest_source *source, size_t first,
                        uint32_t spans, struct arena *arena, struct err *err)
{
    struct arena scratch;
    struct otlp_index index;
    int rc;

    *request = (struct ingest_request){.spans = spans};
    buf_init(&request->frame, INGEST_REQUEST_BYTES_MAX);
    arena_init(&scratch, SCRATCH_BYTES_MAX);
    rc = cut(request, source, first, err);
    if (rc == 0)
        rc = otlp_index_build(&index, &scratch, ingest_request_message(request), err);
    if (rc == 0 && index.by_validity[OTLP_VALID] != spans)
        rc = err_set(err, ERR_POISON, 0, "%u of %u spans are valid", index.by_validity[OTLP_VALID], spans);
    if (rc == 0)
        rc = list_ids(request, &index, arena, err);
    arena_fini(&scratch);
    return rc;
}

void ingest_request_fini(struct ingest_request *request)
{
    buf_fini(&request->frame);
}

static void change_word(uint8_t *at, uint64_t bits)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    word ^= bits;
    memcpy(at, &word, sizeof(word));
}

void ingest_request_renew(struct ingest_request *request, uint64_t *random)
{
    uint64_t first = ingest_random(random), second = ingest_random(random), third = ingest_random(random);
    uint8_t *data = request->frame.data;

    for (uint32_t i = 0; i < request->trace_id_count; i++) {
        change_word(data + request->trace_ids[i], first);
        change_word(data + request->trace_ids[i] + sizeof(first), second);
    }
    for (uint32_t i = 0; i < request->span_id_count; i++)
        change_word(data + request->span_ids[i], third);
}
