/*
 * otlp_decode.c - wire bytes into the structs that protobuf-c generates, by
 * the tables of otlp_schema.c.
 *
 * Runs on the caller's thread.  protobuf-c's own decoder keeps a list of all
 * fields and copies every text: a seventh of the CPU of delivery, and the
 * copying beside.  This one goes over a message once, or twice when it has arrays, and its texts
 * point into the input.  It recurses as deep as messages nest, which the
 * bounded walk has limited.
 *
 * A message that is given again is merged as the specification says: its
 * occurrences, one after the other, are one message.  A message in a oneof
 * counts from where the oneof was last something else.  Fields that are not
 * known are left out.
 *
 * Fails when the arena is full, and on bytes that no walk has accepted.
 */
#include "otlp_decode.h"

#include <assert.h>
#include <errno.h>

#include "otlp_schema.h"
#include "otlp_wire.h"

struct decoder {
    struct arena *arena;
    bool is_full;
};

/* The one field of a message that is a message and not repeated, decoded when all of it is known. */
struct nested {
    const struct otlp_schema_field *field; /* NULL: there is none */
    const uint8_t *first;                  /* the tag of its first occurrence that counts */
    struct slice body;                     /* of the last one */
    size_t total;                          /* bytes of all bodies */
    size_t occurrences;
};

static void *decode_message(struct decoder *decoder, const struct otlp_schema_message *type, struct slice bytes);

static void *take(struct decoder *decoder, size_t size)
{
    void *memory = arena_alloc(decoder->arena, size);

    if (memory == NULL)
        decoder->is_full = true;
    return memory;
}

static const struct otlp_schema_field *find_field(const struct otlp_schema_message *type,
                                                  const struct otlp_wire_field *field)
{
    const struct otlp_schema_field *known;

    if (field->number >= OTLP_SCHEMA_NUMBERS)
        return NULL;
    known = &type->fields[field->number];
    return known->name == NULL || known->wire_type != field->type ? NULL : known;
}

/* --- arrays --------------------------------------------------------------- */

/* An array for each repeated field that occurs, empty yet. */
static bool make_arrays(struct decoder *decoder, const struct otlp_schema_message *type, struct slice bytes,
                        uint8_t *message)
{
    const uint8_t *end = bytes.data + bytes.len;
    uint32_t counts[OTLP_SCHEMA_NUMBERS] = {0};
    struct otlp_wire_field field;
    const char *why;

    for (const uint8_t *at = bytes.data; at != end;) {
        if ((at = otlp_wire_next(at, end, &field, &why)) == NULL)
            return false;
        if (field.number < OTLP_SCHEMA_NUMBERS)
            counts[field.number]++;
    }
    for (unsigned i = 0; i < type->repeated_count; i++) {
        const struct otlp_schema_field *known = &type->fields[type->repeated[i]];
        uint32_t count = counts[known->number];
        void *array;

        if (count == 0)
            continue;
        if ((array = take(decoder, (size_t)count * known->element_bytes)) == NULL)
            return false;
        memcpy(message + known->offset, &array, sizeof(array));
    }
    return true;
}

/* The place of one more element. */
static void *next_element(uint8_t *message, const struct otlp_schema_field *known)
{
    size_t *count = (size_t *)(void *)(message + known->what_offset);
    uint8_t *array;

    memcpy(&array, message + known->offset, sizeof(array));
    return array + (*count)++ * known->element_bytes;
}

/* --- scalars -------------------------------------------------------------- */

static uint64_t read_fixed(struct slice body)
{
    uint64_t value = 0;

    for (size_t i = 0; i < body.len; i++)
        value |= (uint64_t)body.data[i] << (8 * i);
    return value;
}

static uint64_t read_varint(struct slice body)
{
    uint64_t value = 0;
    const char *why;

    (void)otlp_wire_varint(body.data, body.data + body.len, OTLP_WIRE_VARINT_BYTES_MAX, &value, &why);
    return value;
}

static void store_number(void *to, const struct otlp_schema_field *known, struct slice body)
{
    uint64_t value = known->wire_type == OTLP_WIRE_VARINT ? read_varint(body) : read_fixed(body);
    uint32_t low = (uint32_t)value;

    switch (known->json) {
    case OTLP_JSON_BOOL:
        low = value != 0;
        break;
    case OTLP_JSON_DOUBLE:
    case OTLP_JSON_INT64:
    case OTLP_JSON_UINT64:
        memcpy(to, &value, sizeof(value));
        return;
    default:
        break;
    }
    memcpy(to, &low, sizeof(low));
}

static void store_bytes(void *to, struct slice body)
{
    ProtobufCBinaryData *data = to;

    data->len = body.len;
    data->data = (uint8_t *)(uintptr_t)body.data; /* nobody writes there: decoded messages are const */
}

/* --- messages ------------------------------------------------------------- */

static void note_nested(struct nested *nested, const struct otlp_schema_field *known, const uint8_t *at,
                        struct slice body)
{
    if (nested->field != known)
        *nested = (struct nested){.field = known, .first = at};
    nested->body = body;
    nested->total += body.len;
    nested->occurrences++;
}

