/*
 * sink_views.c - the views `traces` (all days) and `spans` (one document a span).
 *
 * Runs on the session's thread.  The view over the days is written from a
 * list of them, and many daemons do this at the same time, so one may
 * overwrite what another, who saw a day more, wrote.  Therefore each one lists
 * again after it wrote and is done only when it has nothing to write: whoever
 * writes last has then seen every day that was made before, and who makes a
 * later one comes after.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "sink_errors.h"
#include "sink_mongo_internal.h"

#define TRACES "traces"
#define SPANS "spans"

/* What the database has, from one listCollections. */
struct listing {
    char (*days)[SINK_DAY_NAME_MAX]; /* newest first, SINK_VIEW_DAYS_MAX at most */
    size_t day_count;
    bson_t *traces; /* definition {viewOn, pipeline}; NULL: there is none */
    bson_t *spans;
};

static void free_listing(struct listing *listing)
{
    bson_destroy(listing->traces);
    bson_destroy(listing->spans);
    free(listing->days);
}

static int newest_first(const void *a, const void *b)
{
    return strcmp(b, a);
}

/* The list comes in no order, and what is beyond SINK_VIEW_DAYS_MAX is cut when it is sorted. */
static int add_day(struct listing *listing, const char *name, struct err *err)
{
    if (listing->day_count % 64 == 0) {
        void *grown = realloc(listing->days, (listing->day_count + 64) * sizeof(listing->days[0]));

        if (grown == NULL)
            return err_set(err, ERR_RETRY, 0, "no memory for the list of days");
        listing->days = grown;
    }
    memcpy(listing->days[listing->day_count++], name, SINK_DAY_NAME_MAX);
    return 0;
}

/* {viewOn, pipeline} out of an entry of listCollections; {} when it is no view. */
static bson_t *read_definition(const bson_t *entry)
{
    bson_t *definition = bson_new();
    bson_iter_t at, member;

    if (!bson_iter_init(&at, entry) || !bson_iter_find_descendant(&at, "options.viewOn", &member))
        return definition;
    bson_append_iter(definition, "viewOn", -1, &member);
    if (bson_iter_init(&at, entry) && bson_iter_find_descendant(&at, "options.pipeline", &member))
        bson_append_iter(definition, "pipeline", -1, &member);
    return definition;
}

static int read_entry(struct listing *listing, const bson_t *entry, struct err *err)
{
    bson_iter_t at;
    const char *name;

    if (!bson_iter_init_find(&at, entry, "name") || !BSON_ITER_HOLDS_UTF8(&at))
        return 0;
    name = bson_iter_utf8(&at, NULL);
    if (sink_day_is_name(name))
        return add_day(listing, name, err);
    if (strcmp(name, TRACES) == 0 && listing->traces == NULL)
        listing->traces = read_definition(entry);
    if (strcmp(name, SPANS) == 0 && listing->spans == NULL)
        listing->spans = read_definition(entry);
    return 0;
}

static int list(struct sink_session *session, struct listing *listing, struct err *err)
{
    bson_t *options =
        BCON_NEW("filter", "{", "name", "{", "$regex", BCON_UTF8("^(traces(_[0-9]{8})?|spans)$"), "}", "}");
    mongoc_database_t *database = mongoc_client_get_database(session->client, session->mongo->database);
    mongoc_cursor_t *cursor = mongoc_database_find_collections_with_opts(database, options);
    const bson_t *entry;
    bson_error_t error;
    int result = 0;

    *listing = (struct listing){.days = NULL};
    while (result == 0 && mongoc_cursor_next(cursor, &entry))
        result = read_entry(listing, entry, err);
    if (result == 0 && mongoc_cursor_error_document(cursor, &error, &entry)) {
        sink_errors_set_command(err, &error, entry);
        result = err_prefix(err, "list collections");
    }
    mongoc_cursor_destroy(cursor);
    mongoc_database_destroy(database);
    bson_destroy(options);
    if (listing->day_count > 0)
        qsort(listing->days, listing->day_count, sizeof(listing->days[0]), newest_first);
    if (listing->day_count > SINK_VIEW_DAYS_MAX)
        listing->day_count = SINK_VIEW_DAYS_MAX;
    return result;
}

/* --- definitions ---------------------------------------------------------- */

