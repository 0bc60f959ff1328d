/* test_json.c - placement of commas, escapes, repair, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "json.h"

static void assert_json(struct buf *buf, const char *expected)
{
    assert_false(buf->failed);
    assert_int_equal(buf->len, strlen(expected));
    assert_memory_equal(buf->data, expected, buf->len);
    buf_fini(buf);
}

static void test_nesting_and_commas(void **state)
{
    struct buf buf;
    struct json json;

    (void)state;
    buf_init(&buf, 1000);
    json_init(&json, &buf);
    json_begin_object(&json);
    json_key(&json, "a");
    json_begin_array(&json);
    json_int(&json, -1);
    json_uint(&json, UINT64_MAX);
    json_begin_object(&json);
    json_end_object(&json);
    json_null(&json);
    json_end_array(&json);
    json_key(&json, "b");
    json_bool(&json, true);
    json_key(&json, "c");
    json_text(&json, NULL);
    json_end_object(&json);
    assert_json(&buf, "{\"a\":[-1,18446744073709551615,{},null],\"b\":true,\"c\":null}");
}

static void test_strings_are_escaped_and_repaired(void **state)
{
    static const char text[] = "q\"b\\\n\t\x01\0z\xff\xc3\xa9\xed\x95\x9c\x7f";
    struct buf buf;
    struct json json;

    (void)state;
    buf_init(&buf, 1000);
    json_init(&json, &buf);
    json_string(&json, slice_of(text, sizeof(text) - 1));
    assert_json(&buf, "\"q\\\"b\\\\\\n\\t\\u0001\\u0000z\xef\xbf\xbd\xc3\xa9\xed\x95\x9c\x7f\"");
}

static void test_doubles(void **state)
{
    struct buf buf;
    struct json json;

    (void)state;
    buf_init(&buf, 1000);
    json_init(&json, &buf);
    json_begin_array(&json);
    json_double(&json, 0.1);
    json_double(&json, NAN);
    json_double(&json, -INFINITY);
    json_double(&json, 1e300);
    json_double(&json, 0.32170269500000001);
    json_double(&json, -0.0);
    json_end_array(&json);
    assert_json(&buf, "[0.1,\"NaN\",\"-Infinity\",1e+300,0.321702695,-0.0]");
}

static void test_full_buffer_is_seen_at_the_end(void **state)
{
    struct buf buf;
    struct json json;

    (void)state;
    buf_init(&buf, 10);
    json_init(&json, &buf);
    json_begin_array(&json);
    json_text(&json, "does not fit");
    json_end_array(&json);
    assert_true(buf.failed);
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting_and_commas),
        cmocka_unit_test(test_strings_are_escaped_and_repaired),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_full_buffer_is_seen_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
