#include "awkward.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LIST_MAX 4
#define KEYS_MAX 12
#define DEPTH_MAX 5

struct maker {
    struct arena *arena;
    uint64_t state;
};

/* xorshift64 */
static uint64_t next(struct maker *maker)
{
    maker->state ^= maker->state << 13;
    maker->state ^= maker->state >> 7;
    maker->state ^= maker->state << 17;
    return maker->state;
}

static size_t below(struct maker *maker, size_t bound)
{
    return (size_t)(next(maker) >> 11) % bound;
}

static bool one_in(struct maker *maker, size_t bound)
{
    return below(maker, bound) == 0;
}

static void *take(struct maker *maker, size_t count, size_t size)
{
    void *memory = arena_calloc(maker->arena, count, size);

    assert_non_null(memory);
    return memory;
}

#define NEW(maker, name, type, init)                                                                                   \
    type *name = take(maker, 1, sizeof(type));                                                                         \
    init(name)

static ProtobufCBinaryData bytes_of(struct maker *maker, size_t len, bool is_zero)
{
    ProtobufCBinaryData data = {.data = take(maker, len, 1), .len = len};

    for (size_t i = 0; i < len && !is_zero; i++)
        data.data[i] = (uint8_t)next(maker);
    return data;
}

/* Keys and other texts alike: what the rules for keys treat specially, and every kind of UTF-8. */
static ProtobufCBinaryData text_of(struct maker *maker)
{
    static const char *const pieces[] = {
        "",     ".",        "_", "$", "%", "#", "%#2", "%25", "_2", "a", "http.", "한", "é", "😀", "\xef\xbf\xbd",
        "\x7f", "\n\t\"\\",
    };
    static const size_t count = sizeof(pieces) / sizeof(pieces[0]);
    size_t parts = below(maker, 4);
    ProtobufCBinaryData text = {.data = take(maker, 64, 1)};

    for (size_t i = 0; i < parts; i++) {
        const char *piece = pieces[below(maker, count)];

        memcpy(text.data + text.len, piece, strlen(piece));
        text.len += strlen(piece);
        text.len += one_in(maker, 12); /* a NUL */
    }
    return text;
}

static uint32_t count_of(struct maker *maker)
{
    static const uint32_t counts[] = {0, 0, 0, 1, 77, INT32_MAX, 1U + INT32_MAX, UINT32_MAX};

    return counts[below(maker, sizeof(counts) / sizeof(counts[0]))];
}

static uint64_t time_of(struct maker *maker)
{
    static const uint64_t times[] = {0, 1, 1795364635918688635U, 1795364635994871707U, INT64_MAX};

    return times[below(maker, sizeof(times) / sizeof(times[0]))];
}

static double double_of(struct maker *maker)
{
    static const double doubles[] = {0.0,
                                     -0.0,
                                     1.0,
                                     -1.5,
                                     0.1,
                                     1e300,
                                     5e-324,
                                     1e15,
                                     1e22,
                                     (double)NAN,
                                     (double)INFINITY,
                                     -(double)INFINITY,
                                     9007199254740993.0};

    return doubles[below(maker, sizeof(doubles) / sizeof(doubles[0]))];
}

static int64_t int_of(struct maker *maker)
{
    static const int64_t ints[] = {0, 1, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 9007199254740993};

    return ints[below(maker, sizeof(ints) / sizeof(ints[0]))];
}

/* --- values ------------------------------------------------------------------- */

static Otlp__KeyValue **pairs_of(struct maker *maker, size_t *count, unsigned depth);

