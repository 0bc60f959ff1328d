#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink_keys.h"

struct expectation {
    const char *original;
    const char *stored;
    bool named;
};

static int setup(void **state)
{
    struct arena *arena = malloc(sizeof(*arena));

    arena_init(arena, 256UL << 20);
    *state = arena;
    return 0;
}

static int teardown(void **state)
{
    arena_fini(*state);
    free(*state);
    return 0;
}

static void check_text(struct slice stored, const char *expected)
{
    assert_int_equal(stored.len, strlen(expected));
    assert_memory_equal(stored.data, expected, stored.len);
}

static void test_top_changes_what_the_rule_says(void **state)
{
    static const struct expectation rows[] = {
        {"http.request.method", "http_request_method", false},
        {"plain", "plain", false},
        {"한국.키", "한국_키", false},
        {"snake_case", "snake_case", true}, /* the rule would read it as snake.case */
        {"http.status_code", "http_status_code", true},
        {"snake.case", "snake_case_2", true}, /* taken */
        {"snake_case", "snake_case_3", true}, /* the same key again */
        {"", "_", true},
        {"", "__2", true},
        {"$where", "_where", true},
        {"a$b", "a$b", false},
        {".", "__3", true},
        {"plain", "plain_2", true},
        {"plain.2", "plain_2_2", true},
        {"100%", "100%", false},
    };
    struct sink_keys keys;

    assert_int_equal(sink_keys_init(&keys, *state, sizeof(rows) / sizeof(rows[0])), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice stored;
        bool named;

        assert_int_equal(sink_keys_top(&keys, slice_of_text(rows[i].original), &stored, &named), 0);
        check_text(stored, rows[i].stored);
        assert_int_equal(named, rows[i].named);
    }
}

static void test_top_replaces_nul(void **state)
{
    struct sink_keys keys;
    struct slice stored;
    bool named;

    assert_int_equal(sink_keys_init(&keys, *state, 1), 0);
    assert_int_equal(sink_keys_top(&keys, slice_of("a\0b", 3), &stored, &named), 0);
    check_text(stored, "a_b");
    assert_true(named);
}

static void test_nested_escapes_what_the_rule_says(void **state)
{
    static const struct expectation rows[] = {
        {"a.b", "a.b", false},    {"a_b", "a_b", false},         {"", "%", false},    {"", "%%#2", false},
        {"%", "%25", false},      {"$ref", "%24ref", false},     {"a$", "a$", false}, {"a.b", "a.b%#2", false},
        {"a.b", "a.b%#3", false}, {"a.b%#2", "a.b%25#2", false},
    };
    struct sink_keys keys;
    struct slice stored;

    assert_int_equal(sink_keys_init(&keys, *state, sizeof(rows) / sizeof(rows[0]) + 1), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(sink_keys_nested(&keys, slice_of_text(rows[i].original), &stored), 0);
        check_text(stored, rows[i].stored);
    }
    assert_int_equal(sink_keys_nested(&keys, slice_of("\0a", 2), &stored), 0);
    check_text(stored, "%00a");
}

/* A request with very many equal keys must not cost the square of their number. */
static void test_many_equal_keys_stay_linear(void **state)
{
    const size_t count = 300000;
    struct sink_keys top, nested;
    struct slice stored = {.len = 0};
    bool named;

    assert_int_equal(sink_keys_init(&top, *state, count), 0);
    assert_int_equal(sink_keys_init(&nested, *state, count), 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(sink_keys_top(&top, slice_of_text("k"), &stored, &named), 0);
        assert_int_equal(sink_keys_nested(&nested, slice_of_text("k"), &stored), 0);
    }
    check_text(stored, "k%#300000");
}

static void test_full_arena_fails(void **state)
{
    struct arena small;
    struct sink_keys keys;
    struct slice stored;
    bool named;
    char *key = calloc(1, 1UL << 20);

    (void)state;
    memset(key, '$', 1UL << 20);
    arena_init(&small, 128UL << 10);
    assert_int_equal(sink_keys_init(&keys, &small, 1UL << 20), -1);
    assert_int_equal(sink_keys_init(&keys, &small, 4), 0);
    assert_int_equal(sink_keys_top(&keys, slice_of(key, 1UL << 20), &stored, &named), -1);
    assert_int_equal(sink_keys_nested(&keys, slice_of(key, 1UL << 20), &stored), -1);
    arena_fini(&small);
    free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_top_changes_what_the_rule_says, setup, teardown),
        cmocka_unit_test_setup_teardown(test_top_replaces_nul, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nested_escapes_what_the_rule_says, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_equal_keys_stay_linear, setup, teardown),
        cmocka_unit_test(test_full_arena_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
