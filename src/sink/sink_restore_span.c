/*
 * sink_restore_span.c - which member of docs/mongodb.md is which field of
 * opentelemetry-proto, message by message, in the order of the field numbers.
 */
#include <string.h>

#include "otlp_field.h"
#include "sink_restore_internal.h"

static const struct sink_restore_member event_members[] = {
    {"timeUnixNano", 1, sink_restore_time},
    {"name", 2, sink_restore_text},
    {"attributes", 3, sink_restore_attributes},
    {"droppedAttributesCount", 4, sink_restore_count},
    {NULL, 0, NULL},
};

static const struct sink_restore_member link_members[] = {
    {"traceId", 1, sink_restore_hex},
    {"spanId", 2, sink_restore_hex},
    {"traceState", 3, sink_restore_text},
    {"attributes", 4, sink_restore_attributes},
    {"droppedAttributesCount", 5, sink_restore_count},
    {"flags", 6, sink_restore_flags},
    {NULL, 0, NULL},
};

static const struct sink_restore_member status_members[] = {
    {"description", 2, sink_restore_text},
    {"code", 3, sink_restore_enum},
    {NULL, 0, NULL},
};

static int put_events(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    (void)holder;
    return sink_restore_messages(restore, number, at, event_members);
}

static int put_links(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    (void)holder;
    return sink_restore_messages(restore, number, at, link_members);
}

static int put_status(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    bson_iter_t absent;

    (void)holder;
    if (!BSON_ITER_HOLDS_DOCUMENT(at))
        return sink_restore_wrong(restore, at, "not a document");
    if (sink_restore_find(&absent, at, "absent"))
        return 0;
    return sink_restore_message(restore, number, at, status_members, false);
}

/* null: there was none, or one of zeros, which the next member tells. */
static int put_parent(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    return BSON_ITER_HOLDS_NULL(at) ? 0 : sink_restore_hex(restore, number, at, holder);
}

static int put_zeros(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    uint32_t count;
    uint8_t *to;

    (void)holder;
    if (!sink_restore_read_count(at, &count))
        return sink_restore_wrong(restore, at, "not a count");
    otlp_field_put_header(restore->out, number, count);
    to = buf_reserve(restore->out, count);
    if (to == NULL)
        return 0; /* the buffer remembers */
    memset(to, 0, count);
    restore->out->len += count;
    return 0;
}

static const struct sink_restore_member span_members[] = {
    {"spanId", 2, sink_restore_hex},
    {"traceState", 3, sink_restore_text},
    {"parentSpanId", 4, put_parent},
    {"parentSpanIdZeros", 4, put_zeros},
    {"name", 5, sink_restore_text},
    {"kind", 6, sink_restore_enum},
    {"startTimeUnixNano", 7, sink_restore_time},
    {"endTimeUnixNano", 8, sink_restore_time},
    {"attributes", 9, sink_restore_attributes},
    {"droppedAttributesCount", 10, sink_restore_count},
    {"events", 11, put_events},
    {"droppedEventsCount", 12, sink_restore_count},
    {"links", 13, put_links},
    {"droppedLinksCount", 14, sink_restore_count},
    {"status", 15, put_status},
    {"flags", 16, sink_restore_flags},
    {NULL, 0, NULL},
};

int sink_restore_span(struct sink_restore *restore, uint32_t number, const bson_iter_t *span)
{
    size_t opened = otlp_field_open(restore->out, number, false);

    if (sink_restore_hex(restore, OTLP_SPAN_TRACE_ID, restore->trace_id, span) < 0 ||
        sink_restore_members(restore, span, span_members) < 0)
        return -1;
    otlp_field_close(restore->out, opened, false);
    return 0;
}

/* --- resource and scope --------------------------------------------------- */

static const struct sink_restore_member entity_members[] = {
    {"schemaUrl", 1, sink_restore_text},
    {"type", 2, sink_restore_text},
    {"idKeys", 3, sink_restore_texts},
    {"descriptionKeys", 4, sink_restore_texts},
    {NULL, 0, NULL},
};

static int put_entities(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder)
{
    (void)holder;
    return sink_restore_messages(restore, number, at, entity_members);
}

const struct sink_restore_member sink_restore_resource[] = {
    {"attributes", 1, sink_restore_attributes},
    {"droppedAttributesCount", 2, sink_restore_count},
    {"entityRefs", 3, put_entities},
    {NULL, 0, NULL},
};

const struct sink_restore_member sink_restore_scope[] = {
    {"name", 1, sink_restore_text},
    {"version", 2, sink_restore_text},
    {"attributes", 3, sink_restore_attributes},
    {"droppedAttributesCount", 4, sink_restore_count},
    {NULL, 0, NULL},
};
