/*
 * otlp_json_pool.h - all the memory that yajl takes for one text, at once.  For
 * this folder.
 *
 * yajl 2.1 does not look whether an allocation has failed.  What it needs has
 * a bound, though: a decoded string and the token that the text breaks off in,
 * each in a buffer that doubles, together no longer than the text; and a few
 * small things.  So memory is taken once, where failing is simple, and then
 * handed out without fail.
 */
#ifndef TRACESPOOL_OTLP_JSON_POOL_H
#define TRACESPOOL_OTLP_JSON_POOL_H

#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_common.h>

struct otlp_json_pool {
    uint8_t *memory;
    size_t size;
    size_t used;
    size_t last; /* the block that can grow where it is */
};

/* For a text of `len` bytes; fills `functions`, which use `pool` until it is given back. -1 out of memory. */
int otlp_json_pool_init(struct otlp_json_pool *pool, size_t len, yajl_alloc_funcs *functions);
void otlp_json_pool_fini(struct otlp_json_pool *pool);

#endif
