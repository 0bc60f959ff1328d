/*
 * sink_space.c - dbStats tells the size of the volume and what is used of it.
 *
 * Measured by the thread of upkeep, read by the sessions under the lock.  A
 * mongod whose volume is full ends, and does not start again without room:
 * traces that wait in the spool are better off.  A mongos answers with sums, and
 * below `raw` with what each shard has said: there the fullest one decides, since
 * a trace goes to the shard that its id names, however much room others have.
 */
#include "sink_space.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "metrics.h"
#include "sink_errors.h"
#include "sink_mongo_internal.h"
#include "units.h"

#define MILLION 1000000U
#define UNAUTHORIZED 13

/* --- the rule ------------------------------------------------------------- */

uint64_t sink_space_needed(const struct sink_min_free *min_free, uint64_t total)
{
    return min_free->bytes + (uint64_t)((unsigned __int128)total * min_free->millionths / MILLION);
}

bool sink_space_is_full(bool was_full, uint64_t needed, uint64_t available)
{
    return available < (was_full ? needed + needed / SINK_SPACE_SLACK_SHARE : needed);
}

/* --- the state ------------------------------------------------------------ */

static void describe(char text[ERR_TEXT_MAX], const struct sink_min_free *min_free, const struct sink_volume *volume)
{
    char free_text[UNITS_TEXT_MAX], total_text[UNITS_TEXT_MAX], wanted[UNITS_TEXT_MAX];

    if (min_free->bytes > 0)
        units_format_bytes(wanted, min_free->bytes);
    else
        snprintf(wanted, sizeof(wanted), "%.3g %%", (double)min_free->millionths * 100 / MILLION);
    snprintf(text, ERR_TEXT_MAX, "MongoDB's volume%s%s has %s of %s (%.1f %%) free, mongodb.min_free asks for %s",
             volume->shard[0] == '\0' ? "" : " of shard ", volume->shard,
             units_format_bytes(free_text, volume->available), units_format_bytes(total_text, volume->total),
             (double)volume->available * 100 / (double)volume->total, wanted);
}

static void open_again(struct sink_mongo *mongo, const char *why)
{
    log_info("mongodb.space_again", "%s; delivery goes on", why);
    sink_monitor_tell(&mongo->monitor);
}

static void note_measured(struct sink_mongo *mongo, const struct sink_volume *volume)
{
    uint64_t needed = sink_space_needed(&mongo->min_free, volume->total);
    char text[ERR_TEXT_MAX];
    bool was_full, is_full;

    metrics_set(METRIC_MONGODB_AVAILABLE_BYTES, volume->available);
    metrics_set(METRIC_MONGODB_SIZE_BYTES, volume->total);
    describe(text, &mongo->min_free, volume);
    pthread_mutex_lock(&mongo->lock);
    was_full = mongo->space.is_full;
    is_full = mongo->space.is_full = sink_space_is_full(was_full, needed, volume->available);
    if (is_full && !was_full) /* and then the same words: a text that changes would be logged again and again */
        memcpy(mongo->space.text, text, sizeof(text));
    pthread_mutex_unlock(&mongo->lock);
    if (is_full && !was_full)
        log_warn("mongodb.space_low", "%s; delivery waits", text);
    if (was_full && !is_full)
        open_again(mongo, text);
}

static void note_absent(struct sink_mongo *mongo, const char *why)
{
    bool was_full;

    metrics_set(METRIC_MONGODB_AVAILABLE_BYTES, 0);
    metrics_set(METRIC_MONGODB_SIZE_BYTES, 0);
    pthread_mutex_lock(&mongo->lock);
    was_full = mongo->space.is_full;
    mongo->space.is_full = false;
    pthread_mutex_unlock(&mongo->lock);
    if (was_full)
        open_again(mongo, why);
}

int sink_space_check(struct sink_mongo *mongo, struct err *err)
{
    int result = 0;

    pthread_mutex_lock(&mongo->lock);
    if (mongo->space.is_full)
        result = err_set(err, ERR_FULL, 0, "%s", mongo->space.text);
    pthread_mutex_unlock(&mongo->lock);
    return result;
}

/* --- an answer ------------------------------------------------------------ */

static bool read_bytes(const bson_t *reply, const char *name, uint64_t *bytes)
{
    bson_iter_t at;
    double value;

    if (!bson_iter_init_find(&at, reply, name))
        return false;
    value = bson_iter_as_double(&at);
    *bytes = value > 0 ? (uint64_t)value : 0;
    return value >= 0;
}