/* All occurrences, one after the other. */
static bool join_occurrences(struct decoder *decoder, struct nested *nested, const uint8_t *end)
{
    uint8_t *joined = take(decoder, nested->total);
    struct otlp_wire_field field;
    const char *why;
    size_t used = 0;

    if (joined == NULL)
        return false;
    for (const uint8_t *at = nested->first; at != end;) {
        at = otlp_wire_next(at, end, &field, &why);
        assert(at != NULL);
        if (field.number != nested->field->number || field.type != OTLP_WIRE_LENGTH || field.body.len == 0)
            continue;
        memcpy(joined + used, field.body.data, field.body.len);
        used += field.body.len;
    }
    assert(used == nested->total);
    nested->body = slice_of(joined, used);
    return true;
}

static bool store_nested(struct decoder *decoder, struct nested *nested, const uint8_t *end, uint8_t *message)
{
    void *child;

    if (nested->field == NULL)
        return true;
    if (nested->occurrences > 1 && !join_occurrences(decoder, nested, end))
        return false;
    child = decode_message(decoder, nested->field->child, nested->body);
    memcpy(message + nested->field->offset, &child, sizeof(child));
    return child != NULL;
}

static bool store_element(struct decoder *decoder, const struct otlp_schema_field *known, struct slice body,
                          uint8_t *message)
{
    void *element = next_element(message, known);
    void *child;

    if (known->child == NULL) {
        store_bytes(element, body);
        return true;
    }
    child = decode_message(decoder, known->child, body);
    memcpy(element, &child, sizeof(child));
    return child != NULL;
}

/* A field that is not repeated and whose tag is at `at`. */
static void store_single(const struct otlp_schema_field *known, const struct otlp_wire_field *field, const uint8_t *at,
                         uint8_t *message, struct nested *nested)
{
    uint32_t number = field->number;

    if (known->in_oneof) {
        memcpy(message + known->what_offset, &number, sizeof(number));
        if (nested->field != known)
            nested->field = NULL;
    }
    if (known->child != NULL)
        note_nested(nested, known, at, field->body);
    else if (known->wire_type == OTLP_WIRE_LENGTH)
        store_bytes(message + known->offset, field->body);
    else
        store_number(message + known->offset, known, field->body);
}

static bool store_fields(struct decoder *decoder, const struct otlp_schema_message *type, struct slice bytes,
                         uint8_t *message)
{
    const uint8_t *end = bytes.data + bytes.len;
    struct nested nested = {.field = NULL};
    struct otlp_wire_field field;
    const uint8_t *next;
    const char *why;

    for (const uint8_t *at = bytes.data; at != end; at = next) {
        const struct otlp_schema_field *known;

        if ((next = otlp_wire_next(at, end, &field, &why)) == NULL)
            return false;
        known = find_field(type, &field);
        if (known == NULL)
            continue;
        if (known->element_bytes == 0)
            store_single(known, &field, at, message, &nested);
        else if (!store_element(decoder, known, field.body, message))
            return false;
    }
    return store_nested(decoder, &nested, end, message);
}

static void *decode_message(struct decoder *decoder, const struct otlp_schema_message *type, struct slice bytes)
{
    static const uint8_t nothing;
    uint8_t *message = take(decoder, type->struct_bytes);

    if (message == NULL)
        return NULL;
    if (bytes.len == 0)
        bytes.data = &nothing; /* so that no pointer is NULL below */
    memset(message, 0, type->struct_bytes);
    ((ProtobufCMessage *)(void *)message)->descriptor = type->descriptor;
    if (type->repeated_count > 0 && !make_arrays(decoder, type, bytes, message))
        return NULL;
    return store_fields(decoder, type, bytes, message) ? message : NULL;
}

static int decode(const void **message, const ProtobufCMessageDescriptor *descriptor, struct arena *arena,
                  struct slice bytes, struct err *err)
{
    struct decoder decoder = {.arena = arena};

    *message = decode_message(&decoder, otlp_schema_of(descriptor), bytes);
    if (*message != NULL)
        return 0;
    if (decoder.is_full)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory to decode a %s of %zu bytes", descriptor->short_name,
                       bytes.len);
    return err_set(err, ERR_POISON, EBADMSG, "%zu bytes do not decode as a %s", bytes.len, descriptor->short_name);
}

int otlp_decode_span(const Otlp__Span **span, struct arena *arena, struct slice bytes, struct err *err)
{
    return decode((const void **)span, &otlp__span__descriptor, arena, bytes, err);
}

int otlp_decode_resource(const Otlp__Resource **resource, struct arena *arena, struct slice bytes, struct err *err)
{
    return decode((const void **)resource, &otlp__resource__descriptor, arena, bytes, err);
}

int otlp_decode_scope(const Otlp__InstrumentationScope **scope, struct arena *arena, struct slice bytes,
                      struct err *err)
{
    return decode((const void **)scope, &otlp__instrumentation_scope__descriptor, arena, bytes, err);
}

struct slice otlp_attribute_string(Otlp__KeyValue *const *attributes, size_t count, const char *key)
{
    struct slice wanted = slice_of_text(key);

    for (size_t i = 0; i < count; i++) {
        const Otlp__KeyValue *attribute = attributes[i];

        if (!slice_equal(slice_of(attribute->key.data, attribute->key.len), wanted) || attribute->value == NULL)
            continue;
        if (attribute->value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE)
            return slice_of(attribute->value->string_value.data, attribute->value->string_value.len);
    }
    return slice_of(NULL, 0);
}
