/*
 * wire.h - protobuf's wire format for the few small messages that a gRPC
 * answer is made of: too small for generated code, and read from peers that
 * are not trusted.
 */
#ifndef TRACESPOOL_WIRE_H
#define TRACESPOOL_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "slice.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;     /* WIRE_VARINT */
    struct slice bytes; /* WIRE_BYTES; points into the message */
};

/* Append one field.  A failure is sticky in `out` (buf.h). */
void wire_put_varint(struct buf *out, uint32_t number, uint64_t value);
void wire_put_bytes(struct buf *out, uint32_t number, struct slice bytes);

/* Takes the next field off `message`.  False at the end, and when what follows is no field: then *message is not empty. */
bool wire_next(struct slice *message, struct wire_field *field);

#endif
