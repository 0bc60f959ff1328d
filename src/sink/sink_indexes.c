/*
 * sink_indexes.c - makes, compares, reports.
 *
 * Runs on the thread that owns the link and blocks on the network.  Indexes
 * are known by their names.  `trace` may also be on the hash of traceId, which
 * finds a trace as well: it is made so where days are to be sharded, whose shard
 * key has to have an index.  A day that has none of them is new, or came by
 * an insert after somebody dropped it: all are made.  A day that has some was
 * made whole once, since createIndexes makes all or none; what is missing or
 * differs then is somebody's decision and stays.
 *
 * Without the right to listIndexes nothing can be compared: all are asked for
 * each time, which makes a dropped one again.  An index that is in the way of
 * one of ours (85, 86) is reported as well, and the others are made: delivery
 * does not depend on indexes, readers do.
 */
#include "sink_indexes.h"

#include <string.h>

#include "log.h"
#include "sink_errors.h"
#include "sink_listing.h"

#define UNAUTHORIZED 13
#define INDEX_OPTIONS_CONFLICT 85
#define INDEX_KEY_SPECS_CONFLICT 86

#define KEY_FIELDS_MAX 2
#define HASHED "hashed"
#define ALL ((1U << SINK_INDEX_COUNT) - 1)

/*
 * docs/mongodb.md says which query each one serves.  The names are ours: two
 * partial indexes over the same keys would get the same one from a driver.
 */
static const struct definition {
    const char *name;
    struct {
        const char *field; /* NULL ends */
        int order;
    } key[KEY_FIELDS_MAX + 1];
    const char *only; /* of documents in which this is true; NULL: of all */
} definitions[SINK_INDEX_COUNT] = {
    {"trace", {{"traceId", 1}}, NULL},
    {"service", {{"serviceName", 1}, {"startTimeUnixNano", -1}}, NULL},
    {"service_root", {{"serviceName", 1}, {"startTimeUnixNano", -1}}, "root"},
    {"service_error", {{"serviceName", 1}, {"startTimeUnixNano", -1}}, "error"},
};

/* --- making --------------------------------------------------------------- */

/* The one of which a hash may take the place: the shard key of sink_shard.c. */
static bool may_be_hashed(const struct definition *definition)
{
    return definition == &definitions[0];
}

static void append_definition(bson_t *indexes, unsigned at, const struct definition *definition, bool hashed)
{
    char text[SINK_OUT_INDEX_MAX];
    struct slice position = sink_out_index(text, at);
    bson_t index, key, filter;

    bson_append_document_begin(indexes, (const char *)position.data, (int)position.len, &index);
    BSON_APPEND_UTF8(&index, "name", definition->name);
    BSON_APPEND_DOCUMENT_BEGIN(&index, "key", &key);
    for (size_t i = 0; definition->key[i].field != NULL; i++)
        if (hashed && may_be_hashed(definition))
            BSON_APPEND_UTF8(&key, definition->key[i].field, HASHED);
        else
            BSON_APPEND_INT32(&key, definition->key[i].field, definition->key[i].order);
    bson_append_document_end(&index, &key);
    if (definition->only != NULL) {
        BSON_APPEND_DOCUMENT_BEGIN(&index, "partialFilterExpression", &filter);
        BSON_APPEND_BOOL(&filter, definition->only, true);
        bson_append_document_end(&index, &filter);
    }
    bson_append_document_end(indexes, &index);
}

static int make(const struct sink_link *link, const char *name, unsigned wanted, struct err *err)
{
    bson_t *command = BCON_NEW("createIndexes", BCON_UTF8(name));
    unsigned count = 0;
    bson_t indexes;
    bool existed;
    int result;

    BSON_APPEND_ARRAY_BEGIN(command, "indexes", &indexes);
    for (unsigned i = 0; i < SINK_INDEX_COUNT; i++)
        if (wanted & 1U << i)
            append_definition(&indexes, count++, &definitions[i], link->mongo->shard);
    bson_append_array_end(command, &indexes);
    result = sink_collections_command(link, command, &existed, err);
    bson_destroy(command);
    return result == 0 ? 0 : err_prefix(err, "make the indexes of %s", name);
}

static bool is_in_the_way(const struct err *err)
{
    return err->class == ERR_CONFIG && (err->code == INDEX_OPTIONS_CONFLICT || err->code == INDEX_KEY_SPECS_CONFLICT);
}

/* All of them, or all but those that something is in the way of: *refused. */
static int make_all(const struct sink_link *link, const char *name, unsigned *refused, struct err *err)
{
    *refused = 0;
    if (make(link, name, ALL, err) == 0)
        return 0;
    if (!is_in_the_way(err))
        return -1;
    for (unsigned i = 0; i < SINK_INDEX_COUNT; i++) {
        if (make(link, name, 1U << i, err) == 0)
            continue;
        if (!is_in_the_way(err))
            return -1;
        *refused |= 1U << i;
    }
    return 0;
}

int sink_indexes_make_hashed(const struct sink_link *link, uint32_t day, struct err *err)
{
    char name[SINK_DAY_NAME_MAX];
    bson_t *command = BCON_NEW("createIndexes", BCON_UTF8(sink_day_name(name, day)), "indexes", "[", "{", "name",
                               BCON_UTF8("traceId_hashed"), "key", "{", "traceId", BCON_UTF8(HASHED), "}", "}", "]");
    bool existed;
    int result = sink_collections_command(link, command, &existed, err);

    bson_destroy(command);
    if (result == 0 || (err->class == ERR_CONFIG && err->code == INDEX_OPTIONS_CONFLICT)) /* it has another name */
        return 0;
    return err_prefix(err, "make the index for the shard key of %s", name);
}

/* --- comparing ------------------------------------------------------------ */

