/*
 * test_ctl_text.c - text of strangers: harmless, measured, cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctl_fixture.h"
#include "ctl_text.h"

static void assert_shown(const char *text, size_t len, unsigned max, const char *expected, unsigned columns)
{
    struct buf out;

    buf_init(&out, 4096);
    assert_int_equal(ctl_text_append(&out, slice_of(text, len), max), columns);
    assert_string_equal(fixture_text(&out), expected);
    buf_fini(&out);
}

#define SHOWN(text, max, expected, columns) assert_shown(text, sizeof(text) - 1, max, expected, columns)

static void test_append_plain_text_unchanged(void **state)
{
    (void)state;
    SHOWN("GET /order/{id}", 40, "GET /order/{id}", 15);
    SHOWN("", 40, "", 0);
    SHOWN("exact", 5, "exact", 5);
}

static void test_append_hangul_takes_two_columns(void **state)
{
    (void)state;
    SHOWN("주문 조회", 40, "주문 조회", 9);
    SHOWN("주문 조회", 9, "주문 조회", 9);
    /* A cut must not split a character of two columns: 주(2)문(2) leaves one of five for the ellipsis. */
    SHOWN("주문조회", 5, "주문…", 5);
    SHOWN("주문조회", 6, "주문…", 5);
}

static void test_append_longer_text_ends_with_ellipsis(void **state)
{
    (void)state;
    SHOWN("abcdef", 5, "abcd…", 5);
    SHOWN("abcdef", 1, "…", 1);
    SHOWN("abcdef", 0, "", 0);
}

static void test_append_control_characters_become_escapes(void **state)
{
    (void)state;
    SHOWN("\033[2J\033]0;gone\007", CTL_TEXT_WHOLE, "\\x1b[2J\\x1b]0;gone\\x07", 22);
    SHOWN("a\nb\tc\rd", CTL_TEXT_WHOLE, "a\\nb\\tc\\rd", 10);
    SHOWN("nul\0here\177", CTL_TEXT_WHOLE, "nul\\x00here\\x7f", 15);
    /* C1: CSI in one character. */
    SHOWN("\302\2332J", CTL_TEXT_WHOLE, "\\u009b2J", 8);
}

static void test_append_text_direction_becomes_escapes(void **state)
{
    (void)state;
    SHOWN("a\342\200\256b", CTL_TEXT_WHOLE, "a\\u202eb", 8);
    SHOWN("a\342\201\246b", CTL_TEXT_WHOLE, "a\\u2066b", 8);
    SHOWN("a\357\273\277b", CTL_TEXT_WHOLE, "a\\ufeffb", 8);
}

static void test_append_ill_formed_bytes_become_replacements(void **state)
{
    (void)state;
    SHOWN("a\377b", CTL_TEXT_WHOLE, "a\357\277\275b", 3);
    SHOWN("\360\237\230", CTL_TEXT_WHOLE, "\357\277\275\357\277\275\357\277\275", 3); /* cut inside of a character */
    SHOWN("\355\240\200", CTL_TEXT_WHOLE, "\357\277\275\357\277\275\357\277\275", 3); /* a surrogate */
}

static void test_append_combining_marks_are_bounded(void **state)
{
    (void)state;
    SHOWN("e\314\201", CTL_TEXT_WHOLE, "e\314\201", 1);
    SHOWN("e\314\201\314\201\314\201\314\201\314\201\314\201f", CTL_TEXT_WHOLE, "e\314\201\314\201\314\201\314\201f",
          2);
}

static void test_pad_fills_and_cuts_to_columns(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    ctl_text_pad(&out, slice_of_text("한"), 4);
    buf_text(&out, "|");
    ctl_text_pad(&out, slice_of_text("한글이름"), 4);
    buf_text(&out, "|");
    assert_string_equal(fixture_text(&out), "한  |한… |");
    buf_fini(&out);
}

static void test_wrap_breaks_at_spaces(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    ctl_text_wrap(&out, slice_of_text("한글 세 낱말 and a-word-longer-than-the-line x\033"), 2, 12);
    assert_string_equal(fixture_text(&out), "한글 세\n  낱말 and\n  a-word-longer-than-the-line\n  x\\x1b");
    buf_fini(&out);
}

static void assert_duration(uint64_t ns, const char *expected)
{
    struct buf out;

    buf_init(&out, 100);
    ctl_text_duration(&out, ns);
    assert_string_equal(fixture_text(&out), expected);
    buf_fini(&out);
}

static void test_duration_has_three_digits(void **state)
{
    (void)state;
    assert_duration(0, "0 ns");
    assert_duration(999, "999 ns");
    assert_duration(1000, "1.00 µs");
    assert_duration(12345, "12.3 µs");
    assert_duration(999999, "999 µs"); /* never 1000 µs */
    assert_duration(4567000, "4.56 ms");
    assert_duration(59999999999, "59.9 s");
    assert_duration(60000000000, "1 m 0 s");
    assert_duration(UINT64_MAX, "213503 d 23 h");
}

static void assert_span_duration(uint64_t start, uint64_t end, const char *expected)
{
    struct buf out;

    buf_init(&out, 100);
    ctl_text_span_duration(&out, start, end, 9);
    assert_string_equal(fixture_text(&out), expected);
    buf_fini(&out);
}

static void test_span_duration_names_what_is_wrong(void **state)
{
    (void)state;
    assert_span_duration(5, 2005, "  2.00 µs");
    assert_span_duration(0, 0, " no start");
    assert_span_duration(0, 7, " no start");
    assert_span_duration(7, 0, "   no end");
    assert_span_duration(7, 6, "end<start");
    assert_span_duration(1, UINT64_MAX, "213503 d…");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_plain_text_unchanged),
        cmocka_unit_test(test_append_hangul_takes_two_columns),
        cmocka_unit_test(test_append_longer_text_ends_with_ellipsis),
        cmocka_unit_test(test_append_control_characters_become_escapes),
        cmocka_unit_test(test_append_text_direction_becomes_escapes),
        cmocka_unit_test(test_append_ill_formed_bytes_become_replacements),
        cmocka_unit_test(test_append_combining_marks_are_bounded),
        cmocka_unit_test(test_pad_fills_and_cuts_to_columns),
        cmocka_unit_test(test_wrap_breaks_at_spaces),
        cmocka_unit_test(test_duration_has_three_digits),
        cmocka_unit_test(test_span_duration_names_what_is_wrong),
    };

    ctl_text_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
