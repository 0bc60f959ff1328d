/*
 * sink_mongo.c - the sink, its sessions and what is set once for all of them.
 *
 * sink_mongo_init, _new, _free and _cleanup belong to main's thread; a session
 * to the thread that opened it, which keeps its client for life.  Nothing here
 * touches the network: the driver's monitors connect on their own, and a
 * session finds out in its first write.
 */
#include "sink_mongo.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "sink_mongo_internal.h"
#include "sink_upkeep.h"

#define DATABASE_MAX 63 /* MongoDB's own bound on a database's name */

void sink_mongo_init(void)
{
    mongoc_log_set_handler(sink_uri_log, NULL);
    mongoc_init();
}

void sink_mongo_cleanup(void)
{
    mongoc_cleanup();
}

/*
 * Zeroed memory for a struct that has a bson_t as a member, which asks for an
 * alignment that calloc does not give.  For free().  NULL: there is none.
 */
static void *alloc_aligned(size_t size)
{
    void *memory = aligned_alloc(alignof(bson_t), size); /* a multiple of it, as every sizeof of such a struct is */

    return memory == NULL ? NULL : memset(memory, 0, size);
}

/* --- sessions ------------------------------------------------------------- */

static void close_session(struct sink_session *session)
{
    if (session == NULL)
        return;
    sink_pool_detach(&session->link);
    if (session->message != NULL)
        buf_fini(&session->message->bytes);
    free(session->message);
    free(session->placed);
    sink_ids_fini(&session->ids);
    sink_bson_fini(&session->bson);
    free(session);
}

static int open_session(struct sink *sink, struct sink_session **session, struct err *err)
{
    struct sink_mongo *mongo = (struct sink_mongo *)sink;
    struct sink_session *opened = calloc(1, sizeof(*opened));

    if (opened == NULL)
        return err_set(err, ERR_RETRY, 0, "no memory for a session");
    opened->link.mongo = mongo;
    sink_bson_init(&opened->bson);
    opened->message = alloc_aligned(sizeof(*opened->message));
    if (opened->message == NULL || fault_point("sink.open") != 0) {
        err_set(err, ERR_RETRY, 0, "no memory for a session");
        goto fail;
    }
    buf_init(&opened->message->bytes, SINK_MESSAGE_BYTES_MAX);
    if (sink_pool_attach(&opened->link, err) != 0)
        goto fail;
    *session = opened;
    return 0;

fail:
    close_session(opened);
    return -1;
}

static void watch(struct sink *sink, void (*told)(void *context, bool passable), void *context)
{
    sink_monitor_watch(&((struct sink_mongo *)sink)->monitor, told, context);
}

/* By OpenTelemetry's semantic conventions for databases; a write that goes to several days has no one collection. */
static void describe(struct sink *sink, const struct otlp_fragment *fragments, size_t count, struct tracing_span *span)
{
    const struct sink_mongo *mongo = (const struct sink_mongo *)sink;
    char name[SINK_DAY_NAME_MAX];
    uint32_t day;

    tracing_span_text(span, "db.system.name", "mongodb");
    tracing_span_text(span, "db.namespace", mongo->database);
    tracing_span_text(span, "db.operation.name", "insert");
    if (sink_write_day(mongo, fragments, count, &day))
        tracing_span_text(span, "db.collection.name", sink_day_name(name, day));
}

static const struct sink_ops ops = {
    .session_open = open_session,
    .session_close = close_session,
    .write = sink_write,
    .watch = watch,
    .describe = describe,
};

/* --- the sink ------------------------------------------------------------- */

static int check_options(const struct sink_mongo_options *options, struct err *err)
{
    static const char *const compressors[] = {"zstd", "snappy", "zlib", "none"};
    size_t len = strlen(options->database);

    if (len == 0 || len > DATABASE_MAX || strcspn(options->database, "/\\. \"$*<>:|?") != len)
        return err_set(err, ERR_CONFIG, 0, "\"%s\" cannot be the name of a database", options->database);
    for (size_t i = 0; i < sizeof(compressors) / sizeof(compressors[0]); i++)
        if (strcmp(options->compressor, compressors[i]) == 0)
            return 0;
    return err_set(err, ERR_CONFIG, 0, "\"%s\" is no block compressor: zstd, snappy, zlib, none", options->compressor);
}

