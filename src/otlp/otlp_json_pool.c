/*
 * otlp_json_pool.c - hands out one piece of memory from its start.
 *
 * A block that grows is moved to the end, unless it is there; nothing is given
 * back before all is.
 */
#include "otlp_json_pool.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

/* Buffers start at 2 KiB each, the stack of levels grows in steps of 128 bytes; the rest is less. */
#define SMALL_BYTES (32UL << 10)

/* A buffer ends below twice what it holds, and all its sizes before together take as much again. */
#define GROWTH 4

#define ALIGNMENT alignof(max_align_t)

struct block {
    alignas(max_align_t) size_t size;
};

static void *take(void *context, size_t size)
{
    struct otlp_json_pool *pool = context;
    size_t padded = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    struct block *block = (struct block *)(pool->memory + pool->used);

    assert(padded >= size && pool->size - pool->used >= sizeof(*block) &&
           padded <= pool->size - pool->used - sizeof(*block)); /* what yajl takes is known */
    block->size = padded;
    pool->last = pool->used;
    pool->used += sizeof(*block) + padded;
    return block + 1;
}

static void *take_more(void *context, void *memory, size_t size)
{
    struct otlp_json_pool *pool = context;
    struct block *block = memory;
    void *larger;

    if (memory == NULL)
        return take(pool, size);
    block--;
    if (size <= block->size)
        return memory;
    if ((uint8_t *)block == pool->memory + pool->last) {
        pool->used = pool->last;
        return take(pool, size);
    }
    larger = take(pool, size);
    memcpy(larger, memory, block->size);
    return larger;
}

static void give_back(void *context, void *memory)
{
    (void)context;
    (void)memory;
}

int otlp_json_pool_init(struct otlp_json_pool *pool, size_t len, yajl_alloc_funcs *functions)
{
    *pool = (struct otlp_json_pool){.size = 0};
    if (fault_point("otlp_json.pool") != 0 || len > (SIZE_MAX - SMALL_BYTES) / GROWTH)
        return -1;
    pool->size = len * GROWTH + SMALL_BYTES;
    pool->memory = malloc(pool->size);
    *functions = (yajl_alloc_funcs){.malloc = take, .realloc = take_more, .free = give_back, .ctx = pool};
    return pool->memory == NULL ? -1 : 0;
}

void otlp_json_pool_fini(struct otlp_json_pool *pool)
{
    free(pool->memory);
}
