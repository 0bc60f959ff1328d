/*
 * otlp_schema.h - protobuf-c's message descriptors as tables that answer in
 * one step what a field number means.  For this folder.
 */
#ifndef TRACESPOOL_OTLP_SCHEMA_H
#define TRACESPOOL_OTLP_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

#define OTLP_SCHEMA_NUMBERS 32     /* OTLP's field numbers are below this; asserted when the tables are made */
#define OTLP_SCHEMA_REPEATED_MAX 4 /* a message has no more repeated fields; asserted likewise */

/* Messages that the walk counts. */
enum otlp_schema_kind {
    OTLP_SCHEMA_OTHER,
    OTLP_SCHEMA_RESOURCE_SPANS,
    OTLP_SCHEMA_SCOPE_SPANS,
    OTLP_SCHEMA_SPAN,
    OTLP_SCHEMA_ANY_VALUE,
    OTLP_SCHEMA_KINDS
};

/* What a field is in OTLP/JSON; protobuf-c's descriptors tell no string from bytes, as the build makes them one. */
enum otlp_schema_json {
    OTLP_JSON_MESSAGE,
    OTLP_JSON_TEXT,
    OTLP_JSON_ID,    /* bytes as hexadecimal: the ids of traces and spans */
    OTLP_JSON_BYTES, /* as base64: AnyValue.bytes_value */
    OTLP_JSON_BOOL,
    OTLP_JSON_DOUBLE,
    OTLP_JSON_ENUM,
    OTLP_JSON_INT32,
    OTLP_JSON_UINT32,
    OTLP_JSON_INT64,
    OTLP_JSON_UINT64,
};

struct otlp_schema_field {
    const char *name;                        /* NULL: not a field of the message */
    const struct otlp_schema_message *child; /* NULL: not a message */
    uint8_t wire_type;
    uint8_t number;
    uint8_t json;          /* an otlp_schema_json */
    uint8_t element_bytes; /* of the repeated field's array; 0 when not repeated */
    bool in_oneof;
    uint16_t offset;      /* in the generated struct: of the value, or of the array's pointer */
    uint16_t what_offset; /* of the array's length (size_t), or of what says which of a oneof is there (uint32_t) */
};

struct otlp_schema_message {
    const void *descriptor; /* protobuf-c's */
    const char *name;
    enum otlp_schema_kind kind;
    uint32_t base_bytes;   /* what decoding it takes before any field, padding of its arrays included */
    uint32_t struct_bytes; /* of the generated struct */
    uint8_t repeated_count;
    uint8_t repeated[OTLP_SCHEMA_REPEATED_MAX]; /* numbers of the repeated fields */
    struct otlp_schema_field fields[OTLP_SCHEMA_NUMBERS];
};

/* ExportTraceServiceRequest, from which all others are reached. Any thread. */
const struct otlp_schema_message *otlp_schema_request(void);

/* The table of a message that is reached from it, by protobuf-c's descriptor. Any thread. */
const struct otlp_schema_message *otlp_schema_of(const void *descriptor);

/* The field that JSON calls `key`: in lowerCamelCase, or as the .proto file has it. NULL when there is none. */
const struct otlp_schema_field *otlp_schema_find(const struct otlp_schema_message *message, struct slice key);

/* Its name in lowerCamelCase, cut to `size` with its NUL. */
void otlp_schema_json_name(char *text, size_t size, const struct otlp_schema_field *field);

#endif
