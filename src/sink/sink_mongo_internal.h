/*
 * sink_mongo_internal.h - what the files of the MongoDB sink share.
 */
#ifndef TRACESPOOL_SINK_MONGO_INTERNAL_H
#define TRACESPOOL_SINK_MONGO_INTERNAL_H

#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdint.h>

#include "sink_apart_known.h"
#include "sink_bson.h"
#include "sink_day.h"
#include "sink_ids.h"
#include "sink_index_notes.h"
#include "sink_indexes.h"
#include "sink_mongo.h"
#include "sink_monitor.h"
#include "sink_pool.h"
#include "sink_shard.h"
#include "sink_space.h"

/* The views. */
#define SINK_VIEW_TRACES "traces"
#define SINK_VIEW_SPANS "spans"

/* A day whose collection and indexes were there, so that they need not be asked for until `until_ns` (monotonic). */
struct sink_day_known {
    uint32_t day;
    bool sharded; /* in front of a cluster; false also when nobody wants to know */
    uint64_t until_ns;
};

/* Invariants: sink is the first member; known_count <= SINK_DAYS_KNOWN_MAX; no lock is held across network I/O. */
struct sink_mongo {
    struct sink sink;

    /* set once */
    mongoc_uri_t *uri;
    unsigned links; /* at most; grows once, when upkeep starts */
    char *database;
    char *compressor;
    bson_t insert_options; /* unordered, w: majority, j: true */
    bson_t ddl_options;    /* w: majority */
    uint64_t retention_ns; /* 0: for ever */
    struct sink_min_free min_free;
    bool drop_oldest;
    bool shard;
    struct sink_upkeep *upkeep; /* NULL unless it was started; main's thread */

    struct sink_monitor monitor; /* has its own lock */

    /* under lock */
    pthread_mutex_t lock;
    struct sink_pool *pool;       /* the newest */
    uint64_t unselected_since_ns; /* monotonic: no server could be selected since then; 0: one could */
    struct sink_day_known known[SINK_DAYS_KNOWN_MAX];
    size_t known_count;
    struct sink_apart_known apart;
    char views_trouble[ERR_TEXT_MAX]; /* why the views could not be kept the last time, or "" */
    struct sink_shard_trouble shard_trouble;
    struct sink_index_notes index_notes;
    struct sink_space space; /* of MongoDB's volume, as last measured */
};

/* One thread's way to the server. */
struct sink_link {
    struct sink_mongo *mongo;
    struct sink_pool *pool; /* whose client it has */
    mongoc_client_t *client;
};

/* Documents that wait for one insert command, as bytes one after another. */
struct sink_message {
    struct buf bytes;
    size_t count;
    size_t ends[SINK_MESSAGE_DOCUMENTS_MAX];
    struct sink_verdict *verdicts[SINK_MESSAGE_DOCUMENTS_MAX];
    bson_t views[SINK_MESSAGE_DOCUMENTS_MAX]; /* of bytes; made when it is sent, as bytes may move before */
    const bson_t *documents[SINK_MESSAGE_DOCUMENTS_MAX];
};

struct sink_placed {
    uint32_t day;
    uint32_t fragment;
    bool apart; /* it was taken apart before, and is not inserted */
};

/* What of one write goes to one day. */
struct sink_share {
    uint32_t day;
    struct sink_placed *placed; /* `count` of them; their numbers are indexes into the next two */
    size_t count;
    const struct otlp_fragment *fragments;
    struct sink_verdict *verdicts;
};

/* Owned by one thread. */
struct sink_session {
    struct sink_link link;
    struct sink_bson bson;
    struct sink_message *message;
    struct sink_placed *placed; /* the write in hand, by day */
    size_t placed_capacity;
    struct sink_ids ids; /* those that are asked for */
};

/* --- sink_uri.c ----------------------------------------------------------- */

/* Our defaults are in what comes back, for what the text leaves open.  -1: ERR_CONFIG; the text holds no secret. */
int sink_uri_parse(mongoc_uri_t **uri, const char *text, struct err *err);

/* The driver's log handler: off on a thread while it parses a text that holds a secret. */
void sink_uri_log(mongoc_log_level_t level, const char *domain, const char *message, void *context);

/* --- sink_collections.c, sink_views.c ------------------------------------- */

/*
 * The day's collection is there, with the indexes that it was made with, and
 * sharded where that is wanted; the views know it.  Of the last two it may also
 * be that it was logged why not.  -1: ERR_RETRY, ERR_OVERLOAD, ERR_CONFIG.
 */
int sink_collections_prepare(const struct sink_link *link, uint32_t day, struct err *err);

/* What is known of `day` may be wrong. */
void sink_collections_forget(struct sink_mongo *mongo, uint32_t day);

/* What is known of every day may be wrong.  Any thread. */
void sink_collections_forget_all(struct sink_mongo *mongo);

/*
 * Runs a command that makes or changes something.  0 also when another one
 * made it meanwhile (*existed).  -1: ERR_RETRY, ERR_CONFIG.
 */
int sink_collections_command(const struct sink_link *link, const bson_t *command, bool *existed, struct err *err);

/* The same of the database admin. */
int sink_collections_admin_command(const struct sink_link *link, const bson_t *command, struct err *err);

/* Makes the views join every day that there is.  -1: ERR_RETRY, ERR_CONFIG. */
int sink_views_update(const struct sink_link *link, struct err *err);

/* --- sink_read.c ---------------------------------------------------------- */

/* Every document of the trace, days newest first.  -1: ERR_RETRY, ERR_CONFIG, or what `visit` has filled in. */
int sink_read_documents(const struct sink_mongo_options *options, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                        unsigned timeout_ms, int (*visit)(void *context, const bson_t *document, struct err *err),
                        void *context, struct err *err);

/* --- sink_write.c --------------------------------------------------------- */

int sink_write(struct sink_session *session, const struct otlp_fragment *fragments, size_t count, bool apart,
               struct sink_verdict *verdicts, struct err *err);

/* The day of all fragments.  False: they are of several. */
bool sink_write_day(const struct sink_mongo *mongo, const struct otlp_fragment *fragments, size_t count, uint32_t *day);

#endif
