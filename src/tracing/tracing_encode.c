/*
 * tracing_encode.c - spans into protobuf-c's structs, and these into bytes.
 *
 * Everything made on the way is in the arena.  What fails is memory only, and
 * is looked for once, at the end: a list that found no room is NULL.
 */
#include "tracing_encode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hex.h"
#include "otlp_decode.h"
#include "tracing_random.h"
#include "utf8.h"

#define RESOURCE_ATTRIBUTES_MAX 4

/* Span.flags: of W3C's the sampled one, and whether it is known where the parent is, and where. */
#define FLAG_SAMPLED 0x001U
#define FLAG_HAS_IS_REMOTE 0x100U
#define FLAG_IS_REMOTE 0x200U

struct encoder {
    struct arena *arena;
    uint64_t wall_ns, mono_ns;
    bool failed; /* no memory */
};

static void *make(struct encoder *encoder, size_t count, size_t size)
{
    void *made = arena_calloc(encoder->arena, count == 0 ? 1 : count, size);

    encoder->failed |= made == NULL;
    return made;
}

static ProtobufCBinaryData bytes_of(const void *data, size_t len)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)data, .len = len};
}

/* A text that was cut may end within a character, and one of another system's may be anything. */
static ProtobufCBinaryData text_of(struct encoder *encoder, const char *text)
{
    struct slice value = slice_of_text(text);
    ProtobufCBinaryData out = bytes_of(text, value.len);
    struct buf repaired;

    if (utf8_valid(value))
        return out;
    buf_init(&repaired, 4 * value.len);
    utf8_append_repaired(&repaired, value);
    out = bytes_of(make(encoder, repaired.len, 1), repaired.len);
    if (out.data != NULL)
        memcpy(out.data, repaired.data, repaired.len);
    buf_fini(&repaired);
    return out;
}

static uint64_t wall_of(const struct encoder *encoder, uint64_t mono_ns)
{
    return encoder->wall_ns - (encoder->mono_ns - mono_ns);
}

/* --- attributes ------------------------------------------------------------- */

static Otlp__KeyValue *make_attribute(struct encoder *encoder, const char *key)
{
    Otlp__KeyValue *attribute = make(encoder, 1, sizeof(*attribute));
    Otlp__AnyValue *value = make(encoder, 1, sizeof(*value));

    if (encoder->failed)
        return NULL;
    otlp__key_value__init(attribute);
    otlp__any_value__init(value);
    attribute->key = bytes_of(key, strlen(key));
    attribute->value = value;
    return attribute;
}

static Otlp__KeyValue *make_text(struct encoder *encoder, const char *key, const char *text)
{
    Otlp__KeyValue *attribute = make_attribute(encoder, key);

    if (attribute == NULL)
        return NULL;
    attribute->value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    attribute->value->string_value = text_of(encoder, text);
    return attribute;
}

static Otlp__KeyValue *make_number(struct encoder *encoder, const char *key, int64_t number)
{
    Otlp__KeyValue *attribute = make_attribute(encoder, key);

    if (attribute == NULL)
        return NULL;
    attribute->value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
    attribute->value->int_value = number;
    return attribute;
}

static void put_attributes(struct encoder *encoder, Otlp__Span *out, const struct tracing_span *span)
{
    out->attributes = make(encoder, span->attribute_count, sizeof(*out->attributes));
    for (size_t i = 0; i < span->attribute_count && !encoder->failed; i++) {
        const struct tracing_attribute *attribute = &span->attributes[i];

        out->attributes[out->n_attributes++] =
            attribute->is_text ? make_text(encoder, attribute->key, span->texts + attribute->text_at)
                               : make_number(encoder, attribute->key, attribute->number);
    }
}

/* --- spans -------------------------------------------------------------------- */

static void put_events(struct encoder *encoder, Otlp__Span *out, const struct tracing_span *span)
{
    out->events = make(encoder, span->event_count, sizeof(*out->events));
    for (size_t i = 0; i < span->event_count && !encoder->failed; i++) {
        Otlp__Span__Event *event = make(encoder, 1, sizeof(*event));

        if (event == NULL)
            return;
        otlp__span__event__init(event);
        event->name = bytes_of(span->events[i].name, strlen(span->events[i].name));
        event->time_unix_nano = wall_of(encoder, span->events[i].at_ns);
        out->events[out->n_events++] = event;
    }
}

static void put_status(struct encoder *encoder, Otlp__Span *out, const struct tracing_span *span)
{
    if (!span->failed)
        return;
    out->status = make(encoder, 1, sizeof(*out->status));
    if (out->status == NULL)
        return;
    otlp__status__init(out->status);
    out->status->code = OTLP__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
    out->status->message = text_of(encoder, span->texts + span->failure_at);
}

