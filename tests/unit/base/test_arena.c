/* test_arena.c - alignment, the bound, reuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arena.h"
#include "fault.h"

static void test_alloc_is_aligned_and_apart(void **state)
{
    struct arena arena;
    unsigned char *last = NULL;

    (void)state;
    arena_init(&arena, 1 << 20);
    for (size_t size = 0; size < 300; size++) {
        unsigned char *memory = arena_alloc(&arena, size);

        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        memset(memory, (int)size, size);
        if (last != NULL && size > 1)
            assert_int_equal(last[size - 2], (unsigned char)(size - 1));
        last = memory;
    }
    arena_fini(&arena);
}

static void test_alloc_past_bound_is_null(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 100000);
    assert_null(arena_alloc(&arena, 100001));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_calloc(&arena, SIZE_MAX / 2, 3));
    assert_non_null(arena_alloc(&arena, 60000));
    assert_null(arena_alloc(&arena, 60000));
    assert_true(arena.held_bytes <= 100000);
    arena_fini(&arena);
}

static void test_many_chunks_hold_at_most_the_bound(void **state)
{
    struct arena arena;
    size_t total = 0;

    (void)state;
    arena_init(&arena, 10 << 20);
    while (arena_alloc(&arena, 5000) != NULL)
        total += 5000;
    assert_true(arena.held_bytes <= 10 << 20);
    assert_true(total > (10 << 20) * 9 / 10);
    arena_fini(&arena);
    assert_int_equal(arena.held_bytes, 0);
}

static void test_reset_keeps_one_chunk(void **state)
{
    struct arena arena;
    void *again;

    (void)state;
    arena_init(&arena, 64 << 20);
    for (unsigned i = 0; i < 1000; i++)
        assert_non_null(arena_alloc(&arena, 10000));
    arena_reset(&arena, 1 << 20);
    assert_int_equal(arena.used_bytes, 0);
    assert_in_range(arena.held_bytes, 1, 1 << 20);
    again = arena_calloc(&arena, 10, 10);
    assert_non_null(again);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(((char *)again)[i], 0);
    arena_reset(&arena, 0);
    assert_int_equal(arena.held_bytes, 0);
}

static void test_no_memory_is_null(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 20);
    fault_arm("arena.grow", 1, ENOMEM);
    assert_null(arena_alloc(&arena, 10));
    assert_non_null(arena_alloc(&arena, 10));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc_is_aligned_and_apart),
        cmocka_unit_test(test_alloc_past_bound_is_null),
        cmocka_unit_test(test_many_chunks_hold_at_most_the_bound),
        cmocka_unit_test(test_reset_keeps_one_chunk),
        cmocka_unit_test(test_no_memory_is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
