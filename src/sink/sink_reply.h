/*
 * sink_reply.h - what the answer to an insert command says about each document.  Pure.
 */
#ifndef TRACESPOOL_SINK_REPLY_H
#define TRACESPOOL_SINK_REPLY_H

#include <mongoc/mongoc.h>

#include "sink.h"

enum sink_reply {
    SINK_REPLY_VERDICTS, /* every verdict is filled */
    SINK_REPLY_SPLIT,    /* the command as a whole was refused, or its answer is not clear: ask in parts */
    SINK_REPLY_FAILED,   /* nothing may be concluded; `err` is ERR_RETRY or ERR_CONFIG */
};

/*
 * Reads the answer to an unordered, acknowledged insert of `count` documents:
 * `ok`, `reply` and `error` as mongoc_collection_insert_many gave them.  Fills
 * `err` unless it returns SINK_REPLY_VERDICTS.
 */
enum sink_reply sink_reply_read(bool ok, const bson_t *reply, const bson_error_t *error, size_t count,
                                struct sink_verdict *const *verdicts, struct err *err);

#endif