static Otlp__Span *make_span(struct encoder *encoder, const struct tracing_span *span)
{
    const struct tracing_live *live = &span->live;
    Otlp__Span *out = make(encoder, 1, sizeof(*out));

    if (out == NULL)
        return NULL;
    otlp__span__init(out);
    out->trace_id = bytes_of(live->context.trace_id, TRACING_TRACE_ID_BYTES);
    out->span_id = bytes_of(live->context.span_id, TRACING_SPAN_ID_BYTES);
    if (live->has_parent)
        out->parent_span_id = bytes_of(live->parent_span_id, TRACING_SPAN_ID_BYTES);
    out->flags = FLAG_SAMPLED | FLAG_HAS_IS_REMOTE | (live->parent_is_remote ? FLAG_IS_REMOTE : 0);
    out->name = bytes_of(span->name, strlen(span->name));
    out->kind = (Otlp__Span__SpanKind)span->kind;
    out->start_time_unix_nano = wall_of(encoder, live->begun_ns);
    out->end_time_unix_nano = wall_of(encoder, span->end_ns);
    put_attributes(encoder, out, span);
    put_events(encoder, out, span);
    put_status(encoder, out, span);
    return out;
}

/* --- the request ------------------------------------------------------------------ */

static void put_resource(struct encoder *encoder, Otlp__Resource *out, const struct tracing_resource *resource)
{
    otlp__resource__init(out);
    out->attributes = make(encoder, RESOURCE_ATTRIBUTES_MAX, sizeof(*out->attributes));
    if (encoder->failed)
        return;
    out->attributes[out->n_attributes++] = make_text(encoder, "service.name", TRACING_SERVICE_NAME);
    out->attributes[out->n_attributes++] = make_text(encoder, "service.version", TRACESPOOL_VERSION);
    out->attributes[out->n_attributes++] = make_text(encoder, "service.instance.id", resource->instance_id);
    if (resource->host_name[0] != '\0')
        out->attributes[out->n_attributes++] = make_text(encoder, "host.name", resource->host_name);
}

static int pack(struct buf *out, const Otlp__ResourceSpans *group)
{
    Otlp__ExportTraceServiceRequest request = OTLP__EXPORT_TRACE_SERVICE_REQUEST__INIT;
    Otlp__ResourceSpans *groups[] = {(Otlp__ResourceSpans *)(uintptr_t)group};
    uint8_t *bytes;
    size_t size;

    request.n_resource_spans = 1;
    request.resource_spans = groups;
    size = otlp__export_trace_service_request__get_packed_size(&request);
    bytes = buf_reserve(out, size);
    if (bytes == NULL)
        return -1;
    otlp__export_trace_service_request__pack(&request, bytes);
    out->len += size;
    return 0;
}

int tracing_encode(struct buf *out, struct arena *arena, const struct tracing_resource *resource,
                   const struct tracing_span *spans, size_t count, uint64_t wall_ns, uint64_t mono_ns, struct err *err)
{
    struct encoder encoder = {.arena = arena, .wall_ns = wall_ns, .mono_ns = mono_ns};
    Otlp__InstrumentationScope scope = OTLP__INSTRUMENTATION_SCOPE__INIT;
    Otlp__ScopeSpans scope_spans = OTLP__SCOPE_SPANS__INIT, *scopes[] = {&scope_spans};
    Otlp__ResourceSpans group = OTLP__RESOURCE_SPANS__INIT;
    Otlp__Resource described;

    put_resource(&encoder, &described, resource);
    scope.name = text_of(&encoder, TRACING_SERVICE_NAME);
    scope.version = text_of(&encoder, TRACESPOOL_VERSION);
    scope_spans.scope = &scope;
    scope_spans.spans = make(&encoder, count, sizeof(*scope_spans.spans));
    for (size_t i = 0; i < count && !encoder.failed; i++)
        scope_spans.spans[scope_spans.n_spans++] = make_span(&encoder, &spans[i]);
    group.resource = &described;
    group.n_scope_spans = 1;
    group.scope_spans = scopes;
    if (encoder.failed || pack(out, &group) != 0)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for a request of %zu spans", count);
    return 0;
}

void tracing_resource_init(struct tracing_resource *resource)
{
    uint8_t id[16];
    char digits[2 * sizeof(id) + 1];

    memset(resource, 0, sizeof(*resource));
    tracing_random_fill(id, sizeof(id));
    id[6] = (uint8_t)((id[6] & 0x0F) | 0x40); /* RFC 9562, 5.4: version 4 */
    id[8] = (uint8_t)((id[8] & 0x3F) | 0x80);
    hex_encode(digits, id, sizeof(id));
    snprintf(resource->instance_id, sizeof(resource->instance_id), "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8,
             digits + 12, digits + 16, digits + 20);
    if (gethostname(resource->host_name, sizeof(resource->host_name) - 1) != 0)
        resource->host_name[0] = '\0';
}
