/*
 * ctl_value.c - attributes in full, for people.
 *
 * Recursion follows the nesting of AnyValues, which the walk has bounded.
 */
#include "ctl_value.h"

#include "bounds.h"
#include "ctl_text.h"
#include "hex.h"

#define KEY_COLUMNS_MAX 28 /* a longer key pushes its own value to the right only */
#define TAB_COLUMNS 4

static_assert(2 * OTLP_DEPTH_MAX < JSON_DEPTH_MAX, "a map takes a level of JSON, and so does what it is in");

static struct slice slice_of_binary(ProtobufCBinaryData data)
{
    return slice_of(data.data, data.len);
}

/* "0x" and digits; a buffer of its own, as the number of bytes is the sender's. */
static void put_bytes(struct json *json, struct slice bytes)
{
    struct buf digits;
    uint8_t *room;

    buf_init(&digits, 2 * bytes.len + 3);
    buf_text(&digits, "0x");
    room = buf_reserve(&digits, 2 * bytes.len + 1);
    if (room != NULL) {
        hex_encode((char *)room, bytes.data, bytes.len);
        digits.len += 2 * bytes.len;
    }
    json->out->failed |= digits.failed;
    json_string(json, buf_slice(&digits));
    buf_fini(&digits);
}

static void put_array(struct json *json, const Otlp__ArrayValue *array)
{
    json_begin_array(json);
    for (size_t i = 0; array != NULL && i < array->n_values; i++)
        ctl_value_put(json, array->values[i]);
    json_end_array(json);
}

static void put_map(struct json *json, const Otlp__KeyValueList *map)
{
    json_begin_object(json);
    for (size_t i = 0; map != NULL && i < map->n_values; i++) {
        json_key_slice(json, slice_of_binary(map->values[i]->key));
        ctl_value_put(json, map->values[i]->value);
    }
    json_end_object(json);
}

void ctl_value_put(struct json *json, const Otlp__AnyValue *value)
{
    switch (value == NULL ? OTLP__ANY_VALUE__VALUE__NOT_SET : value->value_case) {
    case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
        json_string(json, slice_of_binary(value->string_value));
        break;
    case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
        json_bool(json, value->bool_value != 0);
        break;
    case OTLP__ANY_VALUE__VALUE_INT_VALUE:
        json_int(json, value->int_value);
        break;
    case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
        json_double(json, value->double_value);
        break;
    case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
        put_array(json, value->array_value);
        break;
    case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
        put_map(json, value->kvlist_value);
        break;
    case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
        put_bytes(json, slice_of_binary(value->bytes_value));
        break;
    default: /* not set, or an index into a table that traces do not have */
        json_null(json);
        break;
    }
}

static bool has_lines(const Otlp__AnyValue *value)
{
    return value != NULL && value->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE && value->string_value.len > 0 &&
           memchr(value->string_value.data, '\n', value->string_value.len) != NULL;
}

/* A stack trace reads as one. */
static void print_lines(struct buf *out, struct slice text, unsigned indent)
{
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        struct slice line = slice_of(text.data, end != NULL ? (size_t)(end - text.data) : text.len);
        size_t taken = line.len + (end != NULL);

        ctl_text_spaces(out, line.len > 0 ? indent : 0);
        for (; line.len > 0 && line.data[0] == '\t'; line = slice_of(line.data + 1, line.len - 1))
            ctl_text_spaces(out, TAB_COLUMNS);
        ctl_text_append(out, line, CTL_TEXT_WHOLE);
        buf_text(out, "\n");
        text = slice_of(text.data + taken, text.len - taken);
    }
}

static void print_value(struct buf *out, const Otlp__AnyValue *value)
{
    struct json json;
    struct buf text;

    buf_init(&text, out->max);
    json_init(&json, &text);
    ctl_value_put(&json, value);
    ctl_text_append(out, buf_slice(&text), CTL_TEXT_WHOLE);
    out->failed |= text.failed;
    buf_fini(&text);
    buf_text(out, "\n");
}

static unsigned key_columns(Otlp__KeyValue *const *attributes, size_t count)
{
    unsigned columns = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned taken = ctl_text_columns(slice_of_binary(attributes[i]->key), KEY_COLUMNS_MAX);

        columns = taken > columns ? taken : columns;
    }
    return columns;
}

void ctl_value_print(struct buf *out, Otlp__KeyValue *const *attributes, size_t count, unsigned indent)
{
    unsigned columns = key_columns(attributes, count);

    for (size_t i = 0; i < count; i++) {
        const Otlp__KeyValue *attribute = attributes[i];

        ctl_text_spaces(out, indent);
        unsigned used = ctl_text_append(out, slice_of_binary(attribute->key), CTL_TEXT_WHOLE);
        if (has_lines(attribute->value)) {
            buf_text(out, "\n");
            print_lines(out, slice_of_binary(attribute->value->string_value), indent + 2);
            continue;
        }
        ctl_text_spaces(out, (used < columns ? columns - used : 0) + 2);
        print_value(out, attribute->value);
    }
}
