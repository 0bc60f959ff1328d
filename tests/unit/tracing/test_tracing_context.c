/*
 * test_tracing_context.c - traceparent: what W3C Trace Context takes and what
 * it does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tracing_context.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static struct tracing_context parse(const char *text)
{
    struct tracing_context context;

    memset(&context, 0xAA, sizeof(context));
    tracing_context_parse(&context, slice_of_text(text));
    return context;
}

static void test_parse_valid_gives_ids_and_flag(void **state)
{
    static const uint8_t span_id[] = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};
    struct tracing_context context = parse("00-" TRACE "-" SPAN "-01");

    (void)state;
    assert_true(context.is_valid);
    assert_true(context.is_sampled);
    assert_int_equal(context.trace_id[0], 0x0a);
    assert_int_equal(context.trace_id[15], 0x9c);
    assert_memory_equal(context.span_id, span_id, sizeof(span_id));
}

static void test_parse_looks_at_the_sampled_flag_only(void **state)
{
    (void)state;
    assert_true(parse("00-" TRACE "-" SPAN "-00").is_valid);
    assert_false(parse("00-" TRACE "-" SPAN "-00").is_sampled);
    assert_false(parse("00-" TRACE "-" SPAN "-02").is_sampled);
    assert_true(parse("00-" TRACE "-" SPAN "-03").is_sampled);
    assert_true(parse("00-" TRACE "-" SPAN "-ff").is_sampled);
}

static void test_parse_later_version_may_be_longer(void **state)
{
    (void)state;
    assert_true(parse("01-" TRACE "-" SPAN "-01").is_valid);
    assert_true(parse("cc-" TRACE "-" SPAN "-01-what-the-future-will-be-like").is_sampled);
    assert_false(parse("cc-" TRACE "-" SPAN "-01.what-the-future-will-not-be-like").is_valid);
}

static void test_parse_malformed_gives_none(void **state)
{
    static const char *const malformed[] = {
        "",
        "00",
        "00-" TRACE "-" SPAN,
        "00-" TRACE "-" SPAN "-",
        "00-" TRACE "-" SPAN "-1",
        "00-" TRACE "-" SPAN "-011",
        "00-" TRACE "-" SPAN "-01-",
        "00-" TRACE "-" SPAN "-01 ",
        " 00-" TRACE "-" SPAN "-01",
        "ff-" TRACE "-" SPAN "-01",
        "0-" TRACE "-" SPAN "-01",
        "0x-" TRACE "-" SPAN "-01",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "00-" TRACE "-" SPAN "_01",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
        "00-" TRACE "-B7AD6B7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319g-" SPAN "-01",
        "00-" TRACE "-b7ad6b716920333.-01",
        "00-" TRACE "-" SPAN "-0g",
        "00-0af7651916cd43dd8448eb211c80319-" SPAN "-01-",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        struct tracing_context context = parse(malformed[i]);

        if (context.is_valid || context.is_sampled)
            fail_msg("\"%s\" was taken", malformed[i]);
    }
}

static void test_format_is_read_back(void **state)
{
    struct tracing_context context = parse("00-" TRACE "-" SPAN "-01");
    char text[TRACING_PARENT_MAX];

    (void)state;
    assert_string_equal(tracing_context_format(text, &context), "00-" TRACE "-" SPAN "-01");
    context.is_sampled = false;
    assert_string_equal(tracing_context_format(text, &context), "00-" TRACE "-" SPAN "-00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_valid_gives_ids_and_flag),
        cmocka_unit_test(test_parse_looks_at_the_sampled_flag_only),
        cmocka_unit_test(test_parse_later_version_may_be_longer),
        cmocka_unit_test(test_parse_malformed_gives_none),
        cmocka_unit_test(test_format_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
