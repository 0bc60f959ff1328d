/*
 * otlp_json_number.h - numbers as JSON writes them, in digits.  For this folder.
 */
#ifndef TRACESPOOL_OTLP_JSON_NUMBER_H
#define TRACESPOOL_OTLP_JSON_NUMBER_H

#include <stdint.h>

#include "otlp_schema.h"
#include "slice.h"

/* What is wrong with an integer that is one, but not of the type. */
extern const char otlp_json_number_range[];

/*
 * An integer of `type` (OTLP_JSON_ENUM, INT32, UINT32, INT64 or UINT64), exactly:
 * it is never a double in between.  `value` is as protobuf has it: negative ones
 * have 64 bits.  NULL, or what is wrong. Pure.
 */
const char *otlp_json_number_integer(struct slice text, enum otlp_schema_json type, uint64_t *value);

/* The nearest double. NULL, or what is wrong. Pure. */
const char *otlp_json_number_double(struct slice text, double *value);

#endif
