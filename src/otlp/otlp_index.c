/*
 * otlp_index.c - first the walk, which decides whether the request may be
 * decoded at all and counts; then, over bytes that are now known to be well
 * formed, a pass that fills arrays of exactly that size.
 *
 * The second pass hops over bodies: it reads the tags of ResourceSpans,
 * ScopeSpans and Span, and nothing within attributes, events and links.  As
 * the walk has been there, a malformed field is our own bug and asserts; only
 * the arena can fail.
 */
#include "otlp_index.h"

#include <assert.h>
#include <errno.h>

#include "otlp_walk.h"
#include "otlp_wire.h"

/* Goes over the fields of one message. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    struct otlp_wire_field field;
};

/* A ResourceSpans or a ScopeSpans, without its members. */
struct group {
    struct slice head; /* resource or scope */
    struct slice schema_url;
};

static struct cursor cursor_over(struct slice message)
{
    return (struct cursor){.at = message.data, .end = message.data + message.len};
}

static bool next_field(struct cursor *cursor)
{
    const char *why;

    if (cursor->at == cursor->end)
        return false;
    cursor->at = otlp_wire_next(cursor->at, cursor->end, &cursor->field, &why);
    assert(cursor->at != NULL);
    return true;
}

static bool next_field_numbered(struct cursor *cursor, uint32_t number)
{
    while (next_field(cursor))
        if (cursor->field.number == number)
            return true;
    return false;
}

/* protobuf merges the occurrences of a message; one after the other, their bytes are the merged message. */
static int concatenate_heads(struct slice *head, struct arena *arena, struct slice message, size_t total)
{
    struct cursor cursor = cursor_over(message);
    uint8_t *bytes = arena_alloc(arena, total);
    size_t used = 0;

    if (bytes == NULL)
        return -1;
    while (next_field_numbered(&cursor, OTLP_GROUP_HEAD)) {
        if (cursor.field.body.len > 0)
            memcpy(bytes + used, cursor.field.body.data, cursor.field.body.len);
        used += cursor.field.body.len;
    }
    assert(used == total);
    *head = slice_of(bytes, used);
    return 0;
}

/* Head and schema URL may come after the members, so they are looked for first. */
static int read_group(struct group *group, struct arena *arena, struct slice message)
{
    struct cursor cursor = cursor_over(message);
    size_t occurrences = 0;
    size_t total = 0;

    *group = (struct group){.head = slice_of(NULL, 0)};
    while (next_field(&cursor)) {
        if (cursor.field.number == OTLP_GROUP_HEAD) {
            group->head = cursor.field.body;
            occurrences++;
            total += cursor.field.body.len;
        } else if (cursor.field.number == OTLP_GROUP_SCHEMA_URL) {
            group->schema_url = cursor.field.body;
        }
    }
    if (occurrences > 1)
        return concatenate_heads(&group->head, arena, message, total);
    return 0;
}

static uint64_t read_fixed64(struct slice body)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < sizeof(value); i++)
        value |= (uint64_t)body.data[i] << (8 * i);
    return value;
}

/* Of a field that occurs again, the last counts, as for every decoder of protobuf. */
static void read_span(struct otlp_span_ref *span, struct slice message)
{
    struct cursor cursor = cursor_over(message);
    struct slice trace_id = slice_of(NULL, 0);
    struct slice span_id = slice_of(NULL, 0);

    span->bytes = message;
    while (next_field(&cursor)) {
        if (cursor.field.number == OTLP_SPAN_TRACE_ID)
            trace_id = cursor.field.body;
        else if (cursor.field.number == OTLP_SPAN_SPAN_ID)
            span_id = cursor.field.body;
        else if (cursor.field.number == OTLP_SPAN_START_TIME)
            span->start_unix_nano = read_fixed64(cursor.field.body);
        else if (cursor.field.number == OTLP_SPAN_END_TIME)
            span->end_unix_nano = read_fixed64(cursor.field.body);
    }
    span->validity = otlp_validity_of(trace_id, span_id);
    if (span->validity == OTLP_VALID) {
        span->trace_id = trace_id.data;
        span->span_id = span_id.data;
    }
}

static int read_scope_spans(struct otlp_index *index, struct arena *arena, struct slice message)
{
    struct cursor cursor = cursor_over(message);
    struct group group;

    if (read_group(&group, arena, message) < 0)
        return -1;
    index->scopes[index->scope_count] = (struct otlp_scope_ref){
        .bytes = group.head,
        .schema_url = group.schema_url,
        .resource = index->resource_count - 1,
    };
    while (next_field_numbered(&cursor, OTLP_GROUP_MEMBERS)) {
        struct otlp_span_ref *span = &index->spans[index->span_count++];

        *span = (struct otlp_span_ref){.scope = index->scope_count};
        read_span(span, cursor.field.body);
        index->by_validity[span->validity]++;
    }
    index->scope_count++;
    return 0;
}

static int read_resource_spans(struct otlp_index *index, struct arena *arena, struct slice message)
{
    struct cursor cursor = cursor_over(message);
    struct group group;

    if (read_group(&group, arena, message) < 0)
        return -1;
    index->resources[index->resource_count++] = (struct otlp_resource_ref){
        .bytes = group.head,
        .schema_url = group.schema_url,
    };
    while (next_field_numbered(&cursor, OTLP_GROUP_MEMBERS))
        if (read_scope_spans(index, arena, cursor.field.body) < 0)
            return -1;
    return 0;
}

static int fill_index(struct otlp_index *index, struct arena *arena, struct slice request)
{
    struct cursor cursor = cursor_over(request);

    while (next_field_numbered(&cursor, OTLP_REQUEST_RESOURCE_SPANS))
        if (read_resource_spans(index, arena, cursor.field.body) < 0)
            return -1;
    return 0;
}

int otlp_index_build(struct otlp_index *index, struct arena *arena, struct slice request, struct err *err)
{
    static const uint8_t nothing;
    struct otlp_walk_totals totals;

    if (request.len == 0)
        request.data = &nothing; /* so that no pointer is NULL below */
    if (otlp_walk(&totals, request, err) < 0)
        return -1;
    *index = (struct otlp_index){
        .resources = arena_alloc(arena, totals.counts[OTLP_SCHEMA_RESOURCE_SPANS] * sizeof(*index->resources)),
        .scopes = arena_alloc(arena, totals.counts[OTLP_SCHEMA_SCOPE_SPANS] * sizeof(*index->scopes)),
        .spans = arena_alloc(arena, totals.counts[OTLP_SCHEMA_SPAN] * sizeof(*index->spans)),
        .depth = totals.depth,
    };
    if (index->resources == NULL || index->scopes == NULL || index->spans == NULL ||
        fill_index(index, arena, request) < 0)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for the index of a request of %zu bytes", request.len);
    assert(index->resource_count == totals.counts[OTLP_SCHEMA_RESOURCE_SPANS]);
    assert(index->scope_count == totals.counts[OTLP_SCHEMA_SCOPE_SPANS]);
    assert(index->span_count == totals.counts[OTLP_SCHEMA_SPAN]);
    assert(memcmp(index->by_validity, totals.by_validity, sizeof(index->by_validity)) == 0);
    return 0;
}

int otlp_index_check(struct otlp_summary *summary, struct slice request, struct err *err)
{
    struct otlp_walk_totals totals;

    if (otlp_walk(&totals, request, err) < 0)
        return -1;
    memcpy(summary->by_validity, totals.by_validity, sizeof(summary->by_validity));
    summary->depth = totals.depth;
    return 0;
}
