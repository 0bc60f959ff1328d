/*
 * sink_pool.c - one pool after the other.
 *
 * A pool remembers the newest election that it has heard of, and takes no
 * primary of an older one for as long as it lives.  When MongoDB was put back
 * to a backup that primary is the right one, so a pool that finds no server is
 * replaced from time to time, and what it knew is forgotten.
 *
 * Any link's thread.  Links move to the newest pool at their next use; the last
 * one that leaves an older one destroys it.  No lock is held while a pool is
 * made or destroyed.
 */
#include "sink_pool.h"

#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "sink_mongo_internal.h"

struct sink_pool {
    mongoc_client_pool_t *clients;
    struct sink_monitor_tap tap;
    unsigned users; /* links that have a client of it; under the sink's lock */
};

/* On a monitor's thread.  A server that was away may have come back with another data folder. */
static void forget_days(void *context)
{
    sink_collections_forget_all(context);
}

int sink_pool_new(struct sink_pool **pool, struct sink_mongo *mongo, struct err *err)
{
    struct sink_pool *made = calloc(1, sizeof(*made));
    bson_error_t error;

    if (made == NULL)
        return err_set(err, ERR_CONFIG, 0, "no memory for the sink");
    made->clients = mongoc_client_pool_new_with_error(mongo->uri, &error);
    if (made->clients == NULL) {
        free(made);
        return err_set(err, ERR_CONFIG, (int)error.code, "connection string: %s", error.message);
    }
    mongoc_client_pool_set_error_api(made->clients, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_pool_max_size(made->clients, mongo->links);
    sink_monitor_attach(&made->tap, &mongo->monitor, made->clients, forget_days, mongo);
    *pool = made;
    return 0;
}

void sink_pool_free(struct sink_pool *pool)
{
    if (pool == NULL)
        return;
    sink_monitor_detach(&pool->tap);
    mongoc_client_pool_destroy(pool->clients);
    free(pool);
}

void sink_pool_grow(struct sink_mongo *mongo)
{
    mongoc_client_pool_max_size(mongo->pool->clients, mongo->links);
}

void sink_pool_detach(struct sink_link *link)
{
    struct sink_mongo *mongo = link->mongo;
    struct sink_pool *pool = link->pool;
    bool is_last;

    if (pool == NULL)
        return;
    if (link->client != NULL)
        mongoc_client_pool_push(pool->clients, link->client);
    link->client = NULL;
    link->pool = NULL;
    pthread_mutex_lock(&mongo->lock);
    pool->users--;
    is_last = pool->users == 0 && pool != mongo->pool;
    pthread_mutex_unlock(&mongo->lock);
    if (is_last)
        sink_pool_free(pool);
}

int sink_pool_attach(struct sink_link *link, struct err *err)
{
    struct sink_mongo *mongo = link->mongo;
    struct sink_pool *newest;
    bool is_there;

    pthread_mutex_lock(&mongo->lock);
    newest = mongo->pool;
    is_there = link->pool == newest;
    newest->users += !is_there;
    pthread_mutex_unlock(&mongo->lock);
    if (is_there)
        return 0;
    sink_pool_detach(link);
    link->pool = newest;
    link->client = mongoc_client_pool_try_pop(newest->clients);
    if (link->client != NULL)
        return 0;
    sink_pool_detach(link);
    return err_set(err, ERR_RETRY, 0, "every connection of the pool is in use");
}

/* Whether it is time for another pool; then the caller is the only one who makes it. */
static bool is_due(struct sink_mongo *mongo, bool selected, uint64_t now_ns)
{
    bool due = false;

    pthread_mutex_lock(&mongo->lock);
    if (selected) {
        mongo->unselected_since_ns = 0;
    } else if (mongo->unselected_since_ns == 0) {
        mongo->unselected_since_ns = now_ns;
    } else if (now_ns - mongo->unselected_since_ns >= SINK_RENEW_S * NS_PER_S) {
        mongo->unselected_since_ns = now_ns;
        due = true;
    }
    pthread_mutex_unlock(&mongo->lock);
    return due;
}

static void replace(struct sink_mongo *mongo, struct sink_pool *made)
{
    struct sink_pool *before;
    bool is_unused;

    pthread_mutex_lock(&mongo->lock);
    before = mongo->pool;
    mongo->pool = made;
    is_unused = before->users == 0; /* else the last of them destroys it */
    pthread_mutex_unlock(&mongo->lock);
    if (is_unused)
        sink_pool_free(before);
}

void sink_pool_note(struct sink_mongo *mongo, const struct err *failure)
{
    bool selected = failure == NULL || failure->code != MONGOC_ERROR_SERVER_SELECTION_FAILURE;
    struct sink_pool *made;
    struct err err;

    if (!is_due(mongo, selected, clock_mono_ns()))
        return;
    if (sink_pool_new(&made, mongo, &err) != 0) {
        log_warn("mongodb.pool_failed", "%s", err.text);
        return;
    }
    log_debug("mongodb.pool_renewed", "no server could be selected for %d s: the driver begins anew", SINK_RENEW_S);
    replace(mongo, made);
}
