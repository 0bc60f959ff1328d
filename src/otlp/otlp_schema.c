/*
 * otlp_schema.c - the tables behind the walk, made once from the descriptors
 * that protobuf-c generated, so that walk and decoder cannot disagree.
 *
 * What the walk relies on is asserted here: a later OTLP that brings a packed
 * field, a required one or a number past the table fails every test at once,
 * and not the first request that holds it.
 */
#include "otlp_schema.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"
#include "otlp_wire.h"

#define MESSAGES_MAX 16
#define ARENA_PADDING 16 /* every allocation is rounded up to this */

static struct otlp_schema_message messages[MESSAGES_MAX];
static unsigned message_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static enum otlp_schema_kind kind_of(const ProtobufCMessageDescriptor *descriptor)
{
    if (descriptor == &otlp__resource_spans__descriptor)
        return OTLP_SCHEMA_RESOURCE_SPANS;
    if (descriptor == &otlp__scope_spans__descriptor)
        return OTLP_SCHEMA_SCOPE_SPANS;
    if (descriptor == &otlp__span__descriptor)
        return OTLP_SCHEMA_SPAN;
    if (descriptor == &otlp__any_value__descriptor)
        return OTLP_SCHEMA_ANY_VALUE;
    return OTLP_SCHEMA_OTHER;
}

/* The table of `descriptor`; a new one is filled later, by make_tables. */
static struct otlp_schema_message *table_of(const ProtobufCMessageDescriptor *descriptor)
{
    for (unsigned i = 0; i < message_count; i++)
        if (messages[i].descriptor == descriptor)
            return &messages[i];
    assert(message_count < MESSAGES_MAX);
    messages[message_count].descriptor = descriptor;
    return &messages[message_count++];
}

static uint8_t wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return OTLP_WIRE_32BIT;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return OTLP_WIRE_64BIT;
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return OTLP_WIRE_LENGTH;
    default:
        assert(type != PROTOBUF_C_TYPE_STRING); /* the build makes every string bytes */
        return OTLP_WIRE_VARINT;
    }
}

static void fill_field(struct otlp_schema_message *message, const ProtobufCFieldDescriptor *from)
{
    bool is_message = from->type == PROTOBUF_C_TYPE_MESSAGE;
    bool is_repeated = from->label == PROTOBUF_C_LABEL_REPEATED;
    bool in_oneof = (from->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    struct otlp_schema_field *field = &message->fields[from->id];

    assert(from->id < OTLP_SCHEMA_NUMBERS);
    assert(from->label != PROTOBUF_C_LABEL_REQUIRED && from->default_value == NULL);
    assert(!is_repeated || is_message || from->type == PROTOBUF_C_TYPE_BYTES); /* so nothing is ever packed */
    *field = (struct otlp_schema_field){
        .name = from->name,
        .child = is_message ? table_of(from->descriptor) : NULL,
        .wire_type = wire_type_of(from->type),
        .merges = is_message && !is_repeated && !in_oneof,
    };
    if (is_repeated) {
        field->element_bytes = is_message ? sizeof(void *) : sizeof(ProtobufCBinaryData);
        message->base_bytes += ARENA_PADDING; /* its array, rounded up */
    }
    message->has_oneof = message->has_oneof || in_oneof;
}

static void make_tables(void)
{
    table_of(&otlp__export_trace_service_request__descriptor);
    for (unsigned i = 0; i < message_count; i++) { /* fields append the messages that they lead to */
        const ProtobufCMessageDescriptor *from = messages[i].descriptor;

        messages[i].name = from->short_name;
        messages[i].kind = kind_of(from);
        messages[i].base_bytes = (uint32_t)from->sizeof_message + ARENA_PADDING;
        for (unsigned f = 0; f < from->n_fields; f++)
            fill_field(&messages[i], &from->fields[f]);
    }
}

const struct otlp_schema_message *otlp_schema_request(void)
{
    pthread_once(&once, make_tables);
    return &messages[0];
}
