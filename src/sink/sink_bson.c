/*
 * sink_bson.c - a fragment is decoded span by span into the arena, looked
 * through once for what the document says about it as a whole, and written.
 *
 * One thread at a time.  A document that is over its bound is given up as
 * soon as that is known, so what a hostile request may cost is bounded by the
 * document's size and the arena's.
 */
#include "sink_bson.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sink_span.h"
#include "utf8.h"

void sink_bson_init(struct sink_bson *bson)
{
    *bson = (struct sink_bson){.resource_index = NULL};
    arena_init(&bson->arena, SINK_ARENA_BYTES_MAX);
    sink_out_init(&bson->out, &bson->arena);
    buf_init(&bson->service, 3 * SINK_DOCUMENT_BYTES_MAX);
    buf_init(&bson->resource, SINK_DOCUMENT_BYTES_MAX);
    buf_init(&bson->scope, SINK_DOCUMENT_BYTES_MAX);
}

void sink_bson_fini(struct sink_bson *bson)
{
    buf_fini(&bson->scope);
    buf_fini(&bson->resource);
    buf_fini(&bson->service);
    sink_out_fini(&bson->out);
    arena_fini(&bson->arena);
}

void sink_bson_forget(struct sink_bson *bson)
{
    bson->resource_index = NULL;
    bson->scope_index = NULL;
}

void sink_bson_id(uint8_t id[SINK_BSON_ID_BYTES], const struct otlp_fragment *fragment)
{
    for (int i = 0; i < 8; i++)
        id[i] = (uint8_t)(fragment->start_unix_nano >> (56 - 8 * i));
    memcpy(id + 8, fragment->hash, sizeof(fragment->hash));
}

/* What went wrong while a document was written, if anything did. */
static int check(const struct sink_bson *bson, size_t bytes, struct err *err)
{
    if (bson->out.too_large || bytes > SINK_DOCUMENT_BYTES_MAX)
        return err_set(err, ERR_POISON, EMSGSIZE, "the document would be over MongoDB's limit of %lu bytes",
                       SINK_DOCUMENT_BYTES_MAX);
    /* It will be no smaller next time: only what fits into memory is worth another try. */
    if (bson->out.no_memory && bson->arena.used_bytes > OTLP_DECODED_BYTES_MAX)
        return err_set(err, ERR_POISON, EMSGSIZE, "building the document takes more than %lu bytes of memory",
                       OTLP_DECODED_BYTES_MAX);
    if (bson->out.no_memory)
        return err_set(err, ERR_RETRY, ENOMEM, "no memory to build a document");
    return 0;
}

/* A full arena may have room later; bytes that do not decode never will. */
static int decode_failed(struct err *err)
{
    if (err != NULL && err->class == ERR_BUSY)
        err->class = ERR_RETRY;
    return err_prefix(err, "cannot decode a fragment");
}

static int keep_resource(struct sink_bson *bson, const struct otlp_fragment *fragment, struct err *err)
{
    const struct otlp_resource_ref *ref = &fragment->index->resources[fragment->resource];
    const Otlp__Resource *resource;
    struct slice service;
    size_t begin;

    if (bson->resource_index == fragment->index && bson->resource_number == fragment->resource)
        return 0;
    bson->resource_index = NULL;
    buf_clear(&bson->resource);
    buf_clear(&bson->service);
    if (otlp_decode_resource(&resource, &bson->arena, ref->bytes, err) != 0)
        return decode_failed(err);
    begin = sink_out_start(&bson->out, &bson->resource);
    sink_span_put_resource(&bson->out, resource, ref->schema_url);
    sink_out_end(&bson->out, begin);
    service = otlp_attribute_string(resource->attributes, resource->n_attributes, "service.name");
    if (service.len > SINK_DOCUMENT_BYTES_MAX)
        bson->out.too_large = true;
    else if (utf8_append_repaired(&bson->service, service) != 0)
        bson->out.no_memory = true;
    if (check(bson, bson->resource.len, err) != 0)
        return err_prefix(err, "resource");
    bson->resource_index = fragment->index;
    bson->resource_number = fragment->resource;
    return 0;
}

