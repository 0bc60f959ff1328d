/*
 * test_ctl_shape.c - services by age: the buckets, the bound on services, the table and its JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "clock.h"
#include "ctl_fixture.h"
#include "ctl_shape.h"
#include "ctl_text.h"

#define MINUTE_NS (60 * NS_PER_S)

static int make(void **state)
{
    *state = ctl_shape_new(MINUTE_NS);
    assert_non_null(*state);
    return 0;
}

static int unmake(void **state)
{
    ctl_shape_free(*state);
    return 0;
}

static void add(struct ctl_shape *shape, const char *service, uint64_t age_ns, uint64_t amount)
{
    ctl_shape_add(shape, slice_of_text(service), age_ns, amount);
}

static void assert_ages(const struct ctl_shape_row *row, const char *expected)
{
    char text[512] = "";

    for (unsigned i = 0; i < CTL_SHAPE_BUCKETS; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%llu ", (unsigned long long)row->ages[i]);
    assert_string_equal(text, expected);
}

static void assert_name(const struct ctl_shape_row *row, const char *name)
{
    assert_true(slice_equal(row->name, slice_of_text(name)));
}

static void test_ages_double_and_a_bound_belongs_to_the_older(void **state)
{
    struct ctl_shape *shape = *state;

    add(shape, "a", 0, 1);
    add(shape, "a", MINUTE_NS - 1, 1);
    add(shape, "a", MINUTE_NS, 10);
    add(shape, "a", 2 * MINUTE_NS, 100);
    add(shape, "a", 512 * MINUTE_NS - 1, 1000);
    add(shape, "a", 512 * MINUTE_NS, 10000);
    add(shape, "a", UINT64_MAX, 10000);
    assert_ages(&shape->rows[0], "2 10 100 0 0 0 0 0 0 1000 20000 ");
    assert_ages(&shape->total, "2 10 100 0 0 0 0 0 0 1000 20000 ");
    assert_int_equal(shape->total.total, 21112);
}

static void test_the_most_stands_first_and_the_rest_together(void **state)
{
    struct ctl_shape *shape = *state;
    struct ctl_shape_row others;
    size_t shown;

    add(shape, "few", 0, 1);
    add(shape, "b", 0, 5);
    add(shape, "many", 0, 9);
    add(shape, "a", MINUTE_NS, 5);
    add(shape, "", 0, 2);
    ctl_shape_sort(shape, 2, &shown, &others);
    assert_int_equal(shown, 2);
    assert_name(&shape->rows[0], "many");
    assert_name(&shape->rows[1], "a");
    assert_name(&shape->rows[2], "b");
    assert_name(&shape->rows[3], "");
    assert_int_equal(others.total, 8);
    assert_ages(&others, "8 0 0 0 0 0 0 0 0 0 0 ");
    ctl_shape_sort(shape, UINT64_MAX, &shown, &others);
    assert_int_equal(shown, 5);
    assert_int_equal(others.total, 0);
}

static void test_a_batch_counts_once_for_a_service_and_once_in_all(void **state)
{
    struct ctl_shape *shape = *state;

    for (uint64_t batch = 1; batch <= 2; batch++) {
        ctl_shape_add_batch(shape, slice_of_text("a"), 0, batch);
        ctl_shape_add_batch(shape, slice_of_text("b"), 0, batch);
        ctl_shape_add_batch(shape, slice_of_text("a"), 0, batch);
    }
    assert_int_equal(shape->rows[0].total, 2);
    assert_int_equal(shape->rows[1].total, 2);
    assert_int_equal(shape->total.total, 2);
}

static void test_services_past_the_bound_are_others(void **state)
{
    struct ctl_shape *shape = *state;
    struct ctl_shape_row others;
    char name[32];
    size_t shown;

    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < CTL_SHAPE_SERVICES_MAX + 7; i++) {
            snprintf(name, sizeof(name), "service-%u", i);
            add(shape, name, 0, 1);
        }
    }
    assert_int_equal(shape->count, CTL_SHAPE_SERVICES_MAX);
    ctl_shape_sort(shape, UINT64_MAX, &shown, &others);
    assert_int_equal(shown, CTL_SHAPE_SERVICES_MAX);
    assert_int_equal(shape->rows[shown - 1].total, 2);
    assert_int_equal(others.total, 14);
    assert_int_equal(shape->total.total, 2 * (CTL_SHAPE_SERVICES_MAX + 7));
}

static void test_names_past_the_bound_are_others(void **state)
{
    struct ctl_shape *shape = *state;
    struct ctl_shape_row others;
    char *name = malloc(CTL_SHAPE_NAMES_BYTES + 1);
    size_t shown;

    assert_non_null(name);
    memset(name, 'x', CTL_SHAPE_NAMES_BYTES + 1);
    ctl_shape_add(shape, slice_of(name, CTL_SHAPE_NAMES_BYTES + 1), 0, 3);
    add(shape, "a", 0, 1);
    ctl_shape_sort(shape, UINT64_MAX, &shown, &others);
    assert_int_equal(shown, 1);
    assert_int_equal(others.total, 3);
    free(name);
}

static struct ctl_shape_page page_of(struct ctl_shape *shape, const char *unit, uint64_t limit, unsigned width)
{
    struct ctl_shape_page page = {.shape = shape, .unit = unit, .width = width};

    ctl_shape_sort(shape, limit, &page.shown, &page.others);
    return page;
}

static void test_table_is_as_wide_as_its_numbers(void **state)
{
    struct ctl_shape *shape = *state;
    struct buf out;

    buf_init(&out, 1UL << 20);
    add(shape, "order", 0, 1234567);
    add(shape, "이상한 서비스", 3 * MINUTE_NS, 5);
    add(shape, "", UINT64_MAX, 4);
    add(shape, "z\033[31m", 0, 1);
    struct ctl_shape_page page = page_of(shape, "spans", 3, 100);
    ctl_shape_print(&page, &out);
    assert_string_equal(fixture_text(&out),
                        "SERVICE              TOTAL       1m  2m  4m  8m  16m  32m  64m  128m  256m  512m  older\n"
                        "TOTAL              1234577  1234568   0   5   0    0    0    0     0     0     0      4\n"
                        "order              1234567  1234567   0   0   0    0    0    0     0     0     0      0\n"
                        "이상한 서비스            5        0   0   5   0    0    0    0     0     0     0      0\n"
                        "(no service.name)        4        0   0   0   0    0    0    0     0     0     0      4\n"
                        "(others)                 1        1   0   0   0    0    0    0     0     0     0      0\n");
    buf_fini(&out);
}

static void test_table_cuts_names_for_a_narrow_terminal(void **state)
{
    struct ctl_shape *shape = *state;
    struct buf out;

    buf_init(&out, 1UL << 20);
    add(shape, "a-service-with-a-long-name", 0, 2048);
    struct ctl_shape_page page = page_of(shape, "bytes", 1, 60);
    ctl_shape_print(&page, &out);
    assert_string_equal(fixture_text(&out),
                        "SERVICE          TOTAL        1m  2m  4m  8m  16m  32m  64m  128m  256m  512m  older\n"
                        "TOTAL         2.00 KiB  2.00 KiB   0   0   0    0    0    0     0     0     0      0\n"
                        "a-service-w…  2.00 KiB  2.00 KiB   0   0   0    0    0    0     0     0     0      0\n");
    buf_fini(&out);
}

static void assert_head(uint64_t bucket_ns, const char *expected)
{
    struct ctl_shape *shape = ctl_shape_new(bucket_ns);
    struct buf out;

    assert_non_null(shape);
    buf_init(&out, 1UL << 20);
    struct ctl_shape_page page = page_of(shape, "spans", 1, 100);
    ctl_shape_print(&page, &out);
    *strchr(fixture_text(&out), '\n') = '\0';
    assert_string_equal((const char *)out.data, expected);
    buf_fini(&out);
    ctl_shape_free(shape);
}

static void test_heads_say_where_a_bucket_ends(void **state)
{
    (void)state;
    assert_head(5 * NS_PER_S, "SERVICE       TOTAL  5s  10s  20s  40s  80s  160s  320s  640s  1280s  2560s  older");
    assert_head(30 * NS_PER_S, "SERVICE       TOTAL  30s  1m  2m  4m  8m  16m  32m  64m  128m  256m  older");
    assert_head(3600 * NS_PER_S, "SERVICE       TOTAL  1h  2h  4h  8h  16h  32h  64h  128h  256h  512h  older");
    assert_head(250 * NS_PER_MS, "SERVICE       TOTAL  250ms  500ms  1s  2s  4s  8s  16s  32s  64s  128s  older");
}

static void test_json_is_a_line_a_row(void **state)
{
    struct ctl_shape *shape = *state;
    struct buf out;

    buf_init(&out, 1UL << 20);
    add(shape, "a\n", 0, 2);
    add(shape, "b", MINUTE_NS, 1);
    struct ctl_shape_page page = page_of(shape, "spans", 1, 100);
    ctl_shape_put(&page, &out);
#define NOTHING(seconds) ",{\"younger_than_seconds\":" seconds ",\"count\":0}"
#define SOME NOTHING("240") NOTHING("480") NOTHING("960") NOTHING("1920")
#define REST SOME NOTHING("3840") NOTHING("7680") NOTHING("15360") NOTHING("30720") NOTHING("null") "]}\n"
    assert_string_equal(fixture_text(&out),
                        "{\"row\":\"total\",\"service\":null,\"unit\":\"spans\",\"total\":3,\"ages\":["
                        "{\"younger_than_seconds\":60,\"count\":2},{\"younger_than_seconds\":120,\"count\":1}" REST
                        "{\"row\":\"service\",\"service\":\"a\\n\",\"unit\":\"spans\",\"total\":2,\"ages\":["
                        "{\"younger_than_seconds\":60,\"count\":2}" NOTHING("120") REST
                        "{\"row\":\"others\",\"service\":null,\"unit\":\"spans\",\"total\":1,\"ages\":["
                        "{\"younger_than_seconds\":60,\"count\":0},{\"younger_than_seconds\":120,\"count\":1}" REST);
    buf_fini(&out);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ages_double_and_a_bound_belongs_to_the_older),
        TEST(test_the_most_stands_first_and_the_rest_together),
        TEST(test_a_batch_counts_once_for_a_service_and_once_in_all),
        TEST(test_services_past_the_bound_are_others),
        TEST(test_names_past_the_bound_are_others),
        TEST(test_table_is_as_wide_as_its_numbers),
        TEST(test_table_cuts_names_for_a_narrow_terminal),
        cmocka_unit_test(test_heads_say_where_a_bucket_ends),
        TEST(test_json_is_a_line_a_row),
    };

    ctl_text_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
