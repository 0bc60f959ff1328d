/*
 * arena.c - a list of chunks, the newest of which is handed out from.
 *
 * Chunks double from ARENA_CHUNK_MIN up to ARENA_CHUNK_MAX so that a small
 * piece of work costs one malloc and a large one few; an allocation larger
 * than that gets a chunk of its own size.  A reset keeps the largest chunks
 * that fit the caller's allowance, so a thread that works through similar
 * requests stops calling malloc.
 */
#include "arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

#define ARENA_ALIGN 16
#define ARENA_CHUNK_MIN (64UL << 10)
#define ARENA_CHUNK_MAX (4UL << 20)

struct arena_chunk {
    struct arena_chunk *next;
    size_t capacity; /* bytes in data */
    size_t used;
    alignas(ARENA_ALIGN) unsigned char data[];
};

void arena_init(struct arena *arena, size_t max_bytes)
{
    *arena = (struct arena){.max_bytes = max_bytes};
}

void arena_fini(struct arena *arena)
{
    arena_reset(arena, 0);
}

static size_t next_capacity(const struct arena *arena, size_t needed)
{
    size_t capacity = arena->chunks == NULL ? ARENA_CHUNK_MIN : arena->chunks->capacity * 2;
    size_t left = arena->max_bytes - arena->held_bytes;

    if (capacity > ARENA_CHUNK_MAX)
        capacity = ARENA_CHUNK_MAX;
    if (capacity > left)
        capacity = left;
    return capacity < needed ? needed : capacity;
}

static bool add_chunk(struct arena *arena, size_t needed)
{
    struct arena_chunk *chunk;
    size_t capacity;

    if (needed > arena->max_bytes - arena->held_bytes)
        return false;
    if (fault_point("arena.grow") != 0)
        return false;
    capacity = next_capacity(arena, needed);
    chunk = malloc(sizeof(*chunk) + capacity);
    if (chunk == NULL)
        return false;
    chunk->capacity = capacity;
    chunk->used = 0;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->held_bytes += capacity;
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = arena->chunks;
    size_t padded = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    void *memory;

    if (padded < size)
        return NULL;
    if (chunk == NULL || padded > chunk->capacity - chunk->used) {
        if (!add_chunk(arena, padded))
            return NULL;
        chunk = arena->chunks;
    }
    memory = chunk->data + chunk->used;
    chunk->used += padded;
    arena->used_bytes += padded;
    return memory;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    void *memory;

    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    memory = arena_alloc(arena, total);
    if (memory != NULL)
        memset(memory, 0, total);
    return memory;
}

void arena_reset(struct arena *arena, size_t keep_bytes)
{
    struct arena_chunk *chunk = arena->chunks;
    struct arena_chunk *kept = NULL;

    arena->chunks = NULL;
    arena->held_bytes = 0;
    arena->used_bytes = 0;
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;

        /* One chunk is kept: the first found that fits, which is the newest and so among the largest. */
        if (kept == NULL && chunk->capacity <= keep_bytes) {
            kept = chunk;
            kept->next = NULL;
            kept->used = 0;
        } else {
            free(chunk);
        }
        chunk = next;
    }
    if (kept != NULL) {
        arena->chunks = kept;
        arena->held_bytes = kept->capacity;
    }
}