/* In the middle of a document, which goes on afterwards: the scope is charged where it is copied. */
static int keep_scope(struct sink_bson *bson, const struct otlp_index *index, uint32_t number, struct err *err)
{
    const struct otlp_scope_ref *ref = &index->scopes[number];
    const Otlp__InstrumentationScope *scope;
    struct buf *to = bson->out.to;
    size_t room_bytes = bson->out.room_bytes;
    size_t begin;

    if (bson->scope_index == index && bson->scope_number == number)
        return 0;
    bson->scope_index = NULL;
    if (otlp_decode_scope(&scope, &bson->arena, ref->bytes, err) != 0)
        return decode_failed(err);
    buf_clear(&bson->scope);
    if (sink_span_scope_says(scope, ref->schema_url)) {
        begin = sink_out_start(&bson->out, &bson->scope);
        sink_span_put_scope(&bson->out, scope, ref->schema_url);
        sink_out_end(&bson->out, begin);
        bson->out.to = to;
        bson->out.room_bytes = room_bytes;
        if (check(bson, bson->scope.len, err) != 0)
            return err_prefix(err, "scope");
    }
    bson->scope_index = index;
    bson->scope_number = number;
    return 0;
}

static const Otlp__Span **decode_spans(struct sink_bson *bson, const struct otlp_fragment *fragment, struct err *err)
{
    const Otlp__Span **spans = arena_calloc(&bson->arena, fragment->span_count, sizeof(*spans));

    if (spans == NULL) {
        err_set(err, ERR_RETRY, ENOMEM, "no memory to decode a fragment");
        return NULL;
    }
    for (uint32_t i = 0; i < fragment->span_count; i++) {
        struct slice bytes = fragment->index->spans[fragment->spans[i]].bytes;

        if (otlp_decode_span(&spans[i], &bson->arena, bytes, err) != 0) {
            decode_failed(err);
            return NULL;
        }
    }
    return spans;
}

/* --- what a fragment says as a whole -------------------------------------- */

struct summary {
    bool error; /* a span's status is ERROR */
    bool root;  /* a span has no parent */
    const Otlp__Span *entry;
};

static uint64_t id_of(ProtobufCBinaryData id)
{
    uint64_t value;

    memcpy(&value, id.data, sizeof(value));
    return value;
}

/* At most FRAGMENT_SPANS_MAX spans, so looking through all of their ids is cheaper than a table. */
static bool parent_is_here(const Otlp__Span *span, const uint64_t *ids, uint32_t count)
{
    uint32_t found = 0;
    uint64_t parent;

    if (span->parent_span_id.len != OTLP_SPAN_ID_BYTES)
        return false;
    parent = id_of(span->parent_span_id);
    for (uint32_t i = 0; i < count; i++)
        found |= ids[i] == parent;
    return found != 0;
}

/*
 * The entry is the earliest span whose parent is elsewhere; the first of
 * several.  When every parent is here (a cycle, which only a broken client
 * makes) it is the earliest of all.
 */
static struct summary summarize(const Otlp__Span *const *spans, uint32_t count)
{
    struct summary summary = {.entry = NULL};
    const Otlp__Span *earliest = spans[0];
    uint64_t ids[FRAGMENT_SPANS_MAX];

    assert(count <= FRAGMENT_SPANS_MAX);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = id_of(spans[i]->span_id); /* of a valid span, so it has its 8 bytes */
    for (uint32_t i = 0; i < count; i++) {
        const Otlp__Span *span = spans[i];

        summary.error |= sink_span_status_code(span) == OTLP__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
        summary.root |= !sink_span_has_parent(span);
        if (span->start_time_unix_nano < earliest->start_time_unix_nano)
            earliest = span;
        if (summary.entry != NULL && span->start_time_unix_nano >= summary.entry->start_time_unix_nano)
            continue;
        if (!parent_is_here(span, ids, count))
            summary.entry = span;
    }
    if (summary.entry == NULL)
        summary.entry = earliest;
    return summary;
}

