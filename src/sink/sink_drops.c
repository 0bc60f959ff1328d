/*
 * sink_drops.c - one document a drop, numbered, in a collection of its own.
 *
 * mongod gives the files of a dropped day back minutes later.  Who does not
 * know of the drop still sees a full volume meanwhile and would drop another
 * day: a second daemon, or the first one after a restart.  So a drop is noted
 * before it is made.  Of several daemons that note one at the same time one
 * wins, as they all insert the number after the last one, and _id is unique.
 * Inserting and finding is all that it takes, rights that delivery needs too.
 *
 * A daemon that ends between its note and its drop costs a pause, no day.
 * Times are the primary's, so that daemons' clocks do not matter.
 *
 * Runs on the thread of upkeep; blocks on the network, bounded by the driver's
 * timeouts.
 */
#include "sink_drops.h"

#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "sink_errors.h"
#include "sink_mongo_internal.h"
#include "units.h"

#define COLLECTION "tracespool_drops"
#define DUPLICATE_KEY 11000
#define HOST_MAX 65
#define BY_MAX (HOST_MAX + 24)

struct note {
    int64_t number; /* 0: there is none yet */
    uint64_t at_ns;
    char day[SINK_DAY_NAME_MAX];
    char by[BY_MAX];
};

uint64_t sink_drops_pause_ns(uint64_t noted_ns, uint64_t now_ns)
{
    const uint64_t pause_ns = SINK_DROP_PAUSE_S * NS_PER_S;

    /* Further ahead than that is the word of a clock that was wrong, which must not stop us for years. */
    if (noted_ns > now_ns + pause_ns || noted_ns + pause_ns <= now_ns)
        return 0;
    return noted_ns + pause_ns - now_ns;
}

/* --- the last note -------------------------------------------------------- */

static void copy_text(char *out, size_t size, const bson_t *document, const char *name)
{
    bson_iter_t at;

    if (bson_iter_init_find(&at, document, name) && BSON_ITER_HOLDS_UTF8(&at))
        snprintf(out, size, "%s", bson_iter_utf8(&at, NULL));
}

/* What somebody else has put there counts as a note of long ago. */
static void read_note(struct note *note, const bson_t *document)
{
    bson_iter_t at;

    if (bson_iter_init_find(&at, document, "_id"))
        note->number = bson_iter_as_int64(&at);
    if (bson_iter_init_find(&at, document, "at") && BSON_ITER_HOLDS_DATE_TIME(&at) && bson_iter_date_time(&at) > 0)
        note->at_ns = (uint64_t)bson_iter_date_time(&at) * NS_PER_MS;
    copy_text(note->day, sizeof(note->day), document, "day");
    copy_text(note->by, sizeof(note->by), document, "by");
}

static int read_last(mongoc_collection_t *collection, struct note *last, struct err *err)
{
    bson_t *filter = BCON_NEW("_id", "{", "$type", "number", "}");
    bson_t *options = BCON_NEW("sort", "{", "_id", BCON_INT32(-1), "}", "limit", BCON_INT64(1));
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(collection, filter, options, NULL);
    const bson_t *document;
    bson_error_t error;
    int result = 0;

    *last = (struct note){.number = 0};
    if (mongoc_cursor_next(cursor, &document)) {
        read_note(last, document);
    } else if (mongoc_cursor_error_document(cursor, &error, &document)) {
        sink_errors_set_command(err, &error, document);
        result = err_prefix(err, "read " COLLECTION);
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    bson_destroy(filter);
    return result;
}

/* --- another one ---------------------------------------------------------- */

static bson_t *make_note(int64_t number, uint32_t day, enum sink_drop_reason reason, uint64_t server_ns)
{
    char host[HOST_MAX] = "", by[BY_MAX], name[SINK_DAY_NAME_MAX];

    gethostname(host, sizeof(host) - 1);
    snprintf(by, sizeof(by), "%s, process %ld", host, (long)getpid());
    return BCON_NEW("_id", BCON_INT64(number), "at", BCON_DATE_TIME((int64_t)(server_ns / NS_PER_MS)), "day",
                    BCON_UTF8(sink_day_name(name, day)), "why",
                    BCON_UTF8(reason == SINK_DROP_FULL ? "mongodb.min_free" : "mongodb.retention"), "by",
                    BCON_UTF8(by));
}

/* *won: nobody else has inserted this number.  A note that a majority has not confirmed is not one to drop upon. */
static int insert_note(const struct sink_link *link, mongoc_collection_t *collection, const bson_t *note, bool *won,
                       struct err *err)
{
    bson_error_t error;
    bson_t reply;
    int result = 0;

    *won = mongoc_collection_insert_one(collection, note, &link->mongo->ddl_options, &reply, &error);
    if (!*won && error.code != DUPLICATE_KEY) {
        sink_errors_set_command(err, &error, &reply);
        if (err->class == ERR_POISON) /* no document is at fault that is always the same: a rule or a right is */
            err->class = ERR_CONFIG;
        result = err_prefix(err, "note a drop in " COLLECTION);
    }
    bson_destroy(&reply);
    return result;
}

static int note_after(const struct sink_link *link, mongoc_collection_t *collection, const struct note *last,
                      uint32_t day, enum sink_drop_reason reason, uint64_t server_ns, bool *won, struct err *err)
{
    bson_t *note = make_note(last->number + 1, day, reason, server_ns);
    int result = insert_note(link, collection, note, won, err);

    bson_destroy(note);
    return result;
}

static void say_waiting(const struct note *last, uint64_t pause_ns)
{
    char text[UNITS_TEXT_MAX];

    units_format_duration(text, pause_ns);
    log_info("mongodb.drop_waits", "the volume is full; the room of %s, which %s drops, is waited for, %s at most",
             last->day[0] == '\0' ? "a day" : last->day, last->by[0] == '\0' ? "another daemon" : last->by, text);
}

int sink_drops_claim(const struct sink_link *link, uint32_t day, uint64_t server_ns, uint64_t *pause_ns,
                     struct err *err)
{
    mongoc_collection_t *collection = mongoc_client_get_collection(link->client, link->mongo->database, COLLECTION);
    struct note last;
    bool won = false;
    int result = read_last(collection, &last, err);

    *pause_ns = result == 0 ? sink_drops_pause_ns(last.at_ns, server_ns) : 0;
    if (result == 0 && *pause_ns == 0) {
        result = note_after(link, collection, &last, day, SINK_DROP_FULL, server_ns, &won, err);
        if (result == 0 && !won) {
            last = (struct note){.number = 0};
            *pause_ns = SINK_DROP_PAUSE_S * NS_PER_S;
        }
    }
    if (*pause_ns > 0)
        say_waiting(&last, *pause_ns);
    mongoc_collection_destroy(collection);
    return result;
}

/* When somebody else notes a drop at the same time, that does as well. */
int sink_drops_note(const struct sink_link *link, uint32_t day, uint64_t server_ns, struct err *err)
{
    mongoc_collection_t *collection = mongoc_client_get_collection(link->client, link->mongo->database, COLLECTION);
    struct note last;
    bool won;
    int result = read_last(collection, &last, err);

    if (result == 0)
        result = note_after(link, collection, &last, day, SINK_DROP_RETENTION, server_ns, &won, err);
    mongoc_collection_destroy(collection);
    return result;
}
