/*
 * sink_write.c - one write: documents by day, insert commands, verdicts.
 *
 * Runs on the session's thread and blocks on the network, bounded by the
 * driver's timeouts.  Happy path: fragments are sorted by day; per day
 * documents are built into a message, which goes out as one insert_many when
 * it is full, and the answer gives each document its verdict.
 *
 * One call is one wire message: the driver cuts a larger batch, and then a
 * later part's success wipes an earlier part's error.
 *
 * Nothing is sent while MongoDB's volume is full by our own rule (sink_space.c).
 * What fails as a whole ends the write, and nothing is concluded: the same
 * fragments come again, and what was stored is found as stored before.
 * Refusal of a whole command is taken apart until it is one document's; and
 * before that one is refused, an insert that has to work is tried, since a
 * server that refuses every insert (one without a journal, say) must not make
 * us park everything.  The same is done with an error that nobody knows, when
 * the caller asks for it.
 *
 * What was taken apart before is not inserted whole again, and what is refused
 * now is noted as taken apart before anybody is told (sink_apart.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "metrics.h"
#include "sink_apart.h"
#include "sink_errors.h"
#include "sink_mongo_internal.h"
#include "sink_reply.h"
#include "sink_retention.h"

#define TOO_LARGE_CODE 10334 /* BSONObjectTooLarge: what MongoDB would say */

/* One day's inserts. */
struct target {
    struct sink_session *session;
    mongoc_collection_t *collection;
    char name[SINK_DAY_NAME_MAX];
    bool apart;           /* what is not known is taken apart as well */
    size_t refused_alone; /* commands of one document that were refused as a whole, in the message in hand */
    struct err refusal;   /* the last of them */
};

/* --- sending -------------------------------------------------------------- */

static int check_fault(const char *point, struct err *err)
{
    int error = fault_point(point);

    return error == 0 ? 0 : err_set(err, ERR_RETRY, error, "fault at %s", point);
}

static enum sink_reply insert(struct target *target, const bson_t **documents, size_t count,
                              struct sink_verdict *const *verdicts, struct err *err)
{
    bson_error_t error = {.code = 0};
    bson_t reply;
    enum sink_reply result;
    bool ok;

    if (check_fault("sink.send", err) != 0)
        return SINK_REPLY_FAILED;
    ok = mongoc_collection_insert_many(target->collection, documents, count,
                                       &target->session->link.mongo->insert_options, &reply, &error);
    result = sink_reply_read(ok, &reply, &error, count, verdicts, err);
    bson_destroy(&reply);
    if (result == SINK_REPLY_FAILED && err->class == ERR_UNKNOWN && target->apart)
        result = SINK_REPLY_SPLIT;
    /* The answer is lost here in tests: documents are stored and nobody knows. */
    if (check_fault("sink.answer", err) != 0)
        return SINK_REPLY_FAILED;
    return result;
}

static void refuse(struct sink_verdict *verdict, int code, const char *text)
{
    *verdict = (struct sink_verdict){.outcome = SINK_REFUSED, .code = code};
    snprintf(verdict->text, sizeof(verdict->text), "%s", text);
}

/* Documents first .. end - 1 of the message.  Recursion is log2(SINK_MESSAGE_DOCUMENTS_MAX) deep at most. */
static int send_range(struct target *target, size_t first, size_t end, struct err *err)
{
    struct sink_message *message = target->session->message;
    size_t middle = first + (end - first) / 2;

    switch (insert(target, message->documents + first, end - first, message->verdicts + first, err)) {
    case SINK_REPLY_VERDICTS:
        return 0;
    case SINK_REPLY_FAILED:
        return -1;
    case SINK_REPLY_SPLIT:
        break;
    }
    if (end - first == 1) {
        refuse(message->verdicts[first], err->code, err->text);
        target->refused_alone++;
        target->refusal = *err;
        return 0;
    }
    if (send_range(target, first, middle, err) != 0)
        return -1;
    return send_range(target, middle, end, err);
}

