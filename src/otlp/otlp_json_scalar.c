/*
 * otlp_json_scalar.c - the rules of OTLP/JSON for single values.
 *
 * Pure.  A field is written also when it is zero: in a oneof that it is there
 * says the type, and of a name that occurs again the last has to count.
 */
#include "otlp_json_scalar.h"

#include <math.h>

#include "otlp_field.h"
#include "otlp_json_number.h"

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *put_id(struct buf *out, uint32_t number, struct slice text)
{
    size_t len = text.len / 2;
    uint8_t *to;

    if (text.len % 2 != 0)
        return "an odd number of hexadecimal digits";
    otlp_field_put_header(out, number, len);
    to = len == 0 ? NULL : buf_reserve(out, len);
    for (size_t i = 0; i < len && to != NULL; i++) {
        int high = hex_value(text.data[2 * i]);
        int low = hex_value(text.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return "not hexadecimal";
        to[i] = (uint8_t)(high << 4 | low);
    }
    if (to != NULL)
        out->len += len;
    return NULL;
}

/* Of both alphabets of RFC 4648; -1 for another character. */
static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Four digits are three bytes; two or three at the end are one or two. */
static const char *decode_base64(uint8_t *to, struct slice digits)
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < digits.len; i++) {
        int value = base64_value(digits.data[i]);

        if (value < 0)
            return "not base64";
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *to++ = (uint8_t)(bits >> count);
        }
    }
    return NULL;
}

static const char *put_base64(struct buf *out, uint32_t number, struct slice text)
{
    struct slice digits = text;
    size_t len;
    uint8_t *to;
    const char *why;

    while (digits.len > 0 && text.len - digits.len < 2 && digits.data[digits.len - 1] == '=')
        digits.len--;
    if (digits.len % 4 == 1 || (digits.len < text.len && text.len % 4 != 0)) /* padding is right, or absent */
        return "not base64";
    len = digits.len * 6 / 8;
    otlp_field_put_header(out, number, len);
    to = len == 0 ? NULL : buf_reserve(out, len);
    if (to == NULL)
        return NULL;
    why = decode_base64(to, digits);
    out->len += len;
    return why;
}

static void put_integer(struct buf *out, const struct otlp_schema_field *field, uint64_t value)
{
    if (field->wire_type == OTLP_WIRE_64BIT)
        otlp_field_put_fixed64(out, field->number, value);
    else if (field->wire_type == OTLP_WIRE_32BIT)
        otlp_field_put_fixed32(out, field->number, (uint32_t)value);
    else
        otlp_field_put_varint(out, field->number, value);
}

static const char *read_double(struct otlp_json_scalar value, double *result)
{
    if (value.kind == OTLP_JSON_IS_STRING) {
        bool is_negative = value.text.len > 0 && value.text.data[0] == '-';
        struct slice rest = slice_of(value.text.data + is_negative, value.text.len - is_negative);

        if (slice_equal(value.text, slice_of_text("NaN"))) {
            *result = (double)NAN;
            return NULL;
        }
        if (slice_equal(rest, slice_of_text("Infinity"))) {
            *result = is_negative ? -(double)INFINITY : (double)INFINITY;
            return NULL;
        }
    }
    return otlp_json_number_double(value.text, result);
}

static const char *put_double(struct buf *out, uint32_t number, struct otlp_json_scalar value)
{
    double result;
    uint64_t bits;
    const char *why = read_double(value, &result);

    if (why != NULL)
        return why;
    memcpy(&bits, &result, sizeof(bits));
    otlp_field_put_fixed64(out, number, bits);
    return NULL;
}

const char *otlp_json_scalar_expected(const struct otlp_schema_field *field)
{
    switch ((enum otlp_schema_json)field->json) {
    case OTLP_JSON_MESSAGE:
        return "not an object";
    case OTLP_JSON_TEXT:
    case OTLP_JSON_ID:
    case OTLP_JSON_BYTES:
        return "not a string";
    case OTLP_JSON_BOOL:
        return "neither true nor false";
    case OTLP_JSON_DOUBLE:
        return "not a number";
    case OTLP_JSON_ENUM:
    case OTLP_JSON_INT32:
    case OTLP_JSON_UINT32:
    case OTLP_JSON_INT64:
    case OTLP_JSON_UINT64:
        break;
    }
    return "not an integer";
}

static const char *put_number(struct buf *out, const struct otlp_schema_field *field, struct otlp_json_scalar value)
{
    uint64_t integer;
    const char *why;

    if (value.kind == OTLP_JSON_IS_BOOL)
        return otlp_json_scalar_expected(field);
    if (field->json == OTLP_JSON_DOUBLE)
        return put_double(out, field->number, value);
    why = otlp_json_number_integer(value.text, (enum otlp_schema_json)field->json, &integer);
    if (why == NULL)
        put_integer(out, field, integer);
    else if (why == otlp_json_number_range && field->json == OTLP_JSON_INT64)
        /*
         * The one int64 of a request is AnyValue's.  The SDK for JavaScript
         * writes every integral number as intValue, 2.5e300 too, and a whole
         * batch is not to be lost over it.
         */
        return put_double(out, OTLP_ANY_VALUE_DOUBLE, value);
    else if (field->json == OTLP_JSON_ENUM && value.kind == OTLP_JSON_IS_STRING)
        return "not an integer, and OTLP/JSON has no names of enum values";
    return why;
}

const char *otlp_json_scalar_put(struct buf *out, const struct otlp_schema_field *field, struct otlp_json_scalar value)
{
    bool is_string = value.kind == OTLP_JSON_IS_STRING;

    switch ((enum otlp_schema_json)field->json) {
    case OTLP_JSON_TEXT:
        if (!is_string)
            break;
        otlp_field_put_bytes(out, field->number, value.text);
        return NULL;
    case OTLP_JSON_ID:
        if (!is_string)
            break;
        return put_id(out, field->number, value.text);
    case OTLP_JSON_BYTES:
        if (!is_string)
            break;
        return put_base64(out, field->number, value.text);
    case OTLP_JSON_BOOL:
        if (value.kind != OTLP_JSON_IS_BOOL)
            break;
        otlp_field_put_varint(out, field->number, value.truth);
        return NULL;
    case OTLP_JSON_MESSAGE:
        break;
    default:
        return put_number(out, field, value);
    }
    return otlp_json_scalar_expected(field);
}
