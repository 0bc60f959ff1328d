/*
 * otlp_fixture.h - what a test of src/otlp builds in: an arena and an error,
 * new for every test.
 */
#ifndef TRACESPOOL_TEST_OTLP_FIXTURE_H
#define TRACESPOOL_TEST_OTLP_FIXTURE_H

#include <string.h>

#include "arena.h"
#include "err.h"

/* A quarter is enough for each of these tests; one of memory that is short has an arena of its own. */
#define FIXTURE_ARENA_BYTES (64UL << 20)

static struct arena arena;
static struct err err;

/* cmocka's setup and teardown. */
static inline int fixture_set_up(void **state)
{
    (void)state;
    arena_init(&arena, FIXTURE_ARENA_BYTES);
    memset(&err, 0, sizeof(err));
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

#endif
