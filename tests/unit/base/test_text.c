/* test_text.c - hex, units and UTF-8: small pure things about text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "clock.h"
#include "hex.h"
#include "units.h"
#include "utf8.h"

static void test_hex_round_trip_and_bad_digits(void **state)
{
    const uint8_t bytes[] = {0x00, 0x9a, 0xff};
    uint8_t back[3];
    char text[7];

    (void)state;
    hex_encode(text, bytes, sizeof(bytes));
    assert_string_equal(text, "009aff");
    assert_int_equal(hex_decode(back, 3, "009AfF"), 0);
    assert_memory_equal(back, bytes, 3);
    assert_int_equal(hex_decode(back, 3, "009af"), -1);
    assert_int_equal(hex_decode(back, 3, "009aff0"), -1);
    assert_int_equal(hex_decode(back, 3, "009ag0"), -1);
    assert_int_equal(hex_decode(back, 3, ""), -1);
}

static void test_parse_bytes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"512", 512},
        {"64KiB", 65536},
        {"8GiB", 8589934592},
        {"1.5 MB", 1500000},
        {"2TiB", 2199023255552},
        {"0.5KiB", 512},
        {"18446744073709551615", UINT64_MAX},
    };
    static const char *const bad[] = {"",
                                      "GiB",
                                      "-1",
                                      "8G",
                                      "8 gib",
                                      "1e9",
                                      "1.",
                                      ".5",
                                      " 1",
                                      "1 ",
                                      "1  KiB",
                                      "0x10",
                                      "18446744073709551616",
                                      "16777216TiB"};
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(units_parse_bytes(good[i].text, &bytes), 0);
        assert_true(bytes == good[i].bytes);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(units_parse_bytes(bad[i], &bytes), -1);
}

static void test_parse_duration(void **state)
{
    uint64_t ns;

    (void)state;
    assert_int_equal(units_parse_duration("0", &ns), 0);
    assert_true(ns == 0);
    assert_int_equal(units_parse_duration("250ms", &ns), 0);
    assert_true(ns == 250 * NS_PER_MS);
    assert_int_equal(units_parse_duration("36h", &ns), 0);
    assert_true(ns == 36 * 3600 * NS_PER_S);
    assert_int_equal(units_parse_duration("7d", &ns), 0);
    assert_true(ns == 7 * NS_PER_DAY);
    assert_int_equal(units_parse_duration("7", &ns), -1);
    assert_int_equal(units_parse_duration("1y", &ns), -1);
    assert_int_equal(units_parse_duration("999999999999d", &ns), -1);
}

static void test_parse_share(void **state)
{
    static const char *const bad[] = {"", "10", "%", "10 percent", "-1%", "100.1%", "5GiB", "10%%", "10 % "};
    uint64_t millionths = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(units_parse_share(bad[i], &millionths), -1);
    assert_int_equal(millionths, 7);
    assert_int_equal(units_parse_share("0%", &millionths), 0);
    assert_int_equal(millionths, 0);
    assert_int_equal(units_parse_share("2.5 %", &millionths), 0);
    assert_int_equal(millionths, 25000);
    assert_int_equal(units_parse_share("100%", &millionths), 0);
    assert_int_equal(millionths, 1000000);
}

static void test_exact_formats_read_back(void **state)
{
    static const struct {
        uint64_t value;
        const char *bytes;
        const char *duration;
    } cases[] = {{0, "0", "0"},
                 {1, "1B", "1ns"},
                 {1536ULL << 20, "1536MiB", "1610612736ns"},
                 {5000000000, "5GB", "5s"},
                 {36 * 3600 * NS_PER_S, "129600GB", "36h"},
                 {7 * NS_PER_DAY, "604800GB", "7d"},
                 {UINT64_MAX, "18446744073709551615B", "18446744073709551615ns"}};
    char out[UNITS_TEXT_MAX];
    uint64_t back;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(units_exact_bytes(out, cases[i].value), cases[i].bytes);
        assert_int_equal(units_parse_bytes(out, &back), 0);
        assert_true(back == cases[i].value);
        assert_string_equal(units_exact_duration(out, cases[i].value), cases[i].duration);
        assert_int_equal(units_parse_duration(out, &back), 0);
        assert_true(back == cases[i].value);
    }
}

static void test_formats(void **state)
{
    char out[UNITS_TEXT_MAX];

    (void)state;
    assert_string_equal(units_format_bytes(out, 0), "0 B");
    assert_string_equal(units_format_bytes(out, 1023), "1023 B");
    assert_string_equal(units_format_bytes(out, 1258291), "1.20 MiB");
    assert_string_equal(units_format_bytes(out, 1023 * 1024), "1.00 MiB");
    assert_string_equal(units_format_bytes(out, 8ULL << 30), "8.00 GiB");
    assert_string_equal(units_format_bytes(out, UINT64_MAX), "16.0 EiB");
    assert_string_equal(units_format_duration(out, 0), "0 ns");
    assert_string_equal(units_format_duration(out, 812 * NS_PER_MS), "812 ms");
    assert_string_equal(units_format_duration(out, 1500 * NS_PER_MS), "1.5 s");
    assert_string_equal(units_format_duration(out, 80 * NS_PER_S), "1 m 20 s");
    assert_string_equal(units_format_duration(out, 76 * 3600 * NS_PER_S), "3 d 4 h");
    assert_string_equal(units_format_count(out, 999), "999");
    assert_string_equal(units_format_count(out, 1234567), "1,234,567");
    assert_string_equal(units_format_count(out, UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(units_format_time(out, 1769860800123456789), "2026-01-31T12:00:00.123Z");
}

static void test_utf8_valid(void **state)
{
    static const char *const good[] = {"", "ascii", "\xc3\xa9", "\xed\x95\x9c", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {
        "\x80",     "\xc0\xaf", "\xc3", "\xed\xa0\x80", "\xe0\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xe2\x82", "a\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(utf8_valid(slice_of_text(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(utf8_valid(slice_of_text(bad[i])));
    assert_true(utf8_valid(slice_of("a\0b", 3)));
    assert_true(utf8_valid(slice_of(NULL, 0)));
}

/* Expected values are those of Python's bytes.decode("utf-8", errors="replace"). */
static void test_utf8_repair(void **state)
{
#define R "\xef\xbf\xbd"
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"ok \xed\x95\x9c", "ok \xed\x95\x9c"},
        {"\xff", R},
        {"a\xe2\x82z", "a" R "z"}, /* a truncated sequence is one */
        {"\xed\xa0\x80", R R R},   /* a surrogate is three */
        {"\xf0\x9f\x98", R},
        {"\xc0\xaf", R R},
        {"\xf0\x80\x80\x41", R R R "A"},
    };
    struct buf out;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_init(&out, 100);
        assert_int_equal(utf8_append_repaired(&out, slice_of_text(cases[i].in)), 0);
        assert_true(slice_equal(buf_slice(&out), slice_of_text(cases[i].out)));
        buf_fini(&out);
    }
    buf_init(&out, 2);
    assert_int_equal(utf8_append_repaired(&out, slice_of_text("a\xff")), -1);
    assert_int_equal(out.len, 0);
    buf_fini(&out);
#undef R
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex_round_trip_and_bad_digits),
        cmocka_unit_test(test_parse_bytes),
        cmocka_unit_test(test_parse_duration),
        cmocka_unit_test(test_parse_share),
        cmocka_unit_test(test_exact_formats_read_back),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_utf8_valid),
        cmocka_unit_test(test_utf8_repair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