/* 0 for a span that ends before it starts: a list that is sorted by duration must not begin with it. */
static int64_t duration_of(const Otlp__Span *span)
{
    uint64_t ns = span->end_time_unix_nano - span->start_time_unix_nano;

    if (span->end_time_unix_nano < span->start_time_unix_nano)
        return 0;
    return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

static void put_entry(struct sink_out *out, const Otlp__Span *span)
{
    size_t entry;

    if (!sink_out_begin(out, sink_out_key("entry"), &entry))
        return;
    sink_out_hex(out, sink_out_key("spanId"), sink_out_bytes(span->span_id));
    sink_out_text(out, sink_out_key("name"), sink_out_bytes(span->name));
    sink_out_int32(out, sink_out_key("kind"), (int32_t)span->kind);
    sink_out_time(out, sink_out_key("startTimeUnixNano"), span->start_time_unix_nano);
    sink_out_int64(out, sink_out_key("durationNano"), duration_of(span));
    sink_out_int32(out, sink_out_key("statusCode"), sink_span_status_code(span));
    sink_out_end(out, entry);
}

/* --- the document --------------------------------------------------------- */

static void put_head(struct sink_bson *bson, const struct otlp_fragment *fragment, const struct summary *summary)
{
    struct sink_out *out = &bson->out;
    uint8_t id[SINK_BSON_ID_BYTES];

    sink_bson_id(id, fragment);
    sink_out_binary(out, sink_out_key("_id"), slice_of(id, sizeof(id)));
    sink_out_hex(out, sink_out_key("traceId"),
                 slice_of(fragment->index->spans[fragment->spans[0]].trace_id, OTLP_TRACE_ID_BYTES));
    sink_out_text(out, sink_out_key("serviceName"), buf_slice(&bson->service));
    sink_out_time(out, sink_out_key("startTimeUnixNano"), fragment->start_unix_nano);
    sink_out_time(out, sink_out_key("endTimeUnixNano"), fragment->end_unix_nano);
    sink_out_int32(out, sink_out_key("spanCount"), (int32_t)fragment->span_count);
    if (summary->error)
        sink_out_bool(out, sink_out_key("error"), true);
    if (summary->root)
        sink_out_bool(out, sink_out_key("root"), true);
    put_entry(out, summary->entry);
    sink_out_copy(out, sink_out_key("resource"), buf_slice(&bson->resource));
}

static int put_spans(struct sink_bson *bson, const struct otlp_fragment *fragment, const Otlp__Span *const *spans,
                     struct err *err)
{
    char text[SINK_OUT_INDEX_MAX];
    size_t array;

    if (!sink_out_begin_array(&bson->out, sink_out_key("spans"), &array))
        return 0;
    for (uint32_t i = 0; i < fragment->span_count; i++) {
        if (keep_scope(bson, fragment->index, fragment->index->spans[fragment->spans[i]].scope, err) != 0)
            return -1;
        sink_span_put(&bson->out, sink_out_index(text, i), spans[i], buf_slice(&bson->scope));
    }
    sink_out_end(&bson->out, array);
    return 0;
}

static int put_document(struct sink_bson *bson, const struct otlp_fragment *fragment, struct buf *to, struct err *err)
{
    const Otlp__Span **spans;
    struct summary summary;
    size_t begin;

    if (keep_resource(bson, fragment, err) != 0)
        return -1;
    spans = decode_spans(bson, fragment, err);
    if (spans == NULL)
        return -1;
    summary = summarize(spans, fragment->span_count);

    begin = sink_out_start(&bson->out, to);
    put_head(bson, fragment, &summary);
    if (put_spans(bson, fragment, spans, err) != 0)
        return -1;
    sink_out_end(&bson->out, begin);
    return check(bson, to->len - begin, err);
}

int sink_bson_build(struct sink_bson *bson, const struct otlp_fragment *fragment, struct buf *to, struct err *err)
{
    size_t len = to->len;

    arena_reset(&bson->arena, SINK_ARENA_KEEP_BYTES);
    if (put_document(bson, fragment, to, err) == 0)
        return 0;
    to->len = len;
    to->failed = false;
    return -1;
}