static Otlp__AnyValue *value_of(struct maker *maker, unsigned depth)
{
    NEW(maker, value, Otlp__AnyValue, otlp__any_value__init);
    size_t kind = below(maker, depth < DEPTH_MAX ? 8 : 6);

    switch (kind) {
    case 0:
        break; /* unset */
    case 1:
        value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
        value->string_value = text_of(maker);
        break;
    case 2:
        value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
        value->bool_value = one_in(maker, 2);
        break;
    case 3:
        value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
        value->int_value = int_of(maker);
        break;
    case 4:
        value->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
        value->double_value = double_of(maker);
        break;
    case 5:
        value->value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
        value->bytes_value = bytes_of(maker, below(maker, 5), false);
        break;
    case 6: {
        NEW(maker, array, Otlp__ArrayValue, otlp__array_value__init);

        array->n_values = below(maker, LIST_MAX);
        array->values = take(maker, LIST_MAX, sizeof(*array->values));
        for (size_t i = 0; i < array->n_values; i++)
            array->values[i] = value_of(maker, depth + 1);
        value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
        value->array_value = array;
        break;
    }
    default: {
        NEW(maker, map, Otlp__KeyValueList, otlp__key_value_list__init);

        map->values = pairs_of(maker, &map->n_values, depth + 1);
        value->value_case = OTLP__ANY_VALUE__VALUE_KVLIST_VALUE;
        value->kvlist_value = map;
        break;
    }
    }
    return value;
}

static Otlp__KeyValue **pairs_of(struct maker *maker, size_t *count, unsigned depth)
{
    Otlp__KeyValue **pairs = take(maker, KEYS_MAX, sizeof(Otlp__KeyValue *));

    *count = one_in(maker, 3) ? 0 : below(maker, KEYS_MAX);
    for (size_t i = 0; i < *count; i++) {
        NEW(maker, pair, Otlp__KeyValue, otlp__key_value__init);

        pair->key = text_of(maker);
        pair->value = value_of(maker, depth);
        pairs[i] = pair;
    }
    return pairs;
}

/* --- spans ---------------------------------------------------------------------- */

static Otlp__Span__Event *event_of(struct maker *maker)
{
    NEW(maker, event, Otlp__Span__Event, otlp__span__event__init);

    event->time_unix_nano = time_of(maker);
    event->name = text_of(maker);
    event->attributes = pairs_of(maker, &event->n_attributes, 1);
    event->dropped_attributes_count = count_of(maker);
    return event;
}

static Otlp__Span__Link *link_of(struct maker *maker)
{
    NEW(maker, link, Otlp__Span__Link, otlp__span__link__init);

    link->trace_id = bytes_of(maker, one_in(maker, 3) ? below(maker, 20) : 16, one_in(maker, 5));
    link->span_id = bytes_of(maker, one_in(maker, 3) ? below(maker, 20) : 8, one_in(maker, 5));
    link->trace_state = text_of(maker);
    link->attributes = pairs_of(maker, &link->n_attributes, 1);
    link->dropped_attributes_count = count_of(maker);
    link->flags = count_of(maker);
    return link;
}

static Otlp__Status *status_of(struct maker *maker)
{
    static const int codes[] = {0, 1, 2, 3, 1000, INT32_MAX, INT32_MIN, -1};
    NEW(maker, status, Otlp__Status, otlp__status__init);

    status->message = text_of(maker);
    status->code = (Otlp__Status__StatusCode)codes[below(maker, sizeof(codes) / sizeof(codes[0]))];
    return status;
}

static Otlp__Span *span_of(struct maker *maker)
{
    static const int kinds[] = {0, 1, 2, 3, 4, 5, 6, 1000, INT32_MAX, INT32_MIN, -1};
    NEW(maker, span, Otlp__Span, otlp__span__init);

    span->trace_id = bytes_of(maker, 16, true);
    span->trace_id.data[below(maker, 2)] = 1; /* of two traces */
    span->span_id = bytes_of(maker, 8, false);
    span->span_id.data[0] |= 1;
    span->trace_state = text_of(maker);
    span->parent_span_id = bytes_of(maker, one_in(maker, 2) ? 8 : below(maker, 12), one_in(maker, 3));
    span->name = text_of(maker);
    span->kind = (Otlp__Span__SpanKind)kinds[below(maker, sizeof(kinds) / sizeof(kinds[0]))];
    span->start_time_unix_nano = time_of(maker);
    span->end_time_unix_nano = time_of(maker);
    span->attributes = pairs_of(maker, &span->n_attributes, 1);
    span->dropped_attributes_count = count_of(maker);
    span->n_events = below(maker, LIST_MAX);
    span->events = take(maker, LIST_MAX, sizeof(*span->events));
    for (size_t i = 0; i < span->n_events; i++)
        span->events[i] = event_of(maker);
    span->dropped_events_count = count_of(maker);
    span->n_links = below(maker, LIST_MAX);
    span->links = take(maker, LIST_MAX, sizeof(*span->links));
    for (size_t i = 0; i < span->n_links; i++)
        span->links[i] = link_of(maker);
    span->dropped_links_count = count_of(maker);
    span->status = one_in(maker, 3) ? NULL : status_of(maker);
    span->flags = count_of(maker);
    return span;
}

