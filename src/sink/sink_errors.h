/*
 * sink_errors.h - MongoDB's and the driver's errors as few meanings.  Pure.
 */
#ifndef TRACESPOOL_SINK_ERRORS_H
#define TRACESPOOL_SINK_ERRORS_H

#include <mongoc/mongoc.h>

#include "err.h"

enum sink_error {
    SINK_ERROR_UNKNOWN,       /* not in the table: sent again for a while, then taken apart; never dropped */
    SINK_ERROR_TRANSIENT,     /* network, election, restart: the outcome is unknown */
    SINK_ERROR_OVERLOAD,      /* the same, later */
    SINK_ERROR_NOT_DURABLE,   /* applied, but a majority has not confirmed it */
    SINK_ERROR_CONFIGURATION, /* a person has to act */
    SINK_ERROR_STORAGE,       /* MongoDB has no room: a person has to act, and meanwhile it is tried again */
    SINK_ERROR_STALE,         /* the collection has to be made again */
    SINK_ERROR_DUPLICATE,     /* a unique index has this key already */
    SINK_ERROR_POISON,        /* will never be taken as it is */
};

/* An entry of writeErrors. */
enum sink_error sink_errors_of_document(int code);

/* A command that failed as a whole; `reply` may be empty or NULL. */
enum sink_error sink_errors_of_command(const bson_error_t *error, const bson_t *reply);

/* An entry of writeConcernErrors: CONFIGURATION, or NOT_DURABLE whatever the code. */
enum sink_error sink_errors_of_write_concern(int code);

/* What the caller of the sink has to do (sink.h), or ERR_POISON. */
enum err_class sink_errors_class(enum sink_error meaning);

/* "Unauthorized", or "" when the code is not in the table. */
const char *sink_errors_code_name(int code);

/* Fills `err` with class, code and "<what it means>: <text> (code N Name)"; `code` is the server's.  Returns -1. */
int sink_errors_set(struct err *err, enum sink_error meaning, int code, const char *text);

/* The same for a command that failed as a whole.  Returns what it means. */
enum sink_error sink_errors_set_command(struct err *err, const bson_error_t *error, const bson_t *reply);

#endif
