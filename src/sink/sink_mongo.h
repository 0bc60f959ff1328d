/*
 * sink_mongo.h - MongoDB as the sink, and reading a trace back from it.
 *
 * docs/mongodb.md has the documents, the collections and the indexes.
 */
#ifndef TRACESPOOL_SINK_MONGO_H
#define TRACESPOOL_SINK_MONGO_H

#include <stdbool.h>
#include <stdint.h>

#include "sink.h"
#include "slice.h"

struct sink_mongo_options {
    const char *uri; /* mongodb:// or mongodb+srv://; may hold a password: never logged */
    const char *database;
    const char *compressor; /* block compressor of new collections: "zstd", "snappy", "zlib", "none" */
    unsigned sessions;      /* threads that will open one; sizes the pool */

    uint64_t retention_ns; /* days that are older are dropped by upkeep; 0: never.  Moves where old starts are filed */
    uint64_t min_free_bytes;      /* of MongoDB's volume, below which nothing is written; 0: see the next */
    uint64_t min_free_millionths; /* the same as a share of the volume; 0: nothing has to be free */
    bool drop_oldest;             /* then the oldest day is dropped, and not only waited */
    bool shard;                   /* days are sharded where MongoDB is a sharded cluster */
    unsigned command_timeout_ms;  /* sink_mongo_shard_days: for one command; 0: as for the others */
};

/* Process-wide, before the first and after the last use of this folder.  Main's thread. */
void sink_mongo_init(void);
void sink_mongo_cleanup(void);

/*
 * Whether the driver takes the options; connects to nothing.  For a process that
 * has no sink: the process-wide part is done here.  0, or -1: ERR_CONFIG.
 */
int sink_mongo_check(const struct sink_mongo_options *options, struct err *err);

/* Checks the options and makes the pool; connects to nothing.  -1: ERR_CONFIG. */
int sink_mongo_new(struct sink **sink, const struct sink_mongo_options *options, struct err *err);

/*
 * Starts the thread that makes days ahead of need, drops old ones, looks at
 * indexes and at the room on MongoDB's volume.  Once, before the first
 * session.  Without it days are made as they are needed, and none goes.  -1:
 * ERR_RETRY.
 */
int sink_mongo_start_upkeep(struct sink *sink, struct err *err);

/* Tells that thread to end, so that sink_mongo_free need not wait for it as long. */
void sink_mongo_end_upkeep(struct sink *sink);

/* Brings what /metrics says of MongoDB up to now.  Any thread. */
void sink_mongo_refresh_metrics(struct sink *sink);

void sink_mongo_free(struct sink *sink); /* after every session is closed; NULL is allowed */

/* The URI with its password masked, for people; `out` is always terminated. */
void sink_mongo_mask_uri(char *out, size_t size, const char *uri);

/* --- reading a trace ------------------------------------------------------ */

/* One span as a reader of the documents sees it; slices are valid during the callback only. */
struct sink_mongo_span {
    uint8_t span_id[OTLP_SPAN_ID_BYTES];
    uint8_t parent_span_id[OTLP_SPAN_ID_BYTES];
    bool has_parent;
    struct slice service;
    struct slice name;
    int kind;
    int status_code;
    struct slice status_text;
    uint64_t start_unix_nano;
    uint64_t end_unix_nano;
    uint32_t event_count;
};

/*
 * Calls `visit` for every stored span of the trace, days newest first, each
 * span (same id and same content) once.  Returns 0, or -1: ERR_RETRY when
 * MongoDB does not answer within `timeout_ms`, ERR_CONFIG.
 */
int sink_mongo_find_trace(const struct sink_mongo_options *options, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                          unsigned timeout_ms, void (*visit)(void *context, const struct sink_mongo_span *span),
                          void *context, struct err *err);

/*
 * Calls `visit` with all that each document of the trace holds, as an
 * ExportTraceServiceRequest in protobuf of one resource (sink_restore.h), days
 * newest first; a span may be in several.  Documents that are not of our form
 * are counted in *foreign.  -1 as above, or when `visit` has returned -1.
 */
int sink_mongo_find_requests(const struct sink_mongo_options *options, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                             unsigned timeout_ms, int (*visit)(void *context, struct slice request, struct err *err),
                             void *context, uint64_t *foreign, struct err *err);

/* --- sharding the days that there are --------------------------------------- */

enum sink_mongo_sharding {
    SINK_MONGO_SHARDED,
    SINK_MONGO_SHARDED_BEFORE,
    SINK_MONGO_WOULD_SHARD,
    SINK_MONGO_NOT_SHARDED, /* it failed */
};

/*
 * Shards each day that is not sharded yet, newest first, and calls `visit` with
 * what came of it (`text`: why it failed, else NULL); `dry_run` only looks.  -1:
 * ERR_CONFIG when MongoDB is no sharded cluster or refuses to be asked; ERR_RETRY
 * when it does not answer, and the days that were not visited are as they were.
 */
int sink_mongo_shard_days(const struct sink_mongo_options *options, bool dry_run,
                          void (*visit)(void *context, const char *day, enum sink_mongo_sharding what,
                                        const char *text),
                          void *context, struct err *err);

/* Whether MongoDB answers a ping within `timeout_ms`: 0, or -1 with ERR_RETRY or ERR_CONFIG. */
int sink_mongo_ping(const struct sink_mongo_options *options, unsigned timeout_ms, struct err *err);

#endif
