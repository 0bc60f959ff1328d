/*
 * otlp_field.h - protobuf's wire format, written and read a field at a time:
 * the one place that writes it, and the reader for small messages from peers
 * that are not trusted.  What walks whole requests reads with otlp_wire.h
 * itself, which is under this.
 */
#ifndef TRACESPOOL_OTLP_FIELD_H
#define TRACESPOOL_OTLP_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "otlp_wire.h"
#include "slice.h"

struct otlp_field {
    uint32_t number;
    enum otlp_wire_type type;
    uint64_t value;     /* OTLP_WIRE_VARINT */
    struct slice bytes; /* what the field holds, without its length; points into the message */
};

/* Append one field.  A failure is sticky in `out` (buf.h). */
void otlp_field_put_varint(struct buf *out, uint32_t number, uint64_t value);
void otlp_field_put_fixed32(struct buf *out, uint32_t number, uint32_t value);
void otlp_field_put_fixed64(struct buf *out, uint32_t number, uint64_t value);
void otlp_field_put_bytes(struct buf *out, uint32_t number, struct slice bytes);

/* Tag and length of a field of `len` bytes, which the caller appends; and how many bytes all that is. */
void otlp_field_put_header(struct buf *out, uint32_t number, size_t len);
size_t otlp_field_size(uint32_t number, size_t len);

/*
 * A message whose length is known only when its fields have been appended:
 * open, append them, close with what open has returned.  Closing moves the
 * fields when their length takes more than one byte.  With `is_padded` it
 * never does: the length takes all the bytes that it may (OTLP_WIRE_LENGTH_
 * BYTES_MAX), which every reader of protobuf accepts.
 */
size_t otlp_field_open(struct buf *out, uint32_t number, bool is_padded);
void otlp_field_close(struct buf *out, size_t opened, bool is_padded);

/* Takes the next field off `message`.  False at the end, and when what follows is no field: then *message is not empty. */
bool otlp_field_next(struct slice *message, struct otlp_field *field);

#endif
