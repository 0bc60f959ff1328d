/*
 * sink_apart.c - a collection a day, of the _ids of what was taken apart.
 *
 * When MongoDB refuses a fragment of several spans, those go again one by one,
 * each with an _id of its own.  If the fragment comes again when nothing is
 * refused any more (a replay, a resend, from another daemon's spool), its own
 * _id is not there, and it would be stored beside its spans.  So it is noted
 * here first, and whoever meets the note takes it apart again.
 *
 * A note is made before the verdict is given.  Who ends in between has stored
 * nothing, or finds the note and goes on.  It is read with the weakest read
 * concern: what is decided upon it is written after it, on the same primary,
 * and no majority has that without the note.
 *
 * What was stored whole before the rule that refuses it was made is refused
 * all the same, since MongoDB looks at the rule first.  It is there, so it is
 * stored before, and must not be taken apart either.
 *
 * Runs on the session's thread, sink_apart_drop on that of upkeep; blocks on the
 * network, bounded by the driver's timeouts.  Finding, inserting and dropping
 * collections is all that it takes: rights that delivery needs too.
 */
#include "sink_apart.h"

#include <stdio.h>

#include "clock.h"
#include "fault.h"
#include "sink_errors.h"
#include "sink_reply.h"

#define NAMESPACE_NOT_FOUND 26

/* --- what was taken apart before ------------------------------------------- */

/* 1, 0, or -1. */
static int ask_for_any(const struct sink_link *link, uint32_t day, const char *name, struct err *err)
{
    uint64_t now_ns = clock_mono_ns();
    bool known;
    int any;

    if (sink_apart_known_get(link->mongo, day, now_ns, &known))
        return known;
    any = sink_ids_has_any(link, name, err);
    if (any >= 0)
        sink_apart_known_set(link->mongo, day, now_ns, any > 0);
    return any;
}

static int gather_composite(struct sink_ids *ids, const struct sink_share *share, struct err *err)
{
    sink_ids_clear(ids);
    for (uint32_t i = 0; i < share->count; i++) {
        const struct otlp_fragment *fragment = &share->fragments[share->placed[i].fragment];

        if (fragment->span_count > 1 && sink_ids_add(ids, fragment, i, err) != 0)
            return -1;
    }
    return 0;
}

static void mark_found(const struct sink_ids *ids, const struct sink_share *share)
{
    for (size_t i = 0; i < ids->count; i++) {
        struct sink_placed *placed = &share->placed[ids->all[i].fragment];

        if (!ids->all[i].found)
            continue;
        placed->apart = true;
        share->verdicts[placed->fragment] = (struct sink_verdict){.outcome = SINK_REFUSED};
        snprintf(share->verdicts[placed->fragment].text, PARK_TEXT_MAX, "it was taken apart before");
    }
}

int sink_apart_mark(struct sink_session *session, const struct sink_share *share, struct err *err)
{
    struct sink_ids *ids = &session->ids;
    char name[SINK_DAY_APART_NAME_MAX];
    int any;

    sink_day_apart_name(name, share->day);
    if (gather_composite(ids, share, err) != 0)
        return -1;
    any = ids->count == 0 ? 0 : ask_for_any(&session->link, share->day, name, err);
    if (any <= 0)
        return any;
    if (sink_ids_find(&session->link, name, SINK_IDS_LOCAL, ids, err) != 0)
        return -1;
    mark_found(ids, share);
    return 0;
}

/* --- what is taken apart now ------------------------------------------------ */

static int gather_refused(struct sink_ids *ids, const struct sink_share *share, struct err *err)
{
    sink_ids_clear(ids);
    for (size_t i = 0; i < share->count; i++) {
        uint32_t number = share->placed[i].fragment;

        if (!share->placed[i].apart && share->verdicts[number].outcome == SINK_REFUSED &&
            sink_ids_add(ids, &share->fragments[number], number, err) != 0)
            return -1;
    }
    return 0;
}

/* Gives those that are there their verdict, and leaves in the set what is to be noted. */
static void settle_found(struct sink_ids *ids, const struct sink_share *share)
{
    size_t count = 0;

    for (size_t i = 0; i < ids->count; i++) {
        const struct sink_id *id = &ids->all[i];

        if (id->found)
            share->verdicts[id->fragment] = (struct sink_verdict){.outcome = SINK_STORED_BEFORE};
        else if (share->fragments[id->fragment].span_count > 1)
            ids->all[count++] = *id;
    }
    ids->count = count;
}

