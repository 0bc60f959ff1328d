/*
 * otlp_field.c - protobuf's wire format, written and read a field at a time.
 *
 * Pure.  Any thread.  Reading never passes the end of the message, whatever
 * its lengths claim; writing fails only when the buffer's bound is passed.
 */
#include "otlp_field.h"

#include <assert.h>

static size_t varint_size(uint64_t value)
{
    size_t size = 1;

    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

/* `to` has room for at least `size` bytes, which are all written: leading zeros are allowed. */
static void write_varint(uint8_t *to, size_t size, uint64_t value)
{
    for (size_t i = 0; i + 1 < size; i++, value >>= 7)
        to[i] = (uint8_t)(value | 0x80);
    assert(value < 0x80);
    to[size - 1] = (uint8_t)value;
}

static void put_raw_varint(struct buf *out, uint64_t value)
{
    uint8_t bytes[OTLP_WIRE_VARINT_BYTES_MAX];
    size_t size = varint_size(value);

    write_varint(bytes, size, value);
    buf_append(out, bytes, size);
}

static void put_tag(struct buf *out, uint32_t number, enum otlp_wire_type type)
{
    put_raw_varint(out, (uint64_t)number << 3 | type);
}

void otlp_field_put_varint(struct buf *out, uint32_t number, uint64_t value)
{
    put_tag(out, number, OTLP_WIRE_VARINT);
    put_raw_varint(out, value);
}

static void put_fixed(struct buf *out, uint64_t value, size_t size)
{
    uint8_t bytes[sizeof(value)];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    buf_append(out, bytes, size);
}

void otlp_field_put_fixed32(struct buf *out, uint32_t number, uint32_t value)
{
    put_tag(out, number, OTLP_WIRE_32BIT);
    put_fixed(out, value, sizeof(value));
}

void otlp_field_put_fixed64(struct buf *out, uint32_t number, uint64_t value)
{
    put_tag(out, number, OTLP_WIRE_64BIT);
    put_fixed(out, value, sizeof(value));
}

void otlp_field_put_header(struct buf *out, uint32_t number, size_t len)
{
    put_tag(out, number, OTLP_WIRE_LENGTH);
    put_raw_varint(out, len);
}

void otlp_field_put_bytes(struct buf *out, uint32_t number, struct slice bytes)
{
    otlp_field_put_header(out, number, bytes.len);
    buf_append(out, bytes.data, bytes.len);
}

size_t otlp_field_size(uint32_t number, size_t len)
{
    return varint_size((uint64_t)number << 3) + varint_size(len) + len;
}

size_t otlp_field_open(struct buf *out, uint32_t number, bool is_padded)
{
    static const uint8_t nothing[OTLP_WIRE_LENGTH_BYTES_MAX];

    put_tag(out, number, OTLP_WIRE_LENGTH);
    buf_append(out, nothing, is_padded ? OTLP_WIRE_LENGTH_BYTES_MAX : 1);
    return out->len;
}

void otlp_field_close(struct buf *out, size_t opened, bool is_padded)
{
    size_t len = out->len - opened;
    size_t reserved = is_padded ? OTLP_WIRE_LENGTH_BYTES_MAX : 1;
    size_t needed = is_padded ? reserved : varint_size(len);

    if (out->failed || (needed > reserved && buf_reserve(out, needed - reserved) == NULL))
        return;
    if (needed > reserved)
        memmove(out->data + opened + needed - reserved, out->data + opened, len);
    write_varint(out->data + opened - reserved, needed, len);
    out->len += needed - reserved;
}

bool otlp_field_next(struct slice *message, struct otlp_field *field)
{
    const uint8_t *end;
    struct otlp_wire_field found;
    const char *why;
    const uint8_t *next;

    *field = (struct otlp_field){0};
    if (message->len == 0)
        return false;
    end = message->data + message->len;
    next = otlp_wire_next(message->data, end, &found, &why);
    if (next == NULL)
        return false;
    field->number = found.number;
    field->type = (enum otlp_wire_type)found.type;
    field->bytes = found.body;
    if (found.type == OTLP_WIRE_VARINT) /* it has just been seen to be whole */
        otlp_wire_varint(found.body.data, end, OTLP_WIRE_VARINT_BYTES_MAX, &field->value, &why);
    *message = slice_of(next, (size_t)(end - next));
    return true;
}
