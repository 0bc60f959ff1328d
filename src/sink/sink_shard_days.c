/*
 * sink_shard_days.c - shards the days that there are: for the command.
 *
 * Runs on the caller's thread with a client of its own, without background
 * threads; blocks on the network, for as long as a day's index takes.  Happy
 * path for each day: it is not sharded; the index for the shard key is made, as a
 * collection that holds documents has to have it before; shardCollection.  What is
 * refused of one day is told and the next one tried.  Each step may be done again.
 */
#include "sink_errors.h"
#include "sink_listing.h"

#define UNAUTHORIZED 13

/* 1; 0, also where the right to ask is missing; -1. */
static int is_sharded(const struct sink_link *link, const char *name, struct err *err)
{
    bson_t *command = BCON_NEW("collStats", BCON_UTF8(name));
    bson_error_t error;
    bson_t reply;
    bson_iter_t at;
    int result = 0;

    if (mongoc_client_command_simple(link->client, link->mongo->database, command, NULL, &reply, &error)) {
        result = bson_iter_init_find(&at, &reply, "sharded") && bson_iter_as_bool(&at);
    } else {
        sink_errors_set_command(err, &error, &reply);
        if (err->class != ERR_CONFIG || err->code != UNAUTHORIZED)
            result = err_prefix(err, "ask whether %s is sharded", name);
    }
    bson_destroy(&reply);
    bson_destroy(command);
    return result;
}

static int shard_one(const struct sink_link *link, uint32_t day, bool dry_run, enum sink_mongo_sharding *what,
                     struct err *err)
{
    char name[SINK_DAY_NAME_MAX];
    int was = is_sharded(link, sink_day_name(name, day), err);

    *what = SINK_MONGO_NOT_SHARDED;
    if (was < 0)
        return -1;
    if (!dry_run && !was && sink_indexes_make_hashed(link, day, err) != 0)
        return -1;
    /* Also when it is sharded: by another key is an error. */
    if (!dry_run && sink_shard_day(link, day, err) != 0)
        return -1;
    *what = was ? SINK_MONGO_SHARDED_BEFORE : dry_run ? SINK_MONGO_WOULD_SHARD : SINK_MONGO_SHARDED;
    return 0;
}

struct work {
    struct sink_link link;
    bool dry_run;
    void (*visit)(void *context, const char *day, enum sink_mongo_sharding what, const char *text);
    void *context;
};

static int shard_listed(const struct work *work, struct err *err)
{
    struct sink_listing listing;
    enum sink_mongo_sharding what;
    char name[SINK_DAY_NAME_MAX];
    int result = sink_listing_read(&work->link, &listing, err);

    for (size_t i = 0; result == 0 && i < listing.day_count; i++) {
        result = shard_one(&work->link, listing.days[i], work->dry_run, &what, err);
        if (result == 0 || err->class != ERR_RETRY) {
            work->visit(work->context, sink_day_name(name, listing.days[i]), what, result == 0 ? NULL : err->text);
            result = 0;
        }
    }
    sink_listing_free(&listing);
    return result;
}

static int shard_all(const struct work *work, struct err *err)
{
    int cluster = sink_shard_ask(&work->link, err);

    if (cluster < 0)
        return -1;
    if (cluster == 0)
        return err_set(err, ERR_CONFIG, 0, "it is no sharded cluster: mongodb.uri has to lead to a mongos");
    return shard_listed(work, err);
}

int sink_mongo_shard_days(const struct sink_mongo_options *options, bool dry_run,
                          void (*visit)(void *context, const char *day, enum sink_mongo_sharding what,
                                        const char *text),
                          void *context, struct err *err)
{
    struct work work = {.dry_run = dry_run, .visit = visit, .context = context};
    struct sink *sink;
    bson_error_t error;
    int result;

    if (sink_mongo_new(&sink, options, err) != 0)
        return -1;
    work.link.mongo = (struct sink_mongo *)sink;
    if (options->command_timeout_ms > 0)
        mongoc_uri_set_option_as_int32(work.link.mongo->uri, MONGOC_URI_SOCKETTIMEOUTMS,
                                       (int32_t)options->command_timeout_ms);
    work.link.client = mongoc_client_new_from_uri_with_error(work.link.mongo->uri, &error);
    if (work.link.client == NULL) {
        result = err_set(err, ERR_CONFIG, (int)error.code, "connection string: %s", error.message);
    } else {
        mongoc_client_set_error_api(work.link.client, MONGOC_ERROR_API_VERSION_2);
        result = shard_all(&work, err);
        mongoc_client_destroy(work.link.client);
    }
    sink_mongo_free(sink);
    return result;
}
