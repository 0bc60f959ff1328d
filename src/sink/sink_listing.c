/*
 * sink_listing.c - one listCollections, read.
 *
 * Runs on the thread that owns the link; blocks on the network, bounded by
 * the driver's timeouts.  A failure says nothing about what there is.
 */
#include "sink_listing.h"

#include <stdlib.h>
#include <string.h>

#include "sink_errors.h"

#define DAYS_STEP 64

void sink_listing_free(struct sink_listing *listing)
{
    bson_destroy(listing->traces);
    bson_destroy(listing->spans);
    free(listing->apart);
    free(listing->days);
}

static int newest_first(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left > right ? -1 : left < right;
}

/* The calendar bounds their number. */
static int add_day(uint32_t **days, size_t *count, uint32_t day, struct err *err)
{
    if (*count % DAYS_STEP == 0) {
        void *grown = realloc(*days, (*count + DAYS_STEP) * sizeof((*days)[0]));

        if (grown == NULL)
            return err_set(err, ERR_RETRY, 0, "no memory for the list of days");
        *days = grown;
    }
    (*days)[(*count)++] = day;
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

static const char *text_member(const bson_t *entry, const char *name)
{
    bson_iter_t at;

    return bson_iter_init_find(&at, entry, name) && BSON_ITER_HOLDS_UTF8(&at) ? bson_iter_utf8(&at, NULL) : "";
}

static int read_entry(struct sink_listing *listing, const bson_t *entry, struct err *err)
{
    const char *name = text_member(entry, "name");
    bool is_collection = strcmp(text_member(entry, "type"), "collection") == 0;
    uint32_t day;

    if (sink_day_read(name, &day))
        return is_collection ? add_day(&listing->days, &listing->day_count, day, err) : 0;
    if (sink_day_apart_read(name, &day))
        return is_collection ? add_day(&listing->apart, &listing->apart_count, day, err) : 0;
    if (strcmp(name, SINK_VIEW_TRACES) == 0 && listing->traces == NULL)
        listing->traces = read_definition(entry);
    if (strcmp(name, SINK_VIEW_SPANS) == 0 && listing->spans == NULL)
        listing->spans = read_definition(entry);
    return 0;
}

int sink_listing_read(const struct sink_link *link, struct sink_listing *listing, struct err *err)
{
    bson_t *options = BCON_NEW("filter", "{", "name", "{", "$regex",
                               BCON_UTF8("^(traces(_[0-9]{8})?|spans|tracespool_apart_[0-9]{8})$"), "}", "}");
    mongoc_database_t *database = mongoc_client_get_database(link->client, link->mongo->database);
    mongoc_cursor_t *cursor = mongoc_database_find_collections_with_opts(database, options);
    const bson_t *entry;
    bson_error_t error;
    int result = 0;

    *listing = (struct sink_listing){.days = NULL};
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
    return result;
}

bool sink_listing_has(const struct sink_listing *listing, uint32_t day)
{
    return listing->day_count > 0 &&
           bsearch(&day, listing->days, listing->day_count, sizeof(day), newest_first) != NULL;
}