/* 1 and *known, owned by `cursor`, when the collection holds a document; 0 when it is empty; -1. */
static int find_any(mongoc_cursor_t *cursor, const bson_t **known, struct err *err)
{
    const bson_t *reply;
    bson_error_t error;

    if (mongoc_cursor_next(cursor, known))
        return 1;
    if (!mongoc_cursor_error_document(cursor, &error, &reply))
        return 0;
    sink_errors_set_command(err, &error, reply);
    if (err->class == ERR_POISON)
        err->class = ERR_RETRY;
    return -1;
}

/*
 * Whether the server takes inserts into this collection at all: a document
 * that is there already is offered again, and "duplicate" is the answer that
 * shows it.  By its trace id a sharded cluster finds the shard that has it: any
 * other would take it for a new one.  -1: ERR_CONFIG when it does not, or when
 * there is no document to offer; ERR_RETRY.
 */
static int try_known_document(struct target *target, struct err *err)
{
    bool apart = target->apart;
    bson_t filter = BSON_INITIALIZER;
    bson_t *options =
        BCON_NEW("limit", BCON_INT64(1), "projection", "{", "_id", BCON_INT32(1), "traceId", BCON_INT32(1), "}");
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(target->collection, &filter, options, NULL);
    struct sink_verdict verdict = {.outcome = SINK_REFUSED};
    struct sink_verdict *verdicts[1] = {&verdict};
    const bson_t *known;
    int found = find_any(cursor, &known, err);
    enum sink_reply reply = SINK_REPLY_SPLIT;

    target->apart = false; /* this one is not to blame */
    if (found == 1)
        reply = insert(target, &known, 1, verdicts, err);
    target->apart = apart;
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    bson_destroy(&filter);
    if (found < 0 || reply == SINK_REPLY_FAILED)
        return -1;
    if (reply == SINK_REPLY_VERDICTS && verdict.outcome == SINK_STORED_BEFORE)
        return 0;
    return err_set(err, ERR_CONFIG, target->refusal.code, "every insert is refused, whatever it holds: %s",
                   target->refusal.text);
}

/* --- the message ---------------------------------------------------------- */

static void clear_message(struct sink_message *message)
{
    buf_clear(&message->bytes);
    message->count = 0;
}

/* What was changed on the way is counted when it is stored, so that a batch that is sent again counts once. */
static void count_changes(struct sink_out *out)
{
    metrics_add(METRIC_SINK_REPAIRED, out->repaired);
    metrics_add(METRIC_SINK_CLAMPED, out->clamped);
    out->repaired = 0;
    out->clamped = 0;
}

static int send_message(struct target *target, struct err *err)
{
    struct sink_message *message = target->session->message;
    size_t begin = 0;

    if (message->count == 0)
        return 0;
    for (size_t i = 0; i < message->count; i++) {
        /* Cannot fail: the length that a document begins with is that of its bytes. */
        bson_init_static(&message->views[i], message->bytes.data + begin, message->ends[i] - begin);
        message->documents[i] = &message->views[i];
        begin = message->ends[i];
    }
    target->refused_alone = 0;
    if (send_range(target, 0, message->count, err) != 0 ||
        (target->refused_alone > 0 && try_known_document(target, err) != 0))
        return err_prefix(err, "insert into %s", target->name);
    count_changes(&target->session->bson.out);
    clear_message(message);
    return 0;
}

/* A message is sent before a document that might not fit any more. */
static int add_fragment(struct target *target, const struct otlp_fragment *fragment, struct sink_verdict *verdict,
                        struct err *err)
{
    struct sink_session *session = target->session;
    struct sink_message *message = session->message;
    bool full = message->count == SINK_MESSAGE_DOCUMENTS_MAX ||
                message->bytes.len > SINK_MESSAGE_BYTES_MAX - SINK_DOCUMENT_BYTES_MAX;

    if (full && send_message(target, err) != 0)
        return -1;
    if (sink_bson_build(&session->bson, fragment, &message->bytes, err) == 0) {
        message->ends[message->count] = message->bytes.len;
        message->verdicts[message->count] = verdict;
        message->count++;
        return 0;
    }
    if (err->class != ERR_POISON)
        return -1;
    refuse(verdict, err->code == EMSGSIZE ? TOO_LARGE_CODE : 0, err->text);
    return 0;
}

/* --- days ----------------------------------------------------------------- */