/* --- groups ----------------------------------------------------------------------- */

static Otlp__EntityRef *entity_of(struct maker *maker)
{
    NEW(maker, entity, Otlp__EntityRef, otlp__entity_ref__init);

    entity->schema_url = text_of(maker);
    entity->type = text_of(maker);
    entity->n_id_keys = below(maker, LIST_MAX);
    entity->id_keys = take(maker, LIST_MAX, sizeof(*entity->id_keys));
    entity->n_description_keys = below(maker, LIST_MAX);
    entity->description_keys = take(maker, LIST_MAX, sizeof(*entity->description_keys));
    for (size_t i = 0; i < LIST_MAX; i++) {
        entity->id_keys[i] = text_of(maker);
        entity->description_keys[i] = text_of(maker);
    }
    return entity;
}

static Otlp__Resource *resource_of(struct maker *maker)
{
    NEW(maker, resource, Otlp__Resource, otlp__resource__init);

    resource->attributes = pairs_of(maker, &resource->n_attributes, 1);
    resource->dropped_attributes_count = count_of(maker);
    resource->n_entity_refs = below(maker, LIST_MAX);
    resource->entity_refs = take(maker, LIST_MAX, sizeof(*resource->entity_refs));
    for (size_t i = 0; i < resource->n_entity_refs; i++)
        resource->entity_refs[i] = entity_of(maker);
    return resource;
}

static Otlp__InstrumentationScope *scope_of(struct maker *maker)
{
    NEW(maker, scope, Otlp__InstrumentationScope, otlp__instrumentation_scope__init);

    if (one_in(maker, 4))
        return scope; /* one that says nothing */
    scope->name = text_of(maker);
    scope->version = text_of(maker);
    scope->attributes = pairs_of(maker, &scope->n_attributes, 1);
    scope->dropped_attributes_count = count_of(maker);
    return scope;
}

static Otlp__ScopeSpans *scope_spans_of(struct maker *maker)
{
    NEW(maker, group, Otlp__ScopeSpans, otlp__scope_spans__init);

    group->scope = one_in(maker, 4) ? NULL : scope_of(maker);
    group->schema_url = text_of(maker);
    group->n_spans = below(maker, LIST_MAX);
    group->spans = take(maker, LIST_MAX, sizeof(*group->spans));
    for (size_t i = 0; i < group->n_spans; i++)
        group->spans[i] = span_of(maker);
    return group;
}

static Otlp__ResourceSpans *resource_spans_of(struct maker *maker)
{
    NEW(maker, group, Otlp__ResourceSpans, otlp__resource_spans__init);

    group->resource = one_in(maker, 4) ? NULL : resource_of(maker);
    group->schema_url = text_of(maker);
    group->n_scope_spans = below(maker, LIST_MAX);
    group->scope_spans = take(maker, LIST_MAX, sizeof(*group->scope_spans));
    for (size_t i = 0; i < group->n_scope_spans; i++)
        group->scope_spans[i] = scope_spans_of(maker);
    return group;
}

const Otlp__ExportTraceServiceRequest *awkward_request(struct arena *arena, uint64_t seed)
{
    struct maker maker = {.arena = arena, .state = (seed + 1) * 0x9e3779b97f4a7c15U};
    NEW(&maker, request, Otlp__ExportTraceServiceRequest, otlp__export_trace_service_request__init);

    request->n_resource_spans = 1 + below(&maker, LIST_MAX - 1);
    request->resource_spans = take(&maker, LIST_MAX, sizeof(*request->resource_spans));
    for (size_t i = 0; i < request->n_resource_spans; i++)
        request->resource_spans[i] = resource_spans_of(&maker);
    return request;
}
