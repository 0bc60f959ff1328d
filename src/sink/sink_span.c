/*
 * sink_span.c - the members of a span, in the order of docs/mongodb.md.
 *
 * Any thread.  Failures are recorded in the sink_out.
 */
#include "sink_span.h"

#include "sink_attributes.h"

static void put_text_if_any(struct sink_out *out, struct slice key, struct slice text)
{
    if (text.len > 0)
        sink_out_text(out, key, text);
}

static void put_count_if_any(struct sink_out *out, struct slice key, uint32_t count)
{
    if (count > 0)
        sink_out_count(out, key, count);
}

bool sink_span_has_parent(const Otlp__Span *span)
{
    for (size_t i = 0; i < span->parent_span_id.len; i++)
        if (span->parent_span_id.data[i] != 0)
            return true;
    return false;
}

int sink_span_status_code(const Otlp__Span *span)
{
    return span->status == NULL ? 0 : (int)span->status->code;
}

static void put_event(struct sink_out *out, const Otlp__Span__Event *event)
{
    sink_out_time(out, sink_out_key("timeUnixNano"), event->time_unix_nano);
    sink_out_text(out, sink_out_key("name"), sink_out_bytes(event->name));
    sink_attributes_put(out, event->attributes, event->n_attributes);
    put_count_if_any(out, sink_out_key("droppedAttributesCount"), event->dropped_attributes_count);
}

static void put_events(struct sink_out *out, const Otlp__Span *span)
{
    char text[SINK_OUT_INDEX_MAX];
    size_t events, event;

    if (span->n_events == 0 || !sink_out_begin_array(out, sink_out_key("events"), &events))
        return;
    for (size_t i = 0; i < span->n_events && !sink_out_failed(out); i++) {
        if (!sink_out_begin(out, sink_out_index(text, (uint32_t)i), &event))
            break;
        put_event(out, span->events[i]);
        sink_out_end(out, event);
    }
    sink_out_end(out, events);
}

static void put_link(struct sink_out *out, const Otlp__Span__Link *link)
{
    sink_out_hex(out, sink_out_key("traceId"), sink_out_bytes(link->trace_id));
    sink_out_hex(out, sink_out_key("spanId"), sink_out_bytes(link->span_id));
    put_text_if_any(out, sink_out_key("traceState"), sink_out_bytes(link->trace_state));
    sink_attributes_put(out, link->attributes, link->n_attributes);
    put_count_if_any(out, sink_out_key("flags"), link->flags);
    put_count_if_any(out, sink_out_key("droppedAttributesCount"), link->dropped_attributes_count);
}

static void put_links(struct sink_out *out, const Otlp__Span *span)
{
    char text[SINK_OUT_INDEX_MAX];
    size_t links, link;

    if (span->n_links == 0 || !sink_out_begin_array(out, sink_out_key("links"), &links))
        return;
    for (size_t i = 0; i < span->n_links && !sink_out_failed(out); i++) {
        if (!sink_out_begin(out, sink_out_index(text, (uint32_t)i), &link))
            break;
        put_link(out, span->links[i]);
        sink_out_end(out, link);
    }
    sink_out_end(out, links);
}

static void put_status(struct sink_out *out, const Otlp__Span *span)
{
    size_t status;

    if (!sink_out_begin(out, sink_out_key("status"), &status))
        return;
    sink_out_int32(out, sink_out_key("code"), sink_span_status_code(span));
    if (span->status != NULL)
        put_text_if_any(out, sink_out_key("description"), sink_out_bytes(span->status->message));
    else
        sink_out_bool(out, sink_out_key("absent"), true);
    sink_out_end(out, status);
}

static void put_identity(struct sink_out *out, const Otlp__Span *span)
{
    sink_out_hex(out, sink_out_key("spanId"), sink_out_bytes(span->span_id));
    if (sink_span_has_parent(span))
        sink_out_hex(out, sink_out_key("parentSpanId"), sink_out_bytes(span->parent_span_id));
    else
        sink_out_null(out, sink_out_key("parentSpanId"));
    if (!sink_span_has_parent(span))
        put_count_if_any(out, sink_out_key("parentSpanIdZeros"), (uint32_t)span->parent_span_id.len);
    sink_out_text(out, sink_out_key("name"), sink_out_bytes(span->name));
    sink_out_int32(out, sink_out_key("kind"), (int32_t)span->kind);
    sink_out_time(out, sink_out_key("startTimeUnixNano"), span->start_time_unix_nano);
    sink_out_time(out, sink_out_key("endTimeUnixNano"), span->end_time_unix_nano);
}