/* The newest day, and every other one by $unionWith. */
static bson_t *define_traces(const struct listing *listing)
{
    bson_t *definition = BCON_NEW("viewOn", BCON_UTF8(listing->days[0]));
    bson_t pipeline, stage;
    char text[SINK_OUT_INDEX_MAX];

    BSON_APPEND_ARRAY_BEGIN(definition, "pipeline", &pipeline);
    for (size_t i = 1; i < listing->day_count; i++) {
        struct slice key = sink_out_index(text, (uint32_t)(i - 1));

        bson_append_document_begin(&pipeline, (const char *)key.data, (int)key.len, &stage);
        BSON_APPEND_UTF8(&stage, "$unionWith", listing->days[i]);
        bson_append_document_end(&pipeline, &stage);
    }
    bson_append_array_end(definition, &pipeline);
    return definition;
}

/*
 * Names as the system that came before wrote them.  A $project of plain paths
 * lets a $match on traceId or serviceName move in front of the $unwind and
 * into every day; a $replaceWith would not.
 */
static bson_t *define_spans(void)
{
    static const char *const members[] = {
        "spanId",
        "parentSpanId",
        "name",
        "kind",
        "startTimeUnixNano",
        "endTimeUnixNano",
        "attributes",
        "names",
        "status",
        "events",
        "links",
        "scope",
        "traceState",
        "flags",
        "droppedAttributesCount",
        "droppedEventsCount",
        "droppedLinksCount",
    };
    bson_t *definition = BCON_NEW("viewOn", BCON_UTF8(TRACES));
    bson_t pipeline, stage, project;
    char path[64];

    BSON_APPEND_ARRAY_BEGIN(definition, "pipeline", &pipeline);
    BSON_APPEND_DOCUMENT_BEGIN(&pipeline, "0", &stage);
    BSON_APPEND_UTF8(&stage, "$unwind", "$spans");
    bson_append_document_end(&pipeline, &stage);
    BSON_APPEND_DOCUMENT_BEGIN(&pipeline, "1", &stage);
    BSON_APPEND_DOCUMENT_BEGIN(&stage, "$project", &project);
    BSON_APPEND_INT32(&project, "_id", 0);
    BSON_APPEND_UTF8(&project, "id", "$spans.spanId");
    BSON_APPEND_INT32(&project, "traceId", 1);
    BSON_APPEND_INT32(&project, "serviceName", 1);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        snprintf(path, sizeof(path), "$spans.%s", members[i]);
        BSON_APPEND_UTF8(&project, members[i], path);
    }
    BSON_APPEND_INT32(&project, "resource", 1);
    bson_append_document_end(&stage, &project);
    bson_append_document_end(&pipeline, &stage);
    bson_append_array_end(definition, &pipeline);
    return definition;
}

/* --- writing them --------------------------------------------------------- */

/* Makes `view` what `wanted` says.  *wrote: there was something to do. */
static int put_view(struct sink_session *session, const char *view, const bson_t *present, const bson_t *wanted,
                    bool *wrote, struct err *err)
{
    bool exists = present != NULL;
    bson_t *command;
    bool existed;
    int result;

    if (exists && bson_empty(present))
        return err_set(err, ERR_CONFIG, 0, "%s.%s is a collection and not our view: rename it",
                       session->mongo->database, view);
    if (exists && bson_equal(present, wanted))
        return 0;
    *wrote = true;
    command = BCON_NEW(exists ? "collMod" : "create", BCON_UTF8(view));
    bson_concat(command, wanted);
    result = sink_collections_command(session, command, &existed, err);
    bson_destroy(command);
    return result == 0 ? 0 : err_prefix(err, "%s view %s", exists ? "change" : "make", view);
}

/* One look and what it asks for. */
static int update_once(struct sink_session *session, bool *wrote, struct err *err)
{
    struct listing listing;
    bson_t *traces = NULL, *spans = NULL;
    int result = list(session, &listing, err);

    *wrote = false;
    if (result == 0 && listing.day_count > 0) {
        traces = define_traces(&listing);
        spans = define_spans();
        result = put_view(session, TRACES, listing.traces, traces, wrote, err);
        if (result == 0)
            result = put_view(session, SPANS, listing.spans, spans, wrote, err);
    }
    bson_destroy(spans);
    bson_destroy(traces);
    free_listing(&listing);
    return result;
}

int sink_views_update(struct sink_session *session, struct err *err)
{
    bool wrote = true;

    for (int round = 0; wrote && round < SINK_VIEW_ROUNDS_MAX; round++)
        if (update_once(session, &wrote, err) != 0)
            return -1;
    if (wrote)
        log_info("mongodb.views_behind", "others keep changing the views; looked at again in %d s", SINK_DAY_RECHECK_S);
    return 0;
}
