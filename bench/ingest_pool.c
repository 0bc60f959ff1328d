/*
 * ingest_pool.c - cuts all requests of a load before the clock starts.
 *
 * They are shuffled: neighbours in the captures are of one service, and a load
 * of first large and then small requests would be two loads.
 */
#include "ingest_pool.h"

#include <errno.h>
#include <stdlib.h>

#define PLACES_BYTES_MAX (1UL << 30)

static void shuffle(struct ingest_pool *pool, uint64_t seed)
{
    for (unsigned left = pool->count; left > 1; left--) {
        unsigned chosen = (unsigned)(ingest_random(&seed) % left);
        struct ingest_request last = pool->requests[left - 1];

        pool->requests[left - 1] = pool->requests[chosen];
        pool->requests[chosen] = last;
    }
}

int ingest_pool_init(struct ingest_pool *pool, const char *folder, uint32_t spans, unsigned count, uint64_t seed,
                     struct err *err)
{
    *pool = (struct ingest_pool){.count = 0};
    arena_init(&pool->arena, PLACES_BYTES_MAX);
    if (ingest_source_init(&pool->source, folder, err) < 0)
        return -1;
    pool->requests = calloc(count, sizeof(*pool->requests));
    if (pool->requests == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory for %u requests", count);
    while (pool->count < count) {
        struct ingest_request *request = &pool->requests[pool->count];
        size_t first = pool->source.span_count * pool->count / count;

        pool->count++;
        if (ingest_request_init(request, &pool->source, first, spans, &pool->arena, err) < 0)
            return -1;
    }
    shuffle(pool, seed);
    return 0;
}

void ingest_pool_fini(struct ingest_pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++)
        ingest_request_fini(&pool->requests[i]);
    free(pool->requests);
    arena_fini(&pool->arena);
    ingest_source_fini(&pool->source);
}
