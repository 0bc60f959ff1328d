#include "opened.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants these before it */
#include <setjmp.h>

#include <cmocka.h>

struct mongod *mongod;

int opened_setup_with(const char *const *extra)
{
    sink_mongo_init();
    mongod = mongod_start(extra);
    return 0;
}

int opened_setup(void **state)
{
    (void)state;
    return opened_setup_with(NULL);
}

int opened_teardown(void **state)
{
    (void)state;
    mongod_free(mongod);
    sink_mongo_cleanup();
    return 0;
}

void opened_open(struct opened *opened, const char *host, const char *rest, const char *database)
{
    const struct sink_mongo_options options = {.compressor = "zstd", .sessions = 1};

    opened_open_with(opened, host, rest, database, &options);
}

void opened_open_with(struct opened *opened, const char *host, const char *rest, const char *database,
                      const struct sink_mongo_options *options)
{
    struct err err;

    snprintf(opened->uri, sizeof(opened->uri), "mongodb://%s/%s", host, rest);
    opened->apart = false;
    opened->options = *options;
    opened->options.uri = opened->uri;
    opened->options.database = database;
    if (sink_mongo_new(&opened->sink, &opened->options, &err) != 0 ||
        opened->sink->ops->session_open(opened->sink, &opened->session, &err) != 0)
        fail_msg("%s", err.text);
}

void opened_close(struct opened *opened)
{
    opened->sink->ops->session_close(opened->session);
    sink_mongo_free(opened->sink);
}

int opened_write(struct opened *opened, const struct request *request, struct sink_verdict *verdicts, struct err *err)
{
    return opened->sink->ops->write(opened->session, request->fragments, request->count, opened->apart, verdicts, err);
}

static int write_span(struct opened *opened, uint8_t trace, uint8_t id, uint64_t start_ns, struct sink_verdict *verdict,
                      struct err *err)
{
    struct made_span made;
    Otlp__Span *spans[] = {&made.span};
    struct request request;
    int result;

    make_span(&made, trace, id, 0, start_ns);
    request_of_spans(&request, "shop", spans, 1, REQUESTS_RECEIVED_NS);
    result = opened_write(opened, &request, verdict, err);
    request_free(&request);
    return result;
}

int opened_try_span(struct opened *opened, uint8_t id, struct err *err)
{
    struct sink_verdict verdict;

    return write_span(opened, 1, id, REQUESTS_RECEIVED_NS, &verdict, err);
}

void opened_write_span(struct opened *opened, uint8_t trace, uint8_t id, uint64_t start_ns, enum sink_outcome expected)
{
    struct sink_verdict verdict;
    struct err err;

    if (write_span(opened, trace, id, start_ns, &verdict, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(verdict.outcome, expected);
}

void check_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

int64_t count_documents(struct mongod *server, const char *database, const char *collection)
{
    bson_t *reply = mongod_command(server, database, BCON_NEW("count", BCON_UTF8(collection)));
    bson_iter_t at;
    int64_t count;

    assert_true(bson_iter_init_find(&at, reply, "n"));
    count = bson_iter_as_int64(&at);
    bson_destroy(reply);
    return count;
}
