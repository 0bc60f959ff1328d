/*
 * json.c - RFC 8259 text, written front to back.
 *
 * Strings come from strangers: control characters are escaped, ill-formed
 * UTF-8 is repaired, and DEL and U+2028/2029 pass, as the RFC allows.
 */
#include "json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "utf8.h"

void json_init(struct json *json, struct buf *out)
{
    json->out = out;
    json->depth = 0;
    json->need_comma[0] = false;
    json->after_key = false;
}

/* What stands before a value: nothing after a key, else a comma from the second member on. */
static void begin_value(struct json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->need_comma[json->depth])
        buf_append(json->out, ",", 1);
    json->need_comma[json->depth] = json->depth > 0; /* values at the top are the caller's lines */
}

static void open_level(struct json *json, const char *bracket)
{
    begin_value(json);
    buf_text(json->out, bracket);
    json->depth++;
    assert(json->depth < JSON_DEPTH_MAX);
    json->need_comma[json->depth] = false;
}

static void close_level(struct json *json, const char *bracket)
{
    assert(json->depth > 0 && !json->after_key);
    json->depth--;
    buf_text(json->out, bracket);
}

void json_begin_object(struct json *json)
{
    open_level(json, "{");
}

void json_end_object(struct json *json)
{
    close_level(json, "}");
}

void json_begin_array(struct json *json)
{
    open_level(json, "[");
}

void json_end_array(struct json *json)
{
    close_level(json, "]");
}

static void escape_ascii(struct buf *out, uint8_t c)
{
    static const char short_forms[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

    if (c == '"' || c == '\\')
        buf_printf(out, "\\%c", c);
    else if (c < sizeof(short_forms) && short_forms[c] != 0)
        buf_printf(out, "\\%c", short_forms[c]);
    else
        buf_printf(out, "\\u%04x", c);
}

static bool needs_escape(uint8_t c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static void write_quoted(struct buf *out, struct slice text)
{
    size_t start = 0;

    buf_append(out, "\"", 1);
    /* Escapes are ASCII, so cutting there never splits a UTF-8 sequence. */
    for (size_t i = 0; i < text.len; i++) {
        if (!needs_escape(text.data[i]))
            continue;
        utf8_append_repaired(out, slice_of(text.data + start, i - start));
        escape_ascii(out, text.data[i]);
        start = i + 1;
    }
    if (start < text.len)
        utf8_append_repaired(out, slice_of(text.data + start, text.len - start));
    buf_append(out, "\"", 1);
}

void json_key_slice(struct json *json, struct slice key)
{
    assert(json->depth > 0 && !json->after_key);
    begin_value(json);
    write_quoted(json->out, key);
    buf_append(json->out, ":", 1);
    json->after_key = true;
}

void json_key(struct json *json, const char *key)
{
    json_key_slice(json, slice_of_text(key));
}

void json_string(struct json *json, struct slice text)
{
    begin_value(json);
    write_quoted(json->out, text);
}

void json_text(struct json *json, const char *text)
{
    if (text == NULL)
        json_null(json);
    else
        json_string(json, slice_of_text(text));
}

void json_int(struct json *json, int64_t value)
{
    begin_value(json);
    buf_printf(json->out, "%" PRId64, value);
}

void json_uint(struct json *json, uint64_t value)
{
    begin_value(json);
    buf_printf(json->out, "%" PRIu64, value);
}

/* The fewest digits that read back as the same value: 0.1 and not 0.10000000000000001. */
static void write_double(struct buf *out, double value)
{
    char text[32];

    if (value == 0 && signbit(value)) { /* "-0" is the integer 0 to many readers */
        buf_text(out, "-0.0");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_text(out, text);
}

void json_double(struct json *json, double value)
{
    begin_value(json);
    if (isnan(value))
        buf_text(json->out, "\"NaN\"");
    else if (isinf(value))
        buf_text(json->out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    else
        write_double(json->out, value);
}

void json_bool(struct json *json, bool value)
{
    begin_value(json);
    buf_text(json->out, value ? "true" : "false");
}

void json_null(struct json *json)
{
    begin_value(json);
    buf_text(json->out, "null");
}

void json_member_uint(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_uint(json, value);
}

void json_member_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}
