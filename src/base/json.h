/*
 * json.h - writes JSON into a buffer.  Not thread-safe.
 *
 * Commas and colons are placed by the writer; a misplaced call is our bug and
 * asserts.  Check out->failed (struct buf) once, at the end.
 */
#ifndef TRACESPOOL_JSON_H
#define TRACESPOOL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "slice.h"

#define JSON_DEPTH_MAX 512 /* OTLP/JSON takes four levels for each OTLP_DEPTH_MAX */

struct json {
    struct buf *out;
    unsigned depth;
    bool need_comma[JSON_DEPTH_MAX];
    bool after_key;
};

void json_init(struct json *json, struct buf *out);
void json_begin_object(struct json *json);
void json_end_object(struct json *json);
void json_begin_array(struct json *json);
void json_end_array(struct json *json);
void json_key(struct json *json, const char *key);
void json_key_slice(struct json *json, struct slice key);
void json_string(struct json *json, struct slice text); /* ill-formed UTF-8 is repaired */
void json_text(struct json *json, const char *text);    /* NULL gives null */
void json_int(struct json *json, int64_t value);
void json_uint(struct json *json, uint64_t value);
void json_double(struct json *json,
                 double value); /* shortest that reads back; NaN and infinities as strings, as protobuf's JSON */
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* A key and its value. */
void json_member_uint(struct json *json, const char *key, uint64_t value);
void json_member_bool(struct json *json, const char *key, bool value);

#endif
