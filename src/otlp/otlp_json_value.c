/*
 * otlp_json_value.c - numbers, ids, texts and attributes as OTLP/JSON has them.
 *
 * Recursion follows the nesting of AnyValues, which the walk has bounded; the
 * assert below ties that bound to the JSON writer's.  Fails only through
 * out->failed.
 */
#include "otlp_json_value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "bounds.h"
#include "hex.h"

static_assert(4 * OTLP_DEPTH_MAX + 16 <= JSON_DEPTH_MAX,
              "a map takes four levels of JSON for each AnyValue: value, kvlistValue, values, member");

static void write_any_value(struct json *json, const Otlp__AnyValue *value);

void otlp_json_value_text(struct json *json, const char *key, ProtobufCBinaryData text)
{
    if (text.len == 0)
        return;
    json_key(json, key);
    json_string(json, slice_of(text.data, text.len));
}

void otlp_json_value_count(struct json *json, const char *key, uint32_t count)
{
    if (count == 0)
        return;
    json_key(json, key);
    json_uint(json, count);
}

void otlp_json_value_enum(struct json *json, const char *key, int value)
{
    if (value == 0)
        return;
    json_key(json, key);
    json_int(json, value);
}

/* 64-bit integers are strings: a JSON number is a double to many readers. */
void otlp_json_value_time(struct json *json, const char *key, uint64_t unix_nano)
{
    char text[24];

    if (unix_nano == 0)
        return;
    snprintf(text, sizeof(text), "%" PRIu64, unix_nano);
    json_key(json, key);
    json_text(json, text);
}

/* `text` holds `len` characters made from `source`, or could not be had: then the output counts as failed. */
static void write_made_text(struct json *json, struct buf *text, size_t len)
{
    if (text->failed)
        json->out->failed = true;
    json_string(json, slice_of(text->data, text->failed ? 0 : len));
    buf_fini(text);
}

void otlp_json_value_id(struct json *json, const char *key, ProtobufCBinaryData id)
{
    struct buf text;
    uint8_t *digits;

    if (id.len == 0)
        return;
    json_key(json, key);
    buf_init(&text, 2 * id.len + 1);
    digits = buf_reserve(&text, 2 * id.len + 1); /* ids of links and parents may have any length */
    if (digits != NULL)
        hex_encode((char *)digits, id.data, id.len);
    write_made_text(json, &text, 2 * id.len);
}

static void encode_base64(uint8_t *text, const uint8_t *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3, text += 4) {
        uint32_t group = (uint32_t)data[i] << 16;

        if (i + 1 < len)
            group |= (uint32_t)data[i + 1] << 8;
        if (i + 2 < len)
            group |= data[i + 2];
        text[0] = (uint8_t)digits[group >> 18];
        text[1] = (uint8_t)digits[group >> 12 & 63];
        text[2] = (uint8_t)(i + 1 < len ? digits[group >> 6 & 63] : '=');
        text[3] = (uint8_t)(i + 2 < len ? digits[group & 63] : '=');
    }
}

static void write_base64(struct json *json, ProtobufCBinaryData bytes)
{
    size_t len = (bytes.len + 2) / 3 * 4;
    struct buf text;
    uint8_t *to;

    buf_init(&text, len + 1);
    to = buf_reserve(&text, len + 1); /* never 0, for which there would be no memory */
    if (to != NULL)
        encode_base64(to, bytes.data, bytes.len);
    write_made_text(json, &text, len);
}

static void write_key_value(struct json *json, const Otlp__KeyValue *attribute)
{
    json_begin_object(json);
    otlp_json_value_text(json, "key", attribute->key);
    if (attribute->value != NULL) {
        json_key(json, "value");
        write_any_value(json, attribute->value);
    }
    otlp_json_value_enum(json, "keyStrindex", attribute->key_strindex);
    json_end_object(json);
}

void otlp_json_value_attributes(struct json *json, const char *key, Otlp__KeyValue *const *attributes, size_t count)
{
    if (count == 0)
        return;
    json_key(json, key);
    json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        write_key_value(json, attributes[i]);
    json_end_array(json);
}

static void write_array(struct json *json, const Otlp__ArrayValue *array)
{
    json_begin_object(json);
    if (array->n_values > 0) {
        json_key(json, "values");
        json_begin_array(json);
        for (size_t i = 0; i < array->n_values; i++)
            write_any_value(json, array->values[i]);
        json_end_array(json);
    }
    json_end_object(json);
}

static void write_map(struct json *json, const Otlp__KeyValueList *map)
{
    json_begin_object(json);
    otlp_json_value_attributes(json, "values", map->values, map->n_values);
    json_end_object(json);
}

static void write_int(struct json *json, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    json_text(json, text);
}

/* The member of a oneof is written even if it is zero: that it is there says the type. */
static void write_any_value(struct json *json, const Otlp__AnyValue *value)
{
    json_begin_object(json);
    switch (value->value_case) {
    case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
        json_key(json, "stringValue");
        json_string(json, slice_of(value->string_value.data, value->string_value.len));
        break;
    case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
        json_key(json, "boolValue");
        json_bool(json, value->bool_value);
        break;
    case OTLP__ANY_VALUE__VALUE_INT_VALUE:
        json_key(json, "intValue");
        write_int(json, value->int_value);
        break;
    case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
        json_key(json, "doubleValue");
        json_double(json, value->double_value);
        break;
    case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
        json_key(json, "arrayValue");
        write_array(json, value->array_value);
        break;
    case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
        json_key(json, "kvlistValue");
        write_map(json, value->kvlist_value);
        break;
    case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
        json_key(json, "bytesValue");
        write_base64(json, value->bytes_value);
        break;
    case OTLP__ANY_VALUE__VALUE_STRING_VALUE_STRINDEX:
        json_key(json, "stringValueStrindex");
        json_int(json, value->string_value_strindex);
        break;
    case OTLP__ANY_VALUE__VALUE__NOT_SET:
    default:
        break;
    }
    json_end_object(json);
}
