/*
 * sink_read.c - the documents of a trace read back, and a ping: for the command.
 *
 * Runs on the caller's thread with a client of its own, which has no
 * background threads and is gone afterwards; blocks on the network until the
 * deadline.  Days are asked newest first, each through its index on traceId.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "hex.h"
#include "sink_errors.h"
#include "sink_mongo_internal.h"

#define TRACE_ID_TEXT_MAX (2 * OTLP_TRACE_ID_BYTES + 1)

/* --- connecting ----------------------------------------------------------- */

/* The timeout given here wins over the connection string's. */
static mongoc_client_t *connect_client(const struct sink_mongo_options *options, unsigned timeout_ms, struct err *err)
{
    static const char *const timeouts[] = {MONGOC_URI_CONNECTTIMEOUTMS, MONGOC_URI_SERVERSELECTIONTIMEOUTMS,
                                           MONGOC_URI_SOCKETTIMEOUTMS};
    mongoc_client_t *client;
    mongoc_uri_t *uri;
    bson_error_t error;

    if (sink_uri_parse(&uri, options->uri, err) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++)
        mongoc_uri_set_option_as_int32(uri, timeouts[i], (int32_t)timeout_ms);
    client = mongoc_client_new_from_uri_with_error(uri, &error);
    if (client == NULL)
        err_set(err, ERR_CONFIG, (int)error.code, "connection string: %s", error.message);
    else
        mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
    mongoc_uri_destroy(uri);
    return client;
}

/* A command that reads: no document can be at fault, an option or a name is. */
static int fail(struct err *err, const bson_error_t *error, const bson_t *reply)
{
    sink_errors_set_command(err, error, reply);
    if (err->class == ERR_POISON)
        err->class = ERR_CONFIG;
    return -1;
}

int sink_mongo_ping(const struct sink_mongo_options *options, unsigned timeout_ms, struct err *err)
{
    mongoc_client_t *client = connect_client(options, timeout_ms, err);
    bson_t *command;
    bson_t reply;
    bson_error_t error;
    int result = 0;

    if (client == NULL)
        return -1;
    command = BCON_NEW("ping", BCON_INT32(1));
    if (!mongoc_client_command_simple(client, options->database, command, NULL, &reply, &error))
        result = fail(err, &error, &reply);
    bson_destroy(&reply);
    bson_destroy(command);
    mongoc_client_destroy(client);
    return result;
}

/* --- days ----------------------------------------------------------------- */

struct search {
    mongoc_database_t *database;
    uint64_t deadline_ns;
    unsigned timeout_ms;
    char trace_id[TRACE_ID_TEXT_MAX];
    int (*visit)(void *context, const bson_t *document, struct err *err);
    void *context;
};

static int left_ms(const struct search *search, int64_t *ms, struct err *err)
{
    uint64_t now_ns = clock_mono_ns();

    if (now_ns >= search->deadline_ns)
        return err_set(err, ERR_RETRY, 0, "MongoDB did not answer within %u ms", search->timeout_ms);
    *ms = (int64_t)((search->deadline_ns - now_ns) / NS_PER_MS) + 1;
    return 0;
}

static int search_day(struct search *search, const char *day, struct err *err)
{
    mongoc_collection_t *collection;
    mongoc_cursor_t *cursor;
    bson_t *filter, *options;
    const bson_t *document;
    bson_error_t error;
    int64_t ms;
    int result = 0;

    if (left_ms(search, &ms, err) != 0)
        return -1;
    collection = mongoc_database_get_collection(search->database, day);
    filter = BCON_NEW("traceId", BCON_UTF8(search->trace_id));
    options = BCON_NEW("maxTimeMS", BCON_INT64(ms));
    cursor = mongoc_collection_find_with_opts(collection, filter, options, NULL);
    while (result == 0 && mongoc_cursor_next(cursor, &document))
        if (left_ms(search, &ms, err) != 0 || search->visit(search->context, document, err) != 0)
            result = -1;
    if (result == 0 && mongoc_cursor_error_document(cursor, &error, &document))
        result = fail(err, &error, document);
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    bson_destroy(filter);
    mongoc_collection_destroy(collection);
    return result == 0 ? 0 : err_prefix(err, "read %s", day);
}

static int newest_first(const void *a, const void *b)
{
    return strcmp(*(char *const *)b, *(char *const *)a);
}

static int search_days(struct search *search, struct err *err)
{
    bson_t *options = BCON_NEW("nameOnly", BCON_BOOL(true), "filter", "{", "name", "{", "$regex",
                               BCON_UTF8("^traces_[0-9]{8}$"), "}", "}");
    bson_error_t error;
    char **names = mongoc_database_get_collection_names_with_opts(search->database, options, &error);
    size_t count = 0;
    int result = 0;

    bson_destroy(options);
    if (names == NULL) {
        fail(err, &error, NULL);
        return err_prefix(err, "list collections");
    }
    while (names[count] != NULL)
        count++;
    qsort(names, count, sizeof(names[0]), newest_first);
    for (size_t i = 0; result == 0 && i < count; i++)
        result = search_day(search, names[i], err);
    bson_strfreev(names);
    return result;
}

int sink_read_documents(const struct sink_mongo_options *options, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                        unsigned timeout_ms, int (*visit)(void *context, const bson_t *document, struct err *err),
                        void *context, struct err *err)
{
    struct search search = {.deadline_ns = clock_mono_ns() + timeout_ms * NS_PER_MS,
                            .timeout_ms = timeout_ms,
                            .visit = visit,
                            .context = context};
    mongoc_client_t *client = connect_client(options, timeout_ms, err);
    int result;

    if (client == NULL)
        return -1;
    hex_encode(search.trace_id, trace_id, OTLP_TRACE_ID_BYTES);
    search.database = mongoc_client_get_database(client, options->database);
    result = search_days(&search, err);
    mongoc_database_destroy(search.database);
    mongoc_client_destroy(client);
    return result;
}
