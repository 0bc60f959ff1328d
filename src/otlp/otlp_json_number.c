/*
 * otlp_json_number.c - JSON's grammar of numbers, for numbers and for strings
 * that hold one.
 *
 * protobuf's JSON has 64-bit integers as strings, and integers with a fraction
 * or an exponent as long as they come out integral: 1.0, 1e3, 15e-1 is none.
 */
#include "otlp_json_number.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "bounds.h"

#define EXPONENT_MAX 100000 /* past all that a double or an integer can be, in either direction */

struct decimal {
    bool is_negative;
    struct slice whole;
    struct slice fraction; /* perhaps empty */
    long exponent;
};

static const char not_a_number[] = "not a number";
static const char not_an_integer[] = "not an integer";
const char otlp_json_number_range[] = "out of range";

static bool take_char(struct slice *text, char c)
{
    if (text->len == 0 || text->data[0] != (uint8_t)c)
        return false;
    *text = slice_of(text->data + 1, text->len - 1);
    return true;
}

static bool take_digits(struct slice *text, struct slice *digits)
{
    size_t len = 0;

    while (len < text->len && text->data[len] >= '0' && text->data[len] <= '9')
        len++;
    *digits = slice_of(text->data, len);
    *text = slice_of(text->data + len, text->len - len);
    return len > 0;
}

static bool take_exponent(struct slice *text, long *exponent)
{
    bool is_negative = take_char(text, '-');
    struct slice digits;

    if (!is_negative)
        take_char(text, '+');
    if (!take_digits(text, &digits))
        return false;
    for (size_t i = 0; i < digits.len && *exponent < EXPONENT_MAX; i++)
        *exponent = *exponent * 10 + (digits.data[i] - '0');
    if (is_negative)
        *exponent = -*exponent;
    return true;
}

static bool split(struct slice text, struct decimal *decimal)
{
    *decimal = (struct decimal){.exponent = 0};
    if (text.len > OTLP_JSON_NUMBER_MAX)
        return false;
    decimal->is_negative = take_char(&text, '-');
    if (!take_digits(&text, &decimal->whole))
        return false;
    if (take_char(&text, '.') && !take_digits(&text, &decimal->fraction))
        return false;
    if ((take_char(&text, 'e') || take_char(&text, 'E')) && !take_exponent(&text, &decimal->exponent))
        return false;
    return text.len == 0;
}

/* magnitude * 10 + digit; false when that takes more than 64 bits. */
static bool append_digit(uint64_t *magnitude, uint8_t digit)
{
    if (*magnitude > (UINT64_MAX - digit) / 10)
        return false;
    *magnitude = *magnitude * 10 + digit;
    return true;
}

/* Appends `digits`; zeros wait in `zeros` until a digit follows, as at the end they may belong to the exponent. */
static bool append_digits(uint64_t *magnitude, long *zeros, struct slice digits)
{
    for (size_t i = 0; i < digits.len; i++) {
        uint8_t digit = (uint8_t)(digits.data[i] - '0');

        if (digit == 0) {
            ++*zeros;
            continue;
        }
        for (; *zeros > 0; --*zeros)
            if (!append_digit(magnitude, 0))
                return false;
        if (!append_digit(magnitude, digit))
            return false;
    }
    return true;
}

static const char *read_magnitude(const struct decimal *decimal, uint64_t *magnitude)
{
    long zeros = 0;
    long exponent;

    *magnitude = 0;
    if (!append_digits(magnitude, &zeros, decimal->whole) || !append_digits(magnitude, &zeros, decimal->fraction))
        return otlp_json_number_range;
    if (*magnitude == 0)
        return NULL;
    exponent = decimal->exponent - (long)decimal->fraction.len + zeros;
    if (exponent < 0)
        return not_an_integer;
    for (; exponent > 0; exponent--)
        if (!append_digit(magnitude, 0))
            return otlp_json_number_range;
    return NULL;
}

/* The largest magnitude of each sign. */
static uint64_t magnitude_max(enum otlp_schema_json type, bool is_negative)
{
    switch (type) {
    case OTLP_JSON_UINT32:
        return is_negative ? 0 : UINT32_MAX;
    case OTLP_JSON_UINT64:
        return is_negative ? 0 : UINT64_MAX;
    case OTLP_JSON_INT64:
        return (uint64_t)INT64_MAX + is_negative;
    default:
        return (uint64_t)INT32_MAX + is_negative;
    }
}

const char *otlp_json_number_integer(struct slice text, enum otlp_schema_json type, uint64_t *value)
{
    struct decimal decimal;
    uint64_t magnitude;
    const char *why;

    if (!split(text, &decimal))
        return not_an_integer;
    why = read_magnitude(&decimal, &magnitude);
    if (why != NULL)
        return why;
    if (magnitude > magnitude_max(type, decimal.is_negative))
        return otlp_json_number_range;
    *value = decimal.is_negative ? 0 - magnitude : magnitude;
    return NULL;
}

/* strtod would take more than JSON does (0x1p3, nan), and the decimal point of a locale: the daemon sets none. */
const char *otlp_json_number_double(struct slice text, double *value)
{
    char copy[OTLP_JSON_NUMBER_MAX + 1];
    struct decimal decimal;

    if (!split(text, &decimal))
        return not_a_number;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *value = strtod(copy, NULL);
    return isinf(*value) ? otlp_json_number_range : NULL;
}
