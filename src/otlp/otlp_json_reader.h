/*
 * otlp_json_reader.h - the tokens of a request in OTLP/JSON, one by one, into
 * protobuf.  For this folder.
 *
 * Each function returns false when the request is refused; `err` says why, and
 * no other may be called then.
 */
#ifndef TRACESPOOL_OTLP_JSON_READER_H
#define TRACESPOOL_OTLP_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "json.h"
#include "otlp_json_scalar.h"
#include "otlp_schema.h"

struct otlp_json_frame {
    const struct otlp_schema_message *message; /* NULL: a list */
    const struct otlp_schema_field *field;     /* the last key of an object, NULL when unknown; what a list is of */
    uint32_t elements;                         /* of a list, that have begun */
    size_t opened;                             /* of a message: where its fields begin */
};

struct otlp_json_reader {
    struct buf *out;
    struct err *err;
    uint32_t depth;
    uint32_t skipped; /* levels open within an unknown key */
    struct otlp_json_frame frames[JSON_DEPTH_MAX];
};

/* `out` is empty and its max is the bound. */
void otlp_json_reader_init(struct otlp_json_reader *reader, struct buf *out, struct err *err);

bool otlp_json_reader_begin_object(struct otlp_json_reader *reader);
bool otlp_json_reader_begin_list(struct otlp_json_reader *reader);
bool otlp_json_reader_end(struct otlp_json_reader *reader); /* of either */
bool otlp_json_reader_key(struct otlp_json_reader *reader, struct slice key);
bool otlp_json_reader_null(struct otlp_json_reader *reader);
bool otlp_json_reader_scalar(struct otlp_json_reader *reader, struct otlp_json_scalar value);

/* Fills `err`: what is there is no JSON. */
void otlp_json_reader_refuse_syntax(struct otlp_json_reader *reader, size_t at, struct slice why);

#endif
