/*
 * otlp_wire.h - protobuf's wire format, read one field at a time.  For this
 * folder; others have otlp_field.h, which also writes.
 *
 * Accepts what protobuf-c 1.4.1 accepts or less: a tag and a length take at
 * most 5 bytes, a varint at most 10, groups and the wire types 6 and 7 are
 * refused, and so are field numbers 0 and over 2^29 - 1.
 */
#ifndef TRACESPOOL_OTLP_WIRE_H
#define TRACESPOOL_OTLP_WIRE_H

#include <stdint.h>

#include "slice.h"

enum otlp_wire_type {
    OTLP_WIRE_VARINT = 0,
    OTLP_WIRE_64BIT = 1,
    OTLP_WIRE_LENGTH = 2,
    OTLP_WIRE_32BIT = 5,
};

#define OTLP_WIRE_TAG_BYTES_MAX 5
#define OTLP_WIRE_LENGTH_BYTES_MAX 5
#define OTLP_WIRE_VARINT_BYTES_MAX 10
#define OTLP_WIRE_NUMBER_MAX ((1U << 29) - 1)

/* The fields that are read or written without protobuf-c; opentelemetry-proto promises to keep their numbers. */
enum {
    OTLP_REQUEST_RESOURCE_SPANS = 1,

    /* ResourceSpans (resource, scope_spans) and ScopeSpans (scope, spans) have one shape. */
    OTLP_GROUP_HEAD = 1,
    OTLP_GROUP_MEMBERS = 2,
    OTLP_GROUP_SCHEMA_URL = 3,

    OTLP_ANY_VALUE_DOUBLE = 4,

    OTLP_SPAN_TRACE_ID = 1,
    OTLP_SPAN_SPAN_ID = 2,
    OTLP_SPAN_START_TIME = 7,
    OTLP_SPAN_END_TIME = 8,
};

struct otlp_wire_field {
    uint32_t number;
    uint32_t type;     /* an otlp_wire_type */
    struct slice body; /* without the length, when the type is OTLP_WIRE_LENGTH; else the value as it is on the wire */
};

/*
 * A varint of at most `max_bytes` bytes that ends before `end`: the byte after
 * it, or NULL and `*why`.  Bits past the 64th are lost.
 */
static inline const uint8_t *otlp_wire_varint(const uint8_t *at, const uint8_t *end, unsigned max_bytes,
                                              uint64_t *value, const char **why)
{
    uint64_t result = 0;

    for (unsigned i = 0; i < max_bytes; i++) {
        if (at + i == end) {
            *why = "truncated";
            return NULL;
        }
        result |= (uint64_t)(at[i] & 0x7f) << (7 * i);
        if ((at[i] & 0x80) == 0) {
            *value = result;
            return at + i + 1;
        }
    }
    *why = "a varint that is too long";
    return NULL;
}

/* The tag at `at`, which must be before `end`. The byte after it, or NULL and `*why`. */
static inline const uint8_t *otlp_wire_tag(const uint8_t *at, const uint8_t *end, struct otlp_wire_field *field,
                                           const char **why)
{
    uint64_t tag = *at;

    if (tag < 0x80)
        at++; /* every field number up to 15 */
    else if ((at = otlp_wire_varint(at, end, OTLP_WIRE_TAG_BYTES_MAX, &tag, why)) == NULL)
        return NULL;
    if (tag >> 3 == 0 || tag >> 3 > OTLP_WIRE_NUMBER_MAX) {
        *why = "a field number that does not exist";
        return NULL;
    }
    field->number = (uint32_t)(tag >> 3);
    field->type = tag & 7;
    return at;
}

/* Length and body of a field of type OTLP_WIRE_LENGTH. The byte after it, or NULL and `*why`. */
static inline const uint8_t *otlp_wire_sized(const uint8_t *at, const uint8_t *end, struct otlp_wire_field *field,
                                             const char **why)
{
    uint64_t length;

    if (at < end && *at < 0x80)
        length = *at++;
    else if ((at = otlp_wire_varint(at, end, OTLP_WIRE_LENGTH_BYTES_MAX, &length, why)) == NULL)
        return NULL;
    if (length > (uint64_t)(end - at) || length > INT32_MAX) {
        *why = "a length that passes the end";
        return NULL;
    }
    field->body = slice_of(at, (size_t)length);
    return at + length;
}

/* The field at `at`, which must be before `end`. The byte after it, or NULL and `*why`. */
static inline const uint8_t *otlp_wire_next(const uint8_t *at, const uint8_t *end, struct otlp_wire_field *field,
                                            const char **why)
{
    size_t size;
    uint64_t ignored;

    if ((at = otlp_wire_tag(at, end, field, why)) == NULL)
        return NULL;
    switch (field->type) {
    case OTLP_WIRE_LENGTH:
        return otlp_wire_sized(at, end, field, why);
    case OTLP_WIRE_VARINT: {
        const uint8_t *after = otlp_wire_varint(at, end, OTLP_WIRE_VARINT_BYTES_MAX, &ignored, why);

        if (after == NULL)
            return NULL;
        size = (size_t)(after - at);
        break;
    }
    case OTLP_WIRE_64BIT:
        size = 8;
        break;
    case OTLP_WIRE_32BIT:
        size = 4;
        break;
    default:
        *why = "a wire type that does not exist or is a group";
        return NULL;
    }
    if (size > (size_t)(end - at)) {
        *why = "truncated";
        return NULL;
    }
    field->body = slice_of(at, size);
    return at + size;
}

#endif