static int by_day(const void *a, const void *b)
{
    const struct sink_placed *left = a, *right = b;

    if (left->day != right->day)
        return left->day < right->day ? -1 : 1;
    return left->fragment < right->fragment ? -1 : left->fragment > right->fragment;
}

static uint32_t day_of(const struct otlp_fragment *fragment, uint64_t past_ns)
{
    return sink_day_of(fragment->start_unix_nano, fragment->received_ns, past_ns);
}

bool sink_write_day(const struct sink_mongo *mongo, const struct otlp_fragment *fragments, size_t count, uint32_t *day)
{
    uint64_t past_ns = sink_retention_past(mongo->retention_ns);

    *day = day_of(&fragments[0], past_ns);
    for (size_t i = 1; i < count; i++)
        if (day_of(&fragments[i], past_ns) != *day)
            return false;
    return true;
}

static int place(struct sink_session *session, const struct otlp_fragment *fragments, size_t count, struct err *err)
{
    uint64_t past_ns = sink_retention_past(session->link.mongo->retention_ns);

    if (count > session->placed_capacity) {
        struct sink_placed *grown = realloc(session->placed, count * sizeof(*grown));

        if (grown == NULL)
            return err_set(err, ERR_RETRY, 0, "no memory to sort %zu fragments", count);
        session->placed = grown;
        session->placed_capacity = count;
    }
    for (size_t i = 0; i < count; i++)
        session->placed[i] = (struct sink_placed){.day = day_of(&fragments[i], past_ns), .fragment = (uint32_t)i};
    qsort(session->placed, count, sizeof(session->placed[0]), by_day);
    return 0;
}

/* Inserts what was not taken apart before. */
static int insert_share(struct target *target, const struct sink_share *share, struct err *err)
{
    for (size_t i = 0; i < share->count; i++) {
        uint32_t fragment = share->placed[i].fragment;

        if (!share->placed[i].apart &&
            add_fragment(target, &share->fragments[fragment], &share->verdicts[fragment], err) != 0)
            return -1;
    }
    return send_message(target, err);
}

static int write_share(struct sink_session *session, const struct sink_share *share, bool apart, struct err *err)
{
    struct target target = {.session = session, .apart = apart};
    int result;

    if (sink_collections_prepare(&session->link, share->day, err) != 0)
        return -1;
    sink_day_name(target.name, share->day);
    target.collection = mongoc_client_get_collection(session->link.client, session->link.mongo->database, target.name);
    result = sink_apart_mark(session, share, err);
    if (result == 0)
        result = insert_share(&target, share, err);
    if (result == 0)
        result = sink_apart_note(session, share, err);
    mongoc_collection_destroy(target.collection);
    if (result != 0) /* it may have been dropped: look before the next try */
        sink_collections_forget(session->link.mongo, share->day);
    return result;
}

/* Day by day. */
static int write_days(struct sink_session *session, const struct otlp_fragment *fragments, size_t count, bool apart,
                      struct sink_verdict *verdicts, struct err *err)
{
    struct sink_share share = {.fragments = fragments, .verdicts = verdicts};
    size_t end;

    if (place(session, fragments, count, err) != 0)
        return -1;
    for (size_t first = 0; first < count; first = end) {
        share.day = session->placed[first].day;
        share.placed = &session->placed[first];
        for (end = first + 1; end < count && session->placed[end].day == share.day; end++)
            continue;
        share.count = end - first;
        if (write_share(session, &share, apart, err) != 0)
            return -1;
    }
    return 0;
}

int sink_write(struct sink_session *session, const struct otlp_fragment *fragments, size_t count, bool apart,
               struct sink_verdict *verdicts, struct err *err)
{
    struct sink_mongo *mongo = session->link.mongo;
    int result;

    sink_bson_forget(&session->bson);
    session->bson.out.repaired = 0;
    session->bson.out.clamped = 0;
    clear_message(session->message);
    if (count == 0)
        return 0;
    if (sink_space_check(mongo, err) != 0 || sink_pool_attach(&session->link, err) != 0)
        return -1;
    result = write_days(session, fragments, count, apart, verdicts, err);
    sink_pool_note(mongo, result == 0 ? NULL : err);
    return result;
}
