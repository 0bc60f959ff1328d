/*
 * otlp_field.h - protobuf's wire format for the few small messages that a gRPC
 * answer is made of: too small for generated code, and read from peers that
 * are not trusted.
 */
#ifndef TRACESPOOL_OTLP_FIELD_H
#define TRACESPOOL_OTLP_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "slice.h"

enum otlp_field_type { OTLP_FIELD_VARINT = 0, OTLP_FIELD_FIXED64 = 1, OTLP_FIELD_BYTES = 2, OTLP_FIELD_FIXED32 = 5 };

struct otlp_field {
    uint32_t number;
    enum otlp_field_type type;
    uint64_t value;     /* OTLP_FIELD_VARINT */
    struct slice bytes; /* OTLP_FIELD_BYTES; points into the message */
};

/* Append one field.  A failure is sticky in `out` (buf.h). */
void otlp_field_put_varint(struct buf *out, uint32_t number, uint64_t value);
void otlp_field_put_bytes(struct buf *out, uint32_t number, struct slice bytes);

/* Takes the next field off `message`.  False at the end, and when what follows is no field: then *message is not empty. */
bool otlp_field_next(struct slice *message, struct otlp_field *field);

#endif
