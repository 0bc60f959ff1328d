/*
 * sink_shard.c - asks what MongoDB is, and shards a day.
 *
 * Runs on the thread that owns the link and blocks on the network.  A trace is
 * whole on one shard, and so a fragment that comes again meets itself there: its
 * _id covers the trace id.  The hash spreads a new day over all shards at once,
 * where a range would begin on one.  shardCollection says "ok" to who asks again,
 * so several daemons may shard the same day at the same time.
 *
 * Delivery does not depend on it: an unsharded day takes everything on one shard
 * and can be sharded later.  But a day is best sharded while it is empty, so it
 * waits for what passes by itself, SINK_SHARD_WAIT_S at most.
 */
#include "sink_shard.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "sink_errors.h"
#include "sink_mongo_internal.h"

#define ILLEGAL_OPERATION 20 /* before 6.0 a database has to be enabled first */
#define INVALID_OPTIONS 72   /* there are documents, and no index on the hash */
#define NO_CLUSTER (-1)      /* in the place of a code */

/* --- asking --------------------------------------------------------------- */

int sink_shard_ask(const struct sink_link *link, struct err *err)
{
    bson_t *command = BCON_NEW("hello", BCON_INT32(1));
    bson_error_t error;
    bson_t reply;
    bson_iter_t at;
    int result = 0;

    if (!mongoc_client_command_simple(link->client, "admin", command, NULL, &reply, &error)) {
        sink_errors_set_command(err, &error, &reply);
        result = err_prefix(err, "ask MongoDB what it is");
    } else if (bson_iter_init_find(&at, &reply, "msg") && BSON_ITER_HOLDS_UTF8(&at)) {
        result = strcmp(bson_iter_utf8(&at, NULL), "isdbgrid") == 0;
    }
    bson_destroy(&reply);
    bson_destroy(command);
    return result;
}

/* --- sharding ------------------------------------------------------------- */

static int enable(const struct sink_link *link, struct err *err)
{
    bson_t *command = BCON_NEW("enableSharding", BCON_UTF8(link->mongo->database));
    int result = sink_collections_admin_command(link, command, err);

    bson_destroy(command);
    return result;
}

static int shard(const struct sink_link *link, const char *name, struct err *err)
{
    char *namespace = bson_strdup_printf("%s.%s", link->mongo->database, name);
    bson_t *command =
        BCON_NEW("shardCollection", BCON_UTF8(namespace), "key", "{", "traceId", BCON_UTF8("hashed"), "}");
    int result = sink_collections_admin_command(link, command, err);

    bson_destroy(command);
    bson_free(namespace);
    return result;
}

int sink_shard_day(const struct sink_link *link, uint32_t day, struct err *err)
{
    char name[SINK_DAY_NAME_MAX];
    int result = shard(link, sink_day_name(name, day), err);

    if (result != 0 && err->class == ERR_CONFIG && err->code == ILLEGAL_OPERATION && enable(link, err) == 0)
        result = shard(link, name, err);
    return result == 0 ? 0 : err_prefix(err, "shard %s", name);
}

/* --- for the daemon ------------------------------------------------------- */

/* A reason is told once, until it is another one; that documents are in the way, of each day but the ones before it. */
static bool is_new_trouble(struct sink_mongo *mongo, uint32_t day, int code)
{
    struct sink_shard_trouble *trouble = &mongo->shard_trouble;
    bool is_new;

    pthread_mutex_lock(&mongo->lock);
    is_new = trouble->code != code || (code == INVALID_OPTIONS && day > trouble->day);
    trouble->code = code;
    if (is_new)
        trouble->day = day;
    pthread_mutex_unlock(&mongo->lock);
    return is_new;
}

/* Whether what fails may pass soon enough to wait for it. */
static bool is_worth_waiting(struct sink_mongo *mongo, enum err_class class, uint64_t now_ns)
{
    struct sink_shard_trouble *trouble = &mongo->shard_trouble;
    bool passes = class == ERR_RETRY || class == ERR_OVERLOAD;
    bool is_worth;

    pthread_mutex_lock(&mongo->lock);
    if (!passes)
        trouble->since_ns = 0;
    else if (trouble->since_ns == 0)
        trouble->since_ns = now_ns;
    is_worth = passes && now_ns - trouble->since_ns < SINK_SHARD_WAIT_S * NS_PER_S;
    pthread_mutex_unlock(&mongo->lock);
    return is_worth;
}

/* That `day` could be sharded says nothing of the documents of another one. */
static void forget_trouble(struct sink_mongo *mongo, uint32_t day)
{
    struct sink_shard_trouble *trouble = &mongo->shard_trouble;

    pthread_mutex_lock(&mongo->lock);
    trouble->since_ns = 0;
    if (trouble->code != INVALID_OPTIONS || trouble->day == day)
        trouble->code = 0;
    pthread_mutex_unlock(&mongo->lock);
}

int sink_shard_wanted(const struct sink_link *link, struct err *err)
{
    int result = link->mongo->shard ? sink_shard_ask(link, err) : 0;

    if (result == 0 && link->mongo->shard && is_new_trouble(link->mongo, 0, NO_CLUSTER))
        log_warn("mongodb.shard_failed", "mongodb.shard has no effect: MongoDB is no sharded cluster (no mongos)");
    return result;
}

int sink_shard_keep(const struct sink_link *link, uint32_t day, bool *sharded, struct err *err)
{
    struct err failure = {0};

    *sharded = sink_shard_day(link, day, &failure) == 0;
    if (*sharded) {
        forget_trouble(link->mongo, day);
        return 0;
    }
    if (is_worth_waiting(link->mongo, failure.class, clock_mono_ns())) {
        *err = failure;
        return -1;
    }
    if (is_new_trouble(link->mongo, day, failure.code))
        log_warn("mongodb.shard_failed", "%s; traces are stored in it all the same%s", failure.text,
                 failure.code == INVALID_OPTIONS ? "; `tracespool shard` makes the index and shards it" : "");
    return 0;
}