void sink_span_put(struct sink_out *out, struct slice key, const Otlp__Span *span, struct slice scope)
{
    size_t at;

    if (!sink_out_begin(out, key, &at))
        return;
    put_identity(out, span);
    sink_attributes_put(out, span->attributes, span->n_attributes);
    put_status(out, span);
    put_events(out, span);
    put_links(out, span);
    if (scope.len > 0)
        sink_out_copy(out, sink_out_key("scope"), scope);
    put_text_if_any(out, sink_out_key("traceState"), sink_out_bytes(span->trace_state));
    put_count_if_any(out, sink_out_key("flags"), span->flags);
    put_count_if_any(out, sink_out_key("droppedAttributesCount"), span->dropped_attributes_count);
    put_count_if_any(out, sink_out_key("droppedEventsCount"), span->dropped_events_count);
    put_count_if_any(out, sink_out_key("droppedLinksCount"), span->dropped_links_count);
    sink_out_end(out, at);
}

/* --- resource and scope --------------------------------------------------- */

static void put_texts(struct sink_out *out, struct slice key, const ProtobufCBinaryData *texts, size_t count)
{
    char text[SINK_OUT_INDEX_MAX];
    size_t array;

    if (count == 0 || !sink_out_begin_array(out, key, &array))
        return;
    for (size_t i = 0; i < count && !sink_out_failed(out); i++)
        sink_out_text(out, sink_out_index(text, (uint32_t)i), sink_out_bytes(texts[i]));
    sink_out_end(out, array);
}

static void put_entity(struct sink_out *out, const Otlp__EntityRef *entity)
{
    put_text_if_any(out, sink_out_key("schemaUrl"), sink_out_bytes(entity->schema_url));
    sink_out_text(out, sink_out_key("type"), sink_out_bytes(entity->type));
    put_texts(out, sink_out_key("idKeys"), entity->id_keys, entity->n_id_keys);
    put_texts(out, sink_out_key("descriptionKeys"), entity->description_keys, entity->n_description_keys);
}

static void put_entities(struct sink_out *out, const Otlp__Resource *resource)
{
    char text[SINK_OUT_INDEX_MAX];
    size_t entities, entity;

    if (resource->n_entity_refs == 0 || !sink_out_begin_array(out, sink_out_key("entityRefs"), &entities))
        return;
    for (size_t i = 0; i < resource->n_entity_refs && !sink_out_failed(out); i++) {
        if (!sink_out_begin(out, sink_out_index(text, (uint32_t)i), &entity))
            break;
        put_entity(out, resource->entity_refs[i]);
        sink_out_end(out, entity);
    }
    sink_out_end(out, entities);
}

void sink_span_put_resource(struct sink_out *out, const Otlp__Resource *resource, struct slice schema_url)
{
    sink_attributes_put(out, resource->attributes, resource->n_attributes);
    put_text_if_any(out, sink_out_key("schemaUrl"), schema_url);
    put_count_if_any(out, sink_out_key("droppedAttributesCount"), resource->dropped_attributes_count);
    put_entities(out, resource);
}

bool sink_span_scope_says(const Otlp__InstrumentationScope *scope, struct slice schema_url)
{
    return scope->name.len > 0 || scope->version.len > 0 || scope->n_attributes > 0 ||
           scope->dropped_attributes_count > 0 || schema_url.len > 0;
}

void sink_span_put_scope(struct sink_out *out, const Otlp__InstrumentationScope *scope, struct slice schema_url)
{
    sink_out_text(out, sink_out_key("name"), sink_out_bytes(scope->name));
    sink_out_text(out, sink_out_key("version"), sink_out_bytes(scope->version));
    if (scope->n_attributes > 0)
        sink_attributes_put(out, scope->attributes, scope->n_attributes);
    put_count_if_any(out, sink_out_key("droppedAttributesCount"), scope->dropped_attributes_count);
    put_text_if_any(out, sink_out_key("schemaUrl"), schema_url);
}
