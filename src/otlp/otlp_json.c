/*
 * otlp_json.c - spans, resources and scopes as OTLP/JSON.
 *
 * Members come in the order of their field numbers in proto/, save for flags,
 * which stand where the .proto file declares them.  Fails only through
 * out->failed.
 */
#include "otlp_json.h"

#include "otlp_json_value.h"

static void write_event(struct json *json, const Otlp__Span__Event *event)
{
    json_begin_object(json);
    otlp_json_value_time(json, "timeUnixNano", event->time_unix_nano);
    otlp_json_value_text(json, "name", event->name);
    otlp_json_value_attributes(json, "attributes", event->attributes, event->n_attributes);
    otlp_json_value_count(json, "droppedAttributesCount", event->dropped_attributes_count);
    json_end_object(json);
}

static void write_events(struct json *json, const Otlp__Span *span)
{
    if (span->n_events == 0)
        return;
    json_key(json, "events");
    json_begin_array(json);
    for (size_t i = 0; i < span->n_events; i++)
        write_event(json, span->events[i]);
    json_end_array(json);
}

static void write_link(struct json *json, const Otlp__Span__Link *link)
{
    json_begin_object(json);
    otlp_json_value_id(json, "traceId", link->trace_id);
    otlp_json_value_id(json, "spanId", link->span_id);
    otlp_json_value_text(json, "traceState", link->trace_state);
    otlp_json_value_attributes(json, "attributes", link->attributes, link->n_attributes);
    otlp_json_value_count(json, "droppedAttributesCount", link->dropped_attributes_count);
    otlp_json_value_count(json, "flags", link->flags);
    json_end_object(json);
}

static void write_links(struct json *json, const Otlp__Span *span)
{
    if (span->n_links == 0)
        return;
    json_key(json, "links");
    json_begin_array(json);
    for (size_t i = 0; i < span->n_links; i++)
        write_link(json, span->links[i]);
    json_end_array(json);
}

static void write_status(struct json *json, const Otlp__Status *status)
{
    if (status == NULL)
        return;
    json_key(json, "status");
    json_begin_object(json);
    otlp_json_value_text(json, "message", status->message);
    otlp_json_value_enum(json, "code", (int)status->code);
    json_end_object(json);
}

void otlp_json_span(struct json *json, const Otlp__Span *span)
{
    json_begin_object(json);
    otlp_json_value_id(json, "traceId", span->trace_id);
    otlp_json_value_id(json, "spanId", span->span_id);
    otlp_json_value_text(json, "traceState", span->trace_state);
    otlp_json_value_id(json, "parentSpanId", span->parent_span_id);
    otlp_json_value_count(json, "flags", span->flags);
    otlp_json_value_text(json, "name", span->name);
    otlp_json_value_enum(json, "kind", (int)span->kind);
    otlp_json_value_time(json, "startTimeUnixNano", span->start_time_unix_nano);
    otlp_json_value_time(json, "endTimeUnixNano", span->end_time_unix_nano);
    otlp_json_value_attributes(json, "attributes", span->attributes, span->n_attributes);
    otlp_json_value_count(json, "droppedAttributesCount", span->dropped_attributes_count);
    write_events(json, span);
    otlp_json_value_count(json, "droppedEventsCount", span->dropped_events_count);
    write_links(json, span);
    otlp_json_value_count(json, "droppedLinksCount", span->dropped_links_count);
    write_status(json, span->status);
    json_end_object(json);
}

static void write_strings(struct json *json, const char *key, const ProtobufCBinaryData *texts, size_t count)
{
    if (count == 0)
        return;
    json_key(json, key);
    json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        json_string(json, slice_of(texts[i].data, texts[i].len));
    json_end_array(json);
}

static void write_entity_ref(struct json *json, const Otlp__EntityRef *entity)
{
    json_begin_object(json);
    otlp_json_value_text(json, "schemaUrl", entity->schema_url);
    otlp_json_value_text(json, "type", entity->type);
    write_strings(json, "idKeys", entity->id_keys, entity->n_id_keys);
    write_strings(json, "descriptionKeys", entity->description_keys, entity->n_description_keys);
    json_end_object(json);
}

void otlp_json_resource(struct json *json, const Otlp__Resource *resource)
{
    json_begin_object(json);
    otlp_json_value_attributes(json, "attributes", resource->attributes, resource->n_attributes);
    otlp_json_value_count(json, "droppedAttributesCount", resource->dropped_attributes_count);
    if (resource->n_entity_refs > 0) {
        json_key(json, "entityRefs");
        json_begin_array(json);
        for (size_t i = 0; i < resource->n_entity_refs; i++)
            write_entity_ref(json, resource->entity_refs[i]);
        json_end_array(json);
    }
    json_end_object(json);
}

void otlp_json_scope(struct json *json, const Otlp__InstrumentationScope *scope)
{
    json_begin_object(json);
    otlp_json_value_text(json, "name", scope->name);
    otlp_json_value_text(json, "version", scope->version);
    otlp_json_value_attributes(json, "attributes", scope->attributes, scope->n_attributes);
    otlp_json_value_count(json, "droppedAttributesCount", scope->dropped_attributes_count);
    json_end_object(json);
}
