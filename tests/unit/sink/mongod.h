/*
 * mongod.h - a real mongod for a test: started on a free port in a directory of its own.
 *
 * TRACESPOOL_TEST_MONGOD names the binary, else `mongod` is looked for on
 * PATH.  The process dies with the test, whatever happens to it.
 */
#ifndef TRACESPOOL_TEST_MONGOD_H
#define TRACESPOOL_TEST_MONGOD_H

#include <mongoc/mongoc.h>

struct mongod;

/* `extra`: more arguments, NULL-terminated, or NULL.  NULL, with a line that says so, when there is no binary. */
struct mongod *mongod_start(const char *const *extra);

/* Ends the process and removes its directory.  NULL is allowed. */
void mongod_free(struct mongod *mongod);

/* Ends the process, or starts it again on the same port and data. */
void mongod_stop(struct mongod *mongod);
void mongod_restart(struct mongod *mongod);

/* "127.0.0.1:port" */
const char *mongod_host(const struct mongod *mongod);

/* Runs `command` (which it destroys) and returns the reply, to be destroyed; a failure fails the test. */
bson_t *mongod_command(struct mongod *mongod, const char *database, bson_t *command);

/* Whether there is a collection, or a view, of this name. */
bool mongod_has(struct mongod *mongod, const char *database, const char *name);

/* The next `times` commands of this name fail with `code` before they do anything. */
void mongod_fail_next(struct mongod *mongod, const char *command, int times, int code);

#endif
