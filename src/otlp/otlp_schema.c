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
#include <ctype.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

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

/*
 * The generated code has bytes and strings as one: what is bytes is known by
 * its name.  A test compares the names with those that are bytes in proto/.
 */
static enum otlp_schema_json json_of_bytes(const char *name)
{
    static const char *const ids[] = {"trace_id", "span_id", "parent_span_id"};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (strcmp(name, ids[i]) == 0)
            return OTLP_JSON_ID;
    return strcmp(name, "bytes_value") == 0 ? OTLP_JSON_BYTES : OTLP_JSON_TEXT;
}

static enum otlp_schema_json json_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return OTLP_JSON_MESSAGE;
    case PROTOBUF_C_TYPE_BYTES:
        return json_of_bytes(field->name);
    case PROTOBUF_C_TYPE_BOOL:
        return OTLP_JSON_BOOL;
    case PROTOBUF_C_TYPE_DOUBLE:
        return OTLP_JSON_DOUBLE;
    case PROTOBUF_C_TYPE_ENUM:
        return OTLP_JSON_ENUM;
    case PROTOBUF_C_TYPE_INT32:
        return OTLP_JSON_INT32;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return OTLP_JSON_UINT32;
    case PROTOBUF_C_TYPE_INT64:
        return OTLP_JSON_INT64;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return OTLP_JSON_UINT64;
    default:
        assert(!"a type that OTLP had no field of");
        return OTLP_JSON_TEXT;
    }
}

static void fill_field(struct otlp_schema_message *message, const ProtobufCFieldDescriptor *from)
{
    bool is_message = from->type == PROTOBUF_C_TYPE_MESSAGE;
    bool is_repeated = from->label == PROTOBUF_C_LABEL_REPEATED;
    bool in_oneof = (from->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    struct otlp_schema_field *field = &message->fields[from->id];

    assert(from->id < OTLP_SCHEMA_NUMBERS && from->offset <= UINT16_MAX && from->quantifier_offset <= UINT16_MAX);
    assert(from->label != PROTOBUF_C_LABEL_REQUIRED && from->default_value == NULL);
    assert(!is_repeated || is_message || from->type == PROTOBUF_C_TYPE_BYTES); /* so nothing is ever packed */
    *field = (struct otlp_schema_field){
        .name = from->name,
        .child = is_message ? table_of(from->descriptor) : NULL,
        .wire_type = wire_type_of(from->type),
        .number = (uint8_t)from->id,
        .json = (uint8_t)json_of(from),
        .in_oneof = in_oneof,
        .offset = (uint16_t)from->offset,
        .what_offset = (uint16_t)from->quantifier_offset,
    };
    if (is_repeated) {
        assert(message->repeated_count < OTLP_SCHEMA_REPEATED_MAX);
        message->repeated[message->repeated_count++] = (uint8_t)from->id;
        field->element_bytes = is_message ? sizeof(void *) : sizeof(ProtobufCBinaryData);
        message->base_bytes += ARENA_PADDING; /* its array, rounded up */
    }
}

static void make_tables(void)
{
    table_of(&otlp__export_trace_service_request__descriptor);
    for (unsigned i = 0; i < message_count; i++) { /* fields append the messages that they lead to */
        const ProtobufCMessageDescriptor *from = messages[i].descriptor;

        messages[i].name = from->short_name;
        messages[i].kind = kind_of(from);
        messages[i].base_bytes = (uint32_t)from->sizeof_message + ARENA_PADDING;
        messages[i].struct_bytes = (uint32_t)from->sizeof_message;
        for (unsigned f = 0; f < from->n_fields; f++)
            fill_field(&messages[i], &from->fields[f]);
    }
}

const struct otlp_schema_message *otlp_schema_request(void)
{
    pthread_once(&once, make_tables);
    return &messages[0];
}

const struct otlp_schema_message *otlp_schema_of(const void *descriptor)
{
    pthread_once(&once, make_tables);
    for (unsigned i = 0; i < message_count; i++)
        if (messages[i].descriptor == descriptor)
            return &messages[i];
    assert(!"a message that no request holds");
    return NULL;
}

/* The character of the lowerCamelCase name at `*at` of the other; `*at` goes to the next. */
static char next_of_json_name(const char **at)
{
    bool is_start_of_word = **at == '_';

    *at += is_start_of_word;
    return is_start_of_word ? (char)toupper((unsigned char)*(*at)++) : *(*at)++;
}

void otlp_schema_json_name(char *text, size_t size, const struct otlp_schema_field *field)
{
    const char *at = field->name;
    size_t used = 0;

    while (*at != '\0' && used + 1 < size)
        text[used++] = next_of_json_name(&at);
    text[used] = '\0';
}

static bool is_json_name(const char *name, struct slice key)
{
    size_t used = 0;

    while (*name != '\0' && used < key.len)
        if (next_of_json_name(&name) != (char)key.data[used++])
            return false;
    return *name == '\0' && used == key.len;
}

const struct otlp_schema_field *otlp_schema_find(const struct otlp_schema_message *message, struct slice key)
{
    for (unsigned i = 0; i < OTLP_SCHEMA_NUMBERS; i++) {
        const struct otlp_schema_field *field = &message->fields[i];

        if (field->name == NULL || key.len == 0 || field->name[0] != (char)key.data[0])
            continue;
        if (is_json_name(field->name, key) || slice_equal(slice_of_text(field->name), key))
            return field;
    }
    return NULL;
}
