/*
 * sink_views.c - the views `traces` (all days) and `spans` (one document a span).
 *
 * Runs on the thread that owns the link.  The view over the days is written from a
 * list of them, and many daemons do this at the same time, so one may
 * overwrite what another, who saw a day more, wrote.  Therefore each one lists
 * again after it wrote and is done only when it has nothing to write: whoever
 * writes last has then seen every day that was made before, and who makes a
 * later one comes after.
 */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "sink_listing.h"

/* --- definitions ---------------------------------------------------------- */

/* The newest day, and every other one by $unionWith; what is beyond the bound is the oldest. */
static bson_t *define_traces(const struct sink_listing *listing)
{
    char name[SINK_DAY_NAME_MAX];
    bson_t *definition = BCON_NEW("viewOn", BCON_UTF8(sink_day_name(name, listing->days[0])));
    bson_t pipeline, stage;
    char text[SINK_OUT_INDEX_MAX];

    BSON_APPEND_ARRAY_BEGIN(definition, "pipeline", &pipeline);
    for (size_t i = 1; i < listing->day_count && i < SINK_VIEW_DAYS_MAX; i++) {
        struct slice key = sink_out_index(text, (uint32_t)(i - 1));

        bson_append_document_begin(&pipeline, (const char *)key.data, (int)key.len, &stage);
        BSON_APPEND_UTF8(&stage, "$unionWith", sink_day_name(name, listing->days[i]));
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
    bson_t *definition = BCON_NEW("viewOn", BCON_UTF8(SINK_VIEW_TRACES));
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
static int put_view(const struct sink_link *link, const char *view, const bson_t *present, const bson_t *wanted,
                    bool *wrote, struct err *err)
{
    bool exists = present != NULL;
    bson_t *command;
    bool existed;
    int result;

    if (exists && bson_empty(present))
        return err_set(err, ERR_CONFIG, 0, "%s.%s is a collection and not our view: rename it", link->mongo->database,
                       view);
    if (exists && bson_equal(present, wanted))
        return 0;
    *wrote = true;
    command = BCON_NEW(exists ? "collMod" : "create", BCON_UTF8(view));
    bson_concat(command, wanted);
    result = sink_collections_command(link, command, &existed, err);
    bson_destroy(command);
    return result == 0 ? 0 : err_prefix(err, "%s view %s", exists ? "change" : "make", view);
}

/* One look and what it asks for. */
static int update_once(const struct sink_link *link, bool *wrote, struct err *err)
{
    struct sink_listing listing;
    bson_t *traces = NULL, *spans = NULL;
    int result = sink_listing_read(link, &listing, err);

    *wrote = false;
    if (result == 0 && listing.day_count > 0) {
        traces = define_traces(&listing);
        spans = define_spans();
        result = put_view(link, SINK_VIEW_TRACES, listing.traces, traces, wrote, err);
        if (result == 0)
            result = put_view(link, SINK_VIEW_SPANS, listing.spans, spans, wrote, err);
    }
    bson_destroy(spans);
    bson_destroy(traces);
    sink_listing_free(&listing);
    return result;
}

int sink_views_update(const struct sink_link *link, struct err *err)
{
    bool wrote = true;

    for (int round = 0; wrote && round < SINK_VIEW_ROUNDS_MAX; round++)
        if (update_once(link, &wrote, err) != 0)
            return -1;
    if (wrote)
        log_info("mongodb.views_behind", "others keep changing the views; looked at again in %d s", SINK_DAY_RECHECK_S);
    return 0;
}
