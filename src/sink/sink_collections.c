/*
 * sink_collections.c - a day's collection is there, with its compressor and
 * its indexes, before the first insert: an implicit creation has neither.
 *
 * Runs on the thread that owns the link and blocks on the network, bounded by the
 * driver's timeouts.  What is known is shared by all threads under the lock,
 * which is not held across I/O: two of them, or two daemons, may make the
 * same day at the same time, and each step allows for the other.
 *
 * In front of a sharded cluster, and if that is wanted, the day is sharded
 * (sink_shard.c) before its first insert too, while there is nothing to move.
 *
 * A day is asked for again every SINK_DAY_RECHECK_S, and after a server was
 * away: an operator may have dropped it, or a server come back with nothing, and
 * the next insert would make it without indexes.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "sink_errors.h"
#include "sink_mongo_internal.h"

#define NAMESPACE_EXISTS 48

/* --- what is known -------------------------------------------------------- */

static size_t find_known(const struct sink_mongo *mongo, uint32_t day)
{
    size_t i = 0;

    while (i < mongo->known_count && mongo->known[i].day != day)
        i++;
    return i;
}

static bool is_known(struct sink_mongo *mongo, uint32_t day, uint64_t now_ns)
{
    bool known;
    size_t i;

    pthread_mutex_lock(&mongo->lock);
    i = find_known(mongo, day);
    known = i < mongo->known_count && now_ns < mongo->known[i].until_ns;
    pthread_mutex_unlock(&mongo->lock);
    return known;
}

static bool was_sharded(struct sink_mongo *mongo, uint32_t day)
{
    bool was;
    size_t i;

    pthread_mutex_lock(&mongo->lock);
    i = find_known(mongo, day);
    was = i < mongo->known_count && mongo->known[i].sharded;
    pthread_mutex_unlock(&mongo->lock);
    return was;
}

static void set_known(struct sink_mongo *mongo, struct sink_day_known known)
{
    size_t i;

    pthread_mutex_lock(&mongo->lock);
    i = find_known(mongo, known.day);
    if (i == SINK_DAYS_KNOWN_MAX)
        i = mongo->known_count = 0; /* all of it can be asked for again */
    mongo->known[i] = known;
    if (i == mongo->known_count)
        mongo->known_count++;
    pthread_mutex_unlock(&mongo->lock);
}

void sink_collections_forget(struct sink_mongo *mongo, uint32_t day)
{
    size_t i;

    pthread_mutex_lock(&mongo->lock);
    i = find_known(mongo, day);
    if (i < mongo->known_count)
        mongo->known[i] = mongo->known[--mongo->known_count];
    pthread_mutex_unlock(&mongo->lock);
}

void sink_collections_forget_all(struct sink_mongo *mongo)
{
    pthread_mutex_lock(&mongo->lock);
    mongo->known_count = 0;
    pthread_mutex_unlock(&mongo->lock);
}

/* --- commands ------------------------------------------------------------- */

static int run(const struct sink_link *link, const char *database, const bson_t *command, bool *existed,
               struct err *err)
{
    bson_error_t error;
    bson_t reply;
    bool ok;

    if (fault_point("sink.make") != 0)
        return err_set(err, ERR_RETRY, 0, "fault at sink.make");
    ok = mongoc_client_write_command_with_opts(link->client, database, command, &link->mongo->ddl_options, &reply,
                                               &error);
    *existed = !ok && error.domain == MONGOC_ERROR_SERVER && error.code == NAMESPACE_EXISTS;
    if (!ok && !*existed) {
        sink_errors_set_command(err, &error, &reply);
        /* There is no document that could be at fault: an option, a name or a right is. */
        if (err->class == ERR_POISON)
            err->class = ERR_CONFIG;
    }
    bson_destroy(&reply);
    return ok || *existed ? 0 : -1;
}

int sink_collections_command(const struct sink_link *link, const bson_t *command, bool *existed, struct err *err)
{
    return run(link, link->mongo->database, command, existed, err);
}

int sink_collections_admin_command(const struct sink_link *link, const bson_t *command, struct err *err)
{
    bool existed;

    return run(link, "admin", command, &existed, err);
}

/* Whether there was none of that name, or one with the same options, is not told by every server: "ok" is for both. */
static int create_collection(const struct sink_link *link, const char *name, bool *existed, struct err *err)
{
    char config[64];
    bson_t *command;
    int result;

    snprintf(config, sizeof(config), "block_compressor=%s", link->mongo->compressor);
    command = BCON_NEW("create", BCON_UTF8(name), "storageEngine", "{", "wiredTiger", "{", "configString",
                       BCON_UTF8(config), "}", "}");
    result = sink_collections_command(link, command, existed, err);
    bson_destroy(command);
    return result == 0 ? 0 : err_prefix(err, "make collection %s", name);
}

/* Whether the text is another one than that of the last call. */
static bool is_new_trouble(struct sink_mongo *mongo, const char *text)
{
    bool is_new;

    pthread_mutex_lock(&mongo->lock);
    is_new = strcmp(mongo->views_trouble, text) != 0;
    snprintf(mongo->views_trouble, sizeof(mongo->views_trouble), "%s", text);
    pthread_mutex_unlock(&mongo->lock);
    return is_new;
}

/*
 * The views are for readers: when they cannot be kept (a right is missing, a
 * collection has the name), that is said once and traces go on being stored.
 * False: to be tried again soon.
 */
static bool update_views(const struct sink_link *link)
{
    struct err err = {0};

    if (sink_views_update(link, &err) == 0)
        err.text[0] = '\0';
    if (is_new_trouble(link->mongo, err.text) && err.text[0] != '\0')
        log_warn("mongodb.views_failed", "views of %s: %s", link->mongo->database, err.text);
    return err.text[0] == '\0' || err.class == ERR_CONFIG;
}

/* The collection with its indexes.  When it had none of ours, what was known of it was of another one. */
static int make(const struct sink_link *link, uint32_t day, struct err *err)
{
    char name[SINK_DAY_NAME_MAX];
    bool existed, fresh;

    sink_day_name(name, day);
    if (create_collection(link, name, &existed, err) != 0 || sink_indexes_keep(link, day, &fresh, err) != 0)
        return -1;
    if (fresh)
        sink_collections_forget(link->mongo, day);
    if (fresh && !existed)
        log_info("mongodb.collection_made", "made %s.%s, block compressor %s", link->mongo->database, name,
                 link->mongo->compressor);
    return 0;
}

int sink_collections_prepare(const struct sink_link *link, uint32_t day, struct err *err)
{
    struct sink_day_known known = {.day = day};
    uint64_t now_ns = clock_mono_ns();
    int cluster;
    bool done;

    if (is_known(link->mongo, day, now_ns))
        return 0;
    cluster = sink_shard_wanted(link, err);
    if (cluster < 0 || make(link, day, err) != 0)
        return -1;
    known.sharded = was_sharded(link->mongo, day);
    if (cluster > 0 && !known.sharded && sink_shard_keep(link, day, &known.sharded, err) != 0)
        return -1;
    done = update_views(link);
    known.until_ns = now_ns + (done ? SINK_DAY_RECHECK_S : SINK_VIEW_RETRY_S) * NS_PER_S;
    set_known(link->mongo, known);
    return 0;
}