/* Why it failed is no document's fault, which are all alike. */
static int fail_note(const struct sink_verdict *refused, struct err *err)
{
    if (refused != NULL)
        err_set(err, ERR_CONFIG, refused->code, "MongoDB refuses it: %s (code %d)", refused->text, refused->code);
    else if (err->class == ERR_POISON)
        err->class = ERR_CONFIG;
    return -1;
}

static int insert_notes(mongoc_collection_t *collection, const bson_t *options, const struct sink_id *ids, size_t count,
                        struct err *err)
{
    const bson_t *documents[SINK_APART_NOTES_MAX];
    bson_t notes[SINK_APART_NOTES_MAX];
    struct sink_verdict verdicts[SINK_APART_NOTES_MAX], *each[SINK_APART_NOTES_MAX];
    bson_error_t error = {.code = 0};
    enum sink_reply answer;
    bson_t reply;
    bool ok;

    for (size_t i = 0; i < count; i++) {
        bson_init(&notes[i]);
        BSON_APPEND_BINARY(&notes[i], "_id", BSON_SUBTYPE_BINARY, ids[i].bytes, SINK_BSON_ID_BYTES);
        documents[i] = &notes[i];
        each[i] = &verdicts[i];
    }
    ok = mongoc_collection_insert_many(collection, documents, count, options, &reply, &error);
    answer = sink_reply_read(ok, &reply, &error, count, each, err);
    bson_destroy(&reply);
    for (size_t i = 0; i < count; i++)
        bson_destroy(&notes[i]);
    if (answer != SINK_REPLY_VERDICTS)
        return fail_note(NULL, err);
    for (size_t i = 0; i < count; i++)
        if (verdicts[i].outcome == SINK_REFUSED)
            return fail_note(&verdicts[i], err);
    return 0;
}

static int note_all(const struct sink_link *link, uint32_t day, const struct sink_ids *ids, struct err *err)
{
    char name[SINK_DAY_APART_NAME_MAX];
    mongoc_collection_t *collection;
    int result = 0;

    sink_day_apart_name(name, day);
    collection = mongoc_client_get_collection(link->client, link->mongo->database, name);
    for (size_t done = 0; result == 0 && done < ids->count; done += SINK_APART_NOTES_MAX) {
        size_t left = ids->count - done;

        result = insert_notes(collection, &link->mongo->insert_options, ids->all + done,
                              left < SINK_APART_NOTES_MAX ? left : SINK_APART_NOTES_MAX, err);
    }
    mongoc_collection_destroy(collection);
    return result == 0 ? 0 : err_prefix(err, "note what is taken apart in %s", name);
}

int sink_apart_note(struct sink_session *session, const struct sink_share *share, struct err *err)
{
    const struct sink_link *link = &session->link;
    struct sink_ids *ids = &session->ids;
    char name[SINK_DAY_NAME_MAX];

    if (gather_refused(ids, share, err) != 0)
        return -1;
    if (ids->count == 0)
        return 0;
    if (sink_ids_find(link, sink_day_name(name, share->day), SINK_IDS_MAJORITY, ids, err) != 0)
        return -1;
    settle_found(ids, share);
    if (ids->count == 0)
        return 0;
    if (fault_point("sink.note") != 0)
        return err_set(err, ERR_RETRY, 0, "fault at sink.note");
    sink_apart_known_set(link->mongo, share->day, clock_mono_ns(), true);
    if (note_all(link, share->day, ids, err) != 0)
        return -1;
    fault_point("sink.noted");
    return 0;
}

/* --- when a day has gone ---------------------------------------------------- */

int sink_apart_drop(const struct sink_link *link, uint32_t day, struct err *err)
{
    char name[SINK_DAY_APART_NAME_MAX];
    bson_t *command = BCON_NEW("drop", BCON_UTF8(sink_day_apart_name(name, day)));
    bool existed;
    int result = sink_collections_command(link, command, &existed, err);

    bson_destroy(command);
    return result == 0 || err->code == NAMESPACE_NOT_FOUND ? 0 : err_prefix(err, "drop %s", name);
}
