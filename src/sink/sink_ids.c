/*
 * sink_ids.c - one find with $in over the index on _id; nothing but _id comes back.
 *
 * The bound on fragments in a write bounds the set, so filter and answer stay
 * far below what a message may hold.  Always asked of the primary, whatever
 * the connection string says: a secondary may be behind what was written.
 */
#include "sink_ids.h"

#include <stdlib.h>
#include <string.h>

#include "sink_errors.h"
#include "sink_mongo_internal.h"

#define IDS_STEP 256
#define KEY_MAX 16

void sink_ids_fini(struct sink_ids *ids)
{
    free(ids->all);
}

void sink_ids_clear(struct sink_ids *ids)
{
    ids->count = 0;
}

int sink_ids_add(struct sink_ids *ids, const struct otlp_fragment *fragment, uint32_t number, struct err *err)
{
    struct sink_id *id;

    if (ids->count == ids->capacity) {
        struct sink_id *grown = realloc(ids->all, (ids->capacity + IDS_STEP) * sizeof(*grown));

        if (grown == NULL)
            return err_set(err, ERR_RETRY, 0, "no memory for %zu ids", ids->capacity + IDS_STEP);
        ids->all = grown;
        ids->capacity += IDS_STEP;
    }
    id = &ids->all[ids->count++];
    sink_bson_id(id->bytes, fragment);
    id->fragment = number;
    id->found = false;
    return 0;
}

/* --- asking --------------------------------------------------------------- */

static bson_t *make_filter(const struct sink_ids *ids)
{
    bson_t *filter = bson_new();
    bson_t in, list;
    char key[KEY_MAX];
    const char *name;

    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &in);
    BSON_APPEND_ARRAY_BEGIN(&in, "$in", &list);
    for (uint32_t i = 0; i < ids->count; i++) {
        size_t len = bson_uint32_to_string(i, &name, key, sizeof(key));

        bson_append_binary(&list, name, (int)len, BSON_SUBTYPE_BINARY, ids->all[i].bytes, SINK_BSON_ID_BYTES);
    }
    bson_append_array_end(&in, &list);
    bson_append_document_end(filter, &in);
    return filter;
}

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct sink_id *)a)->bytes, ((const struct sink_id *)b)->bytes, SINK_BSON_ID_BYTES);
}

/* An _id of another form is not ours. */
static void mark(struct sink_ids *ids, const bson_t *document)
{
    struct sink_id wanted = {.found = true}, *at;
    bson_subtype_t subtype;
    const uint8_t *bytes;
    bson_iter_t member;
    uint32_t len;

    if (!bson_iter_init_find(&member, document, "_id") || !BSON_ITER_HOLDS_BINARY(&member))
        return;
    bson_iter_binary(&member, &subtype, &len, &bytes);
    if (len != SINK_BSON_ID_BYTES)
        return;
    memcpy(wanted.bytes, bytes, len);
    at = bsearch(&wanted, ids->all, ids->count, sizeof(wanted), compare);
    if (at == NULL)
        return;
    while (at > ids->all && compare(at - 1, &wanted) == 0)
        at--;
    for (; at < ids->all + ids->count && compare(at, &wanted) == 0; at++)
        at->found = true;
}

/* Calls mark for each document, if there is a set.  Their number, or -1. */
static int64_t find(const struct sink_link *link, const char *name, const bson_t *filter, const bson_t *options,
                    struct sink_ids *ids, struct err *err)
{
    mongoc_collection_t *collection = mongoc_client_get_collection(link->client, link->mongo->database, name);
    mongoc_read_prefs_t *primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, filter, options, primary);
    const bson_t *document;
    bson_error_t error;
    int64_t count = 0;

    for (; mongoc_cursor_next(cursor, &document); count++)
        if (ids != NULL)
            mark(ids, document);
    if (mongoc_cursor_error_document(cursor, &error, &document)) {
        sink_errors_set_command(err, &error, document);
        if (err->class == ERR_POISON) /* no document is at fault */
            err->class = ERR_CONFIG;
        count = err_prefix(err, "look into %s", name);
    }
    mongoc_cursor_destroy(cursor);
    mongoc_read_prefs_destroy(primary);
    mongoc_collection_destroy(collection);
    return count;
}

int sink_ids_find(const struct sink_link *link, const char *collection, enum sink_ids_concern concern,
                  struct sink_ids *ids, struct err *err)
{
    bson_t *filter = make_filter(ids);
    bson_t *options =
        BCON_NEW("projection", "{", "_id", BCON_INT32(1), "}", "batchSize", BCON_INT32((int32_t)ids->count + 1),
                 "readConcern", "{", "level", BCON_UTF8(concern == SINK_IDS_MAJORITY ? "majority" : "local"), "}");
    int64_t found;

    qsort(ids->all, ids->count, sizeof(ids->all[0]), compare);
    found = find(link, collection, filter, options, ids, err);
    bson_destroy(options);
    bson_destroy(filter);
    return found < 0 ? -1 : 0;
}

int sink_ids_has_any(const struct sink_link *link, const char *collection, struct err *err)
{
    bson_t filter = BSON_INITIALIZER;
    bson_t *options = BCON_NEW("projection", "{", "_id", BCON_INT32(1), "}", "limit", BCON_INT64(1), "readConcern", "{",
                               "level", "local", "}");
    int64_t found = find(link, collection, &filter, options, NULL, err);

    bson_destroy(options);
    bson_destroy(&filter);
    return (int)found;
}