/* One field of an index's key is as the definition has it. */
static bool is_field(const bson_iter_t *field, const struct definition *definition, size_t i)
{
    if (definition->key[i].field == NULL || strcmp(bson_iter_key(field), definition->key[i].field) != 0)
        return false;
    if (BSON_ITER_HOLDS_UTF8(field))
        return may_be_hashed(definition) && strcmp(bson_iter_utf8(field, NULL), HASHED) == 0;
    return bson_iter_as_int64(field) == definition->key[i].order;
}

static bool is_key(const bson_iter_t *at, const struct definition *definition)
{
    bson_iter_t field;
    size_t i = 0;

    if (!BSON_ITER_HOLDS_DOCUMENT(at) || !bson_iter_recurse(at, &field))
        return false;
    for (; bson_iter_next(&field); i++)
        if (!is_field(&field, definition, i))
            return false;
    return definition->key[i].field == NULL;
}

static bool is_filter(const bson_iter_t *at, const char *only)
{
    bson_iter_t field;

    return only != NULL && BSON_ITER_HOLDS_DOCUMENT(at) && bson_iter_recurse(at, &field) && bson_iter_next(&field) &&
           strcmp(bson_iter_key(&field), only) == 0 && BSON_ITER_HOLDS_BOOL(&field) && bson_iter_bool(&field) &&
           !bson_iter_next(&field);
}

/* Members that say nothing of what the index does for a reader; any other one that is not false is an option. */
static bool is_told_anyway(const bson_iter_t *at)
{
    static const char *const names[] = {"v", "name", "ns", "background"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(bson_iter_key(at), names[i]) == 0)
            return true;
    return BSON_ITER_HOLDS_BOOL(at) && !bson_iter_bool(at);
}

static bool is_as_defined(const bson_t *entry, const struct definition *definition)
{
    bool filtered = false, keyed = false;
    bson_iter_t at;

    if (!bson_iter_init(&at, entry))
        return false;
    while (bson_iter_next(&at)) {
        if (strcmp(bson_iter_key(&at), "key") == 0)
            keyed = is_key(&at, definition);
        else if (strcmp(bson_iter_key(&at), "partialFilterExpression") == 0 && is_filter(&at, definition->only))
            filtered = true;
        else if (!is_told_anyway(&at))
            return false;
    }
    return keyed && filtered == (definition->only != NULL);
}

void sink_indexes_read(const bson_t *entry, struct sink_indexes_found *found)
{
    bson_iter_t at;

    found->any = true;
    if (!bson_iter_init_find(&at, entry, "name") || !BSON_ITER_HOLDS_UTF8(&at))
        return;
    for (unsigned i = 0; i < SINK_INDEX_COUNT; i++) {
        if (strcmp(bson_iter_utf8(&at, NULL), definitions[i].name) != 0)
            continue;
        found->present |= 1U << i;
        if (!is_as_defined(entry, &definitions[i]))
            found->differing |= 1U << i;
    }
}

static int find(const struct sink_link *link, const char *name, struct sink_indexes_found *found, struct err *err)
{
    mongoc_collection_t *collection = mongoc_client_get_collection(link->client, link->mongo->database, name);
    mongoc_cursor_t *cursor = mongoc_collection_find_indexes_with_opts(collection, NULL);
    const bson_t *entry;
    bson_error_t error;
    int result = 0;

    *found = (struct sink_indexes_found){.present = 0};
    while (mongoc_cursor_next(cursor, &entry))
        sink_indexes_read(entry, found);
    if (mongoc_cursor_error_document(cursor, &error, &entry)) {
        sink_errors_set_command(err, &error, entry);
        if (err->class == ERR_POISON) /* there is no document that could be at fault */
            err->class = ERR_CONFIG;
        result = err_prefix(err, "list the indexes of %s", name);
    }
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(collection);
    return result;
}

/* --- reporting ------------------------------------------------------------ */

static void report(const struct sink_link *link, const char *name, const struct sink_index_note *note)
{
    struct sink_index_note before = sink_index_notes_put(link->mongo, note);

    for (unsigned i = 0; i < SINK_INDEX_COUNT; i++) {
        if (note->missing & ~before.missing & 1U << i)
            log_warn("mongodb.index_differs", "index %s of %s.%s is missing; it is not made again", definitions[i].name,
                     link->mongo->database, name);
        if (note->differing & ~before.differing & 1U << i)
            log_warn("mongodb.index_differs",
                     "index %s of %s.%s is another one than ours, or another one is in its place; it is left alone",
                     definitions[i].name, link->mongo->database, name);
    }
}

/* *found, which is empty where nobody may list. */
static int look(const struct sink_link *link, const char *name, struct sink_indexes_found *found, struct err *err)
{
    if (find(link, name, found, err) != 0)
        return err->class == ERR_CONFIG && err->code == UNAUTHORIZED ? 0 : -1;
    /* Every collection has the one on _id: making indexes now would make the collection, with none of its options. */
    if (!found->any)
        return err_set(err, ERR_RETRY, SINK_INDEXES_GONE, "%s was dropped meanwhile", name);
    return 0;
}

int sink_indexes_keep(const struct sink_link *link, uint32_t day, bool *fresh, struct err *err)
{
    struct sink_indexes_found found = {.present = 0};
    struct sink_index_note note = {.day = day};
    char name[SINK_DAY_NAME_MAX];

    sink_day_name(name, day);
    if (look(link, name, &found, err) != 0)
        return -1;
    *fresh = found.present == 0;
    if (!*fresh) {
        note.missing = ALL & ~found.present;
        note.differing = found.differing;
    } else if (make_all(link, name, &note.differing, err) != 0) {
        return -1;
    }
    report(link, name, &note);
    return 0;
}