static void make_options(struct sink_mongo *mongo, const mongoc_uri_t *uri)
{
    mongoc_write_concern_t *concern = mongoc_write_concern_new();

    mongoc_write_concern_set_w(concern, MONGOC_WRITE_CONCERN_W_MAJORITY);
    mongoc_write_concern_set_wtimeout_int64(
        concern, mongoc_uri_get_option_as_int32(uri, MONGOC_URI_WTIMEOUTMS, SINK_WRITE_TIMEOUT_MS));
    mongoc_write_concern_append(concern, &mongo->ddl_options);

    mongoc_write_concern_set_journal(concern, true);
    BSON_APPEND_BOOL(&mongo->insert_options, "ordered", false);
    BSON_APPEND_BOOL(&mongo->insert_options, "validate", false); /* sink_bson.c saw to it */
    mongoc_write_concern_append(concern, &mongo->insert_options);
    mongoc_write_concern_destroy(concern);
}

int sink_mongo_new(struct sink **sink, const struct sink_mongo_options *options, struct err *err)
{
    struct sink_mongo *mongo;
    mongoc_uri_t *uri;

    if (check_options(options, err) != 0 || sink_uri_parse(&uri, options->uri, err) != 0)
        return -1;
    mongo = alloc_aligned(sizeof(*mongo));
    if (mongo == NULL) {
        mongoc_uri_destroy(uri);
        return err_set(err, ERR_CONFIG, 0, "no memory for the sink");
    }
    mongo->sink.ops = &ops;
    mongo->uri = uri;
    mongo->links = options->sessions;
    mongo->retention_ns = options->retention_ns;
    mongo->min_free.bytes = options->min_free_bytes;
    mongo->min_free.millionths = options->min_free_millionths;
    mongo->drop_oldest = options->drop_oldest;
    mongo->shard = options->shard;
    pthread_mutex_init(&mongo->lock, NULL);
    sink_monitor_init(&mongo->monitor);
    bson_init(&mongo->insert_options);
    bson_init(&mongo->ddl_options);
    make_options(mongo, uri);
    mongo->database = strdup(options->database);
    mongo->compressor = strdup(options->compressor);
    if (mongo->database == NULL || mongo->compressor == NULL)
        err_set(err, ERR_CONFIG, 0, "no memory for the sink");
    else if (sink_pool_new(&mongo->pool, mongo, err) == 0)
        *sink = &mongo->sink;
    if (mongo->pool != NULL)
        return 0;
    sink_mongo_free(&mongo->sink);
    return -1;
}

int sink_mongo_start_upkeep(struct sink *sink, struct err *err)
{
    struct sink_mongo *mongo = (struct sink_mongo *)sink;

    mongo->links++;
    sink_pool_grow(mongo);
    return sink_upkeep_start(&mongo->upkeep, mongo, err);
}

void sink_mongo_end_upkeep(struct sink *sink)
{
    sink_upkeep_end(((struct sink_mongo *)sink)->upkeep);
}

void sink_mongo_refresh_metrics(struct sink *sink)
{
    sink_monitor_refresh(&((struct sink_mongo *)sink)->monitor);
}

void sink_mongo_free(struct sink *sink)
{
    struct sink_mongo *mongo = (struct sink_mongo *)sink;

    if (mongo == NULL)
        return;
    sink_upkeep_stop(mongo->upkeep);
    sink_pool_free(mongo->pool);
    mongoc_uri_destroy(mongo->uri);
    bson_destroy(&mongo->ddl_options);
    bson_destroy(&mongo->insert_options);
    sink_monitor_fini(&mongo->monitor);
    pthread_mutex_destroy(&mongo->lock);
    free(mongo->compressor);
    free(mongo->database);
    free(mongo);
}

int sink_mongo_check(const struct sink_mongo_options *options, struct err *err)
{
    struct sink *sink;
    int result;

    sink_mongo_init();
    result = sink_mongo_new(&sink, options, err);
    if (result == 0)
        sink_mongo_free(sink);
    sink_mongo_cleanup();
    return result;
}
