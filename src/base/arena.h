/*
 * arena.h - memory for one piece of work, given back all at once.
 *
 * Not thread-safe: an arena belongs to the thread that uses it.
 */
#ifndef TRACESPOOL_ARENA_H
#define TRACESPOOL_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t max_bytes;           /* bound on the sum of chunks */
    size_t held_bytes;          /* sum of chunks */
    size_t used_bytes;          /* handed out since the last reset, with padding */
};

/* No memory is taken before the first allocation. */
void arena_init(struct arena *arena, size_t max_bytes);
void arena_fini(struct arena *arena);

/*
 * `size` bytes aligned to 16, not zeroed; valid until the next reset.
 * NULL if the bound would be passed or memory is short.  Size 0 gives a
 * pointer that must not be dereferenced.
 */
void *arena_alloc(struct arena *arena, size_t size);

/* The same, zeroed, for `count` items; NULL also when count * size overflows. */
void *arena_calloc(struct arena *arena, size_t count, size_t size);

/* Forgets every allocation.  Keeps up to `keep_bytes` of memory for reuse. */
void arena_reset(struct arena *arena, size_t keep_bytes);

#endif
