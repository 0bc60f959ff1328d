/*
 * opened.h - a session on a mongod, for the tests of the sink.
 */
#ifndef TRACESPOOL_TEST_OPENED_H
#define TRACESPOOL_TEST_OPENED_H

#include "mongod.h"
#include "requests.h"
#include "sink_mongo.h"

/* The day of REQUESTS_RECEIVED_NS. */
#define TODAY "traces_20261122"
#define DAY_NS (86400ULL * 1000000000ULL)

/* The mongod of a test program, made by its group's setup; NULL when there is no binary. */
extern struct mongod *mongod;

int opened_setup(void **state);
int opened_setup_with(const char *const *extra); /* arguments, as mongod_start takes them */
int opened_teardown(void **state);

/* How each test begins. */
#define NEED_MONGOD()                                                                                                  \
    do {                                                                                                               \
        (void)state;                                                                                                   \
        if (mongod == NULL)                                                                                            \
            skip();                                                                                                    \
    } while (0)

struct opened {
    struct sink *sink;
    struct sink_session *session;
    char uri[256];
    struct sink_mongo_options options; /* uri points into this struct */
    bool apart;                        /* of opened_write; false at first */
};

/* `rest` follows "mongodb://host/": "?socketTimeoutMS=500". */
void opened_open(struct opened *opened, const char *host, const char *rest, const char *database);
void opened_close(struct opened *opened);

/* The same with options of the caller's but for the URI and the database. */
void opened_open_with(struct opened *opened, const char *host, const char *rest, const char *database,
                      const struct sink_mongo_options *options);

/* Writes the request's fragments.  0 with verdicts (of the caller, count of them), or -1. */
int opened_write(struct opened *opened, const struct request *request, struct sink_verdict *verdicts, struct err *err);

/* The same of one made span of trace 1, today's, whatever its verdict. */
int opened_try_span(struct opened *opened, uint8_t id, struct err *err);

/* Writes one made span that is like no other of the same numbers; fails the test unless its outcome is `expected`. */
void opened_write_span(struct opened *opened, uint8_t trace, uint8_t id, uint64_t start_ns, enum sink_outcome expected);

void check_contains(const char *text, const char *part);

/* Documents in a collection. */
int64_t count_documents(struct mongod *server, const char *database, const char *collection);

#endif