static enum sink_space_measured read_volume(const bson_t *reply, struct sink_volume *volume, struct err *err)
{
    uint64_t used;

    *volume = (struct sink_volume){.shard = ""};
    if (!read_bytes(reply, "fsTotalSize", &volume->total) || !read_bytes(reply, "fsUsedSize", &used)) {
        err_set(err, ERR_CONFIG, 0, "the server does not tell it");
        return SINK_SPACE_ABSENT;
    }
    if (volume->total == 0) {
        err_set(err, ERR_RETRY, 0, "the server does not tell it before there is a collection");
        return SINK_SPACE_FAILED;
    }
    volume->available = used < volume->total ? volume->total - used : 0;
    return SINK_SPACE_MEASURED;
}

/* By the share of what is needed, as the rule has it: volumes may differ in size. */
static bool is_fuller(const struct sink_volume *a, const struct sink_volume *b, const struct sink_min_free *min_free)
{
    uint64_t needed_a = sink_space_needed(min_free, a->total), needed_b = sink_space_needed(min_free, b->total);

    if (needed_a == 0 || needed_b == 0)
        return a->available < b->available;
    return (unsigned __int128)a->available * needed_b < (unsigned __int128)b->available * needed_a;
}

/* A shard is called "name/host:port,host:port", or by its name alone. */
static void name_shard(struct sink_volume *volume, const char *key)
{
    snprintf(volume->shard, sizeof(volume->shard), "%.*s", (int)strcspn(key, "/"), key);
}

/* A shard that has nothing of the database yet does not tell, and is not written to either. */
static enum sink_space_measured read_shards(bson_iter_t *shard, const struct sink_min_free *min_free,
                                            struct sink_volume *fullest, struct err *err)
{
    enum sink_space_measured result = SINK_SPACE_FAILED, one;
    struct sink_volume volume;
    const uint8_t *data;
    uint32_t len;
    bson_t reply;

    err_set(err, ERR_RETRY, 0, "no shard tells it");
    while (bson_iter_next(shard)) {
        if (!BSON_ITER_HOLDS_DOCUMENT(shard))
            continue;
        bson_iter_document(shard, &len, &data);
        if (!bson_init_static(&reply, data, len))
            continue;
        one = read_volume(&reply, &volume, err);
        name_shard(&volume, bson_iter_key(shard));
        if (one == SINK_SPACE_MEASURED && (result != one || is_fuller(&volume, fullest, min_free)))
            *fullest = volume;
        if (result != SINK_SPACE_MEASURED)
            result = one;
    }
    return result;
}

enum sink_space_measured sink_space_read(const bson_t *reply, const struct sink_min_free *min_free,
                                         struct sink_volume *volume, struct err *err)
{
    bson_iter_t raw, shard;

    if (bson_iter_init_find(&raw, reply, "raw") && BSON_ITER_HOLDS_DOCUMENT(&raw) && bson_iter_recurse(&raw, &shard))
        return read_shards(&shard, min_free, volume, err);
    return read_volume(reply, volume, err);
}

/* --- asking --------------------------------------------------------------- */

static enum sink_space_measured ask(const struct sink_link *link, struct sink_volume *volume, struct err *err)
{
    bson_t *command = BCON_NEW("dbStats", BCON_INT32(1));
    enum sink_space_measured result;
    bson_error_t error;
    bson_t reply;

    if (!mongoc_client_command_simple(link->client, link->mongo->database, command, NULL, &reply, &error)) {
        sink_errors_set_command(err, &error, &reply);
        result = err->class == ERR_CONFIG && err->code == UNAUTHORIZED ? SINK_SPACE_ABSENT : SINK_SPACE_FAILED;
    } else {
        result = sink_space_read(&reply, &link->mongo->min_free, volume, err);
    }
    bson_destroy(&reply);
    bson_destroy(command);
    return result;
}

enum sink_space_measured sink_space_measure(const struct sink_link *link, struct err *err)
{
    struct sink_volume volume;
    enum sink_space_measured result = ask(link, &volume, err);

    if (result == SINK_SPACE_MEASURED) {
        note_measured(link->mongo, &volume);
        return result;
    }
    err_prefix(err, "free space of MongoDB's volume");
    if (result == SINK_SPACE_ABSENT)
        note_absent(link->mongo, err->text);
    return result;
}
