/*
 * otlp_json_scalar.h - a value of JSON that holds no others, as a field of
 * protobuf.  For this folder.
 */
#ifndef TRACESPOOL_OTLP_JSON_SCALAR_H
#define TRACESPOOL_OTLP_JSON_SCALAR_H

#include <stdbool.h>

#include "buf.h"
#include "otlp_schema.h"
#include "slice.h"

enum otlp_json_scalar_kind { OTLP_JSON_IS_STRING, OTLP_JSON_IS_NUMBER, OTLP_JSON_IS_BOOL };

struct otlp_json_scalar {
    enum otlp_json_scalar_kind kind;
    struct slice text; /* of a string, without escapes; of a number, its digits */
    bool truth;
};

/*
 * Appends `value` to `out` as `field`, which is no message.  NULL, or what is
 * wrong with it; that `out` is full is in `out`.  Pure.
 */
const char *otlp_json_scalar_put(struct buf *out, const struct otlp_schema_field *field, struct otlp_json_scalar value);

/* What a value of another shape is not: "not a string". */
const char *otlp_json_scalar_expected(const struct otlp_schema_field *field);

#endif
