#include "same.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_BYTES 40
#define PATH_MAX_TEXT 512

struct comparison {
    char *text;
    size_t len;
    size_t differences;
    char path[PATH_MAX_TEXT];
};

static void compare_messages(struct comparison *c, const ProtobufCMessage *sent, const ProtobufCMessage *restored);

__attribute__((format(printf, 2, 3))) static void append(struct comparison *c, const char *format, ...)
{
    va_list arguments;

    if (c->len >= SAME_TEXT_MAX - 1)
        return;
    va_start(arguments, format);
    c->len += (size_t)vsnprintf(c->text + c->len, SAME_TEXT_MAX - c->len, format, arguments);
    va_end(arguments);
}

static void append_bytes(struct comparison *c, const void *data, size_t len)
{
    append(c, "(%zu)", len);
    for (size_t i = 0; i < len && i < SHOWN_BYTES; i++)
        append(c, " %02x", ((const uint8_t *)data)[i]);
}

static void differ(struct comparison *c, const void *sent, size_t sent_len, const void *restored, size_t restored_len)
{
    c->differences++;
    append(c, "%s: ", c->path);
    append_bytes(c, sent, sent_len);
    append(c, " / ");
    append_bytes(c, restored, restored_len);
    append(c, "\n");
}

static size_t size_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4; /* enums and booleans too */
    }
}

static void compare_values(struct comparison *c, const ProtobufCFieldDescriptor *field, const void *sent,
                           const void *restored)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        compare_messages(c, *(ProtobufCMessage *const *)sent, *(ProtobufCMessage *const *)restored);
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        const ProtobufCBinaryData *a = sent, *b = restored;

        if (a->len != b->len || (a->len > 0 && memcmp(a->data, b->data, a->len) != 0))
            differ(c, a->data, a->len, b->data, b->len);
    } else if (memcmp(sent, restored, size_of(field->type)) != 0) {
        differ(c, sent, size_of(field->type), restored, size_of(field->type));
    }
}

static void compare_lists(struct comparison *c, const ProtobufCFieldDescriptor *field, const ProtobufCMessage *sent,
                          const ProtobufCMessage *restored)
{
    size_t a_count = *(const size_t *)((const char *)sent + field->quantifier_offset);
    size_t b_count = *(const size_t *)((const char *)restored + field->quantifier_offset);
    const char *a = *(char *const *)((const char *)sent + field->offset);
    const char *b = *(char *const *)((const char *)restored + field->offset);
    size_t path_len = strlen(c->path), size = size_of(field->type);

    if (a_count != b_count)
        differ(c, &a_count, sizeof(a_count), &b_count, sizeof(b_count));
    for (size_t i = 0; i < a_count && i < b_count; i++) {
        snprintf(c->path + path_len, sizeof(c->path) - path_len, "[%zu]", i);
        compare_values(c, field, a + i * size, b + i * size);
        c->path[path_len] = '\0';
    }
}

/* The number of the field that is set, for members of a oneof. */
static uint32_t case_of(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
    uint32_t number;

    memcpy(&number, (const char *)message + field->quantifier_offset, sizeof(number));
    return number;
}

static void compare_field(struct comparison *c, const ProtobufCFieldDescriptor *field, const ProtobufCMessage *sent,
                          const ProtobufCMessage *restored)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        compare_lists(c, field, sent, restored);
        return;
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t a = case_of(field, sent), b = case_of(field, restored);

        if ((a == field->id) != (b == field->id))
            differ(c, &a, sizeof(a), &b, sizeof(b));
        if (a != field->id || b != field->id)
            return;
    }
    compare_values(c, field, (const char *)sent + field->offset, (const char *)restored + field->offset);
}

/* An AnyValue without a value, or none: the documents do not tell them apart.  Any other message that is absent. */
static bool is_no_value(const ProtobufCMessage *message)
{
    return message == NULL || (message->descriptor == &otlp__any_value__descriptor &&
                               ((const Otlp__AnyValue *)message)->value_case == OTLP__ANY_VALUE__VALUE__NOT_SET);
}

static void compare_messages(struct comparison *c, const ProtobufCMessage *sent, const ProtobufCMessage *restored)
{
    size_t path_len = strlen(c->path);

    if (sent == NULL || restored == NULL) {
        if (!is_no_value(sent) || !is_no_value(restored))
            differ(c, "message", sent != NULL, "message", restored != NULL);
        return;
    }
    for (unsigned i = 0; i < sent->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &sent->descriptor->fields[i];

        snprintf(c->path + path_len, sizeof(c->path) - path_len, "%s%s", path_len > 0 ? "." : "", field->name);
        compare_field(c, field, sent, restored);
        c->path[path_len] = '\0';
    }
}

size_t same_compare(char text[SAME_TEXT_MAX], const ProtobufCMessage *sent, const ProtobufCMessage *restored)
{
    struct comparison c = {.text = text};

    text[0] = '\0';
    compare_messages(&c, sent, restored);
    return c.differences;
}
