/*
 * ingest_pool.h - the requests that a load is made of.
 */
#ifndef TRACESPOOL_INGEST_POOL_H
#define TRACESPOOL_INGEST_POOL_H

#include "ingest_request.h"

#define INGEST_POOL_REQUESTS_MAX 4096

struct ingest_pool {
    struct ingest_source source;
    struct arena arena;
    struct ingest_request *requests;
    unsigned count;
};

/*
 * `count` requests of `spans` spans each, cut from the captures in `folder` at
 * places that are evenly apart, in an order that `seed` decides.  _fini in any
 * case.
 */
int ingest_pool_init(struct ingest_pool *pool, const char *folder, uint32_t spans, unsigned count, uint64_t seed,
                     struct err *err);
void ingest_pool_fini(struct ingest_pool *pool);

#endif
