/*
 * test_otlp_json_number.c - integers to the last digit, doubles to the last
 * bit, and what is neither.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bounds.h"
#include "otlp_json_number.h"

static void check_integer(const char *text, enum otlp_schema_json type, uint64_t expected)
{
    uint64_t value = 77;

    assert_null(otlp_json_number_integer(slice_of_text(text), type, &value));
    assert_true(value == expected);
}

static void check_no_integer(const char *text, enum otlp_schema_json type, const char *why)
{
    uint64_t value;

    assert_string_equal(otlp_json_number_integer(slice_of_text(text), type, &value), why);
}

static void test_integer_has_every_digit(void **state)
{
    (void)state;
    check_integer("0", OTLP_JSON_INT64, 0);
    check_integer("-0", OTLP_JSON_UINT32, 0);
    check_integer("9007199254740993", OTLP_JSON_INT64, 9007199254740993); /* no double is */
    check_integer("9223372036854775807", OTLP_JSON_INT64, INT64_MAX);
    check_integer("-9223372036854775808", OTLP_JSON_INT64, (uint64_t)INT64_MIN);
    check_integer("18446744073709551615", OTLP_JSON_UINT64, UINT64_MAX);
    check_integer("4294967295", OTLP_JSON_UINT32, UINT32_MAX);
    check_integer("-1", OTLP_JSON_ENUM, UINT64_MAX); /* ten bytes on the wire, as protobuf has it */
    check_integer("2147483647", OTLP_JSON_INT32, INT32_MAX);
    check_integer("-2147483648", OTLP_JSON_INT32, (uint64_t)(int64_t)INT32_MIN);
    check_integer("007", OTLP_JSON_INT32, 7); /* in a string; in JSON it is no number */
}

static void test_integer_with_fraction_or_exponent_is_one_if_integral(void **state)
{
    (void)state;
    check_integer("1.0", OTLP_JSON_INT64, 1);
    check_integer("1e3", OTLP_JSON_INT64, 1000);
    check_integer("1E+3", OTLP_JSON_INT64, 1000);
    check_integer("1200e-2", OTLP_JSON_INT64, 12);
    check_integer("1.25e2", OTLP_JSON_INT64, 125);
    check_integer("0.000e-999999999999", OTLP_JSON_INT64, 0);
    check_integer("0e999999999999", OTLP_JSON_INT64, 0);
    check_integer("1.8446744073709551615e19", OTLP_JSON_UINT64, UINT64_MAX);
    check_integer("1000000000000000000000000e-24", OTLP_JSON_UINT64, 1);
    check_no_integer("1.5", OTLP_JSON_INT64, "not an integer");
    check_no_integer("15e-1", OTLP_JSON_INT64, "not an integer");
    check_no_integer("1e-999999999999", OTLP_JSON_INT64, "not an integer");
}

static void test_integer_out_of_range_is_refused(void **state)
{
    (void)state;
    check_no_integer("9223372036854775808", OTLP_JSON_INT64, "out of range");
    check_no_integer("-9223372036854775809", OTLP_JSON_INT64, "out of range");
    check_no_integer("18446744073709551616", OTLP_JSON_UINT64, "out of range");
    check_no_integer("-1", OTLP_JSON_UINT64, "out of range");
    check_no_integer("4294967296", OTLP_JSON_UINT32, "out of range");
    check_no_integer("-1", OTLP_JSON_UINT32, "out of range");
    check_no_integer("2147483648", OTLP_JSON_INT32, "out of range");
    check_no_integer("-2147483649", OTLP_JSON_ENUM, "out of range");
    check_no_integer("1e999999999999999999999", OTLP_JSON_INT64, "out of range");
    check_no_integer("99999999999999999999999999", OTLP_JSON_INT64, "out of range");
    check_no_integer("30000000000000000001", OTLP_JSON_UINT64, "out of range");
}

static void test_integer_that_is_none_is_refused(void **state)
{
    static const char *const texts[] = {"",   "-",   "+1",  " 1",    "1 ",  "1.",    ".5",  "1e",
                                        "e1", "1e+", "0x1", "1_000", "--1", "1.0.0", "NaN", "1e1.0"};
    char long_text[OTLP_JSON_NUMBER_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_no_integer(texts[i], OTLP_JSON_INT64, "not an integer");
    memset(long_text, '0', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = '\0';
    check_no_integer(long_text, OTLP_JSON_INT64, "not an integer");
    check_integer(long_text + 1, OTLP_JSON_INT64, 0);
}

static void check_double(const char *text, double expected)
{
    double value;

    assert_null(otlp_json_number_double(slice_of_text(text), &value));
    assert_memory_equal(&value, &expected, sizeof(value));
}

static void test_double_is_the_nearest(void **state)
{
    (void)state;
    check_double("0.1", 0.1);
    check_double("-0", -0.0);
    check_double("1e3", 1000);
    check_double("1.7976931348623157e308", 1.7976931348623157e308);
    check_double("4.9e-324", 4.9e-324);
    check_double("1e-400", 0);
    check_double("9007199254740993", 9007199254740992);
}

static void test_double_that_is_none_is_refused(void **state)
{
    static const char *const texts[] = {"", "nan", "inf", "0x1p3", "1,5", "1e", " 1"};
    double value;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_string_equal(otlp_json_number_double(slice_of_text(texts[i]), &value), "not a number");
    assert_string_equal(otlp_json_number_double(slice_of_text("1e309"), &value), "out of range");
    assert_string_equal(otlp_json_number_double(slice_of_text("-1e309"), &value), "out of range");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integer_has_every_digit),
        cmocka_unit_test(test_integer_with_fraction_or_exponent_is_one_if_integral),
        cmocka_unit_test(test_integer_out_of_range_is_refused),
        cmocka_unit_test(test_integer_that_is_none_is_refused),
        cmocka_unit_test(test_double_is_the_nearest),
        cmocka_unit_test(test_double_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
