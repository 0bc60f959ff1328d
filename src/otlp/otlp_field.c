/*
 * otlp_field.c - protobuf's wire format, written and read a field at a time.
 *
 * Pure.  Any thread.  Reading never passes the end of the message, whatever
 * its lengths claim; writing fails only when the buffer's bound is passed.
 */
#include "otlp_field.h"

#define VARINT_BYTES_MAX 10
#define FIELD_NUMBER_MAX ((1U << 29) - 1)

static void put_raw_varint(struct buf *out, uint64_t value)
{
    uint8_t bytes[VARINT_BYTES_MAX];
    size_t len = 0;

    while (value >= 0x80) {
        bytes[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[len++] = (uint8_t)value;
    buf_append(out, bytes, len);
}

void otlp_field_put_varint(struct buf *out, uint32_t number, uint64_t value)
{
    put_raw_varint(out, (uint64_t)number << 3 | OTLP_FIELD_VARINT);
    put_raw_varint(out, value);
}

void otlp_field_put_bytes(struct buf *out, uint32_t number, struct slice bytes)
{
    put_raw_varint(out, (uint64_t)number << 3 | OTLP_FIELD_BYTES);
    put_raw_varint(out, bytes.len);
    buf_append(out, bytes.data, bytes.len);
}

static void skip(struct slice *in, size_t len)
{
    in->data += len;
    in->len -= len;
}

static bool take_varint(struct slice *in, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < VARINT_BYTES_MAX && i < in->len; i++) {
        *value |= (uint64_t)(in->data[i] & 0x7f) << (7 * i);
        if (in->data[i] < 0x80) {
            skip(in, i + 1);
            return true;
        }
    }
    return false;
}

/* After the tag: the field's content.  Groups (wire types 3 and 4) are not used by any message read here. */
static bool take_content(struct slice *in, struct otlp_field *field)
{
    uint64_t len;

    switch (field->type) {
    case OTLP_FIELD_VARINT:
        return take_varint(in, &field->value);
    case OTLP_FIELD_BYTES:
        if (!take_varint(in, &len))
            return false;
        break;
    case OTLP_FIELD_FIXED64:
        len = 8;
        break;
    case OTLP_FIELD_FIXED32:
        len = 4;
        break;
    default:
        return false;
    }
    if (len > in->len)
        return false;
    field->bytes = slice_of(in->data, (size_t)len);
    skip(in, (size_t)len);
    return true;
}

bool otlp_field_next(struct slice *message, struct otlp_field *field)
{
    struct slice rest = *message;
    uint64_t tag;

    *field = (struct otlp_field){0};
    if (!take_varint(&rest, &tag) || tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
        return false;
    field->number = (uint32_t)(tag >> 3);
    field->type = (enum otlp_field_type)(tag & 7);
    if (!take_content(&rest, field))
        return false;
    *message = rest;
    return true;
}
