/* test_err.c - texts read from the outside in and are cut, never overrun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "err.h"

static void test_set_and_prefix(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(err_set(&err, ERR_BUSY, 28, "write %s", "data.mdb"), -1);
    assert_int_equal(err_prefix(&err, "spool %s", "/x"), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(err.code, 28);
    assert_string_equal(err.text, "spool /x: write data.mdb");
    assert_string_equal(err_class_name(err.class), "busy");
}

static void test_set_may_quote_its_own_text(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, ERR_RETRY, 0, "inner");
    err_set(&err, ERR_FATAL, 5, "outer (%s)", err.text);
    assert_string_equal(err.text, "outer (inner)");
}

static void test_long_texts_are_cut(void **state)
{
    char text[2 * ERR_TEXT_MAX];
    struct err err;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    err_set(&err, ERR_RETRY, 0, "%s", text);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    err_prefix(&err, "where");
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_memory_equal(err.text, "where: xxx", 10);
    assert_string_equal(err.text + ERR_TEXT_MAX - 4, "...");
}

static void test_null_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_RETRY, 0, "nobody asks"), -1);
    assert_int_equal(err_prefix(NULL, "nobody"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_prefix),
        cmocka_unit_test(test_set_may_quote_its_own_text),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_null_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
