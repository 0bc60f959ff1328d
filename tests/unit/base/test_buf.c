/* test_buf.c - growth, the bound, the sticky failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "buf.h"
#include "fault.h"

static void test_append_grows_to_the_bound_exactly(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 1000);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(buf_append(&buf, "0123456789", 10), 0);
    assert_int_equal(buf.len, 1000);
    assert_int_equal(buf_append(&buf, "x", 1), -1);
    assert_true(buf.failed);
    assert_int_equal(buf.len, 1000);
    buf_clear(&buf);
    assert_false(buf.failed);
    assert_int_equal(buf_text(&buf, "again"), 0);
    assert_memory_equal(buf.data, "again", 5);
    buf_fini(&buf);
}

static void test_printf_past_bound_appends_nothing(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 8);
    assert_int_equal(buf_printf(&buf, "%d", 1234567), 0);
    assert_int_equal(buf_printf(&buf, "%s", "too long"), -1);
    assert_true(slice_equal(buf_slice(&buf), slice_of_text("1234567")));
    buf_fini(&buf);
}

static void test_no_memory_fails(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 1 << 20);
    fault_arm("buf.grow", 1, ENOMEM);
    assert_int_equal(buf_append(&buf, "x", 1), -1);
    assert_true(buf.failed);
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_grows_to_the_bound_exactly),
        cmocka_unit_test(test_printf_past_bound_appends_nothing),
        cmocka_unit_test(test_no_memory_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
