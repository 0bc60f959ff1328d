/*
 * sink_reply.c - walks an insert's answer in full.
 *
 * The driver's bson_error_t names the first write error only and hides write
 * concern errors behind it, so it is asked only when there is neither list.
 * In order: a write concern error means that nothing is durable, whatever the
 * documents' entries say; then the entries; then the failure as a whole.  The
 * counts have to add up, or nothing is believed.
 *
 * Any thread; no I/O.
 */
#include "sink_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sink_errors.h"
#include "utf8.h"

#define NO_TEXT "MongoDB gives no text"

/* One entry of writeErrors or writeConcernErrors. */
struct entry {
    int64_t index; /* -1 when it has none */
    int code;
    const char *text; /* "" when the server left it out, as it does after many */
    bool on_id;       /* its keyPattern is {_id} */
    bool has_pattern;
    const uint8_t *details; /* a document, why the server refuses it; NULL when it does not say */
    uint32_t details_len;
};

static void read_pattern(const bson_iter_t *at, struct entry *entry)
{
    bson_iter_t key;

    if (!BSON_ITER_HOLDS_DOCUMENT(at) || !bson_iter_recurse(at, &key) || !bson_iter_next(&key))
        return;
    entry->has_pattern = true;
    entry->on_id = strcmp(bson_iter_key(&key), "_id") == 0 && !bson_iter_next(&key);
}

/* errInfo.details: which part of a validator was not met, by which value. */
static void read_details(const bson_iter_t *at, struct entry *entry)
{
    bson_iter_t member;

    if (BSON_ITER_HOLDS_DOCUMENT(at) && bson_iter_recurse(at, &member) && bson_iter_find(&member, "details") &&
        BSON_ITER_HOLDS_DOCUMENT(&member))
        bson_iter_document(&member, &entry->details_len, &entry->details);
}

static struct entry read_entry(const bson_iter_t *at)
{
    struct entry entry = {.index = -1, .text = ""};
    bson_iter_t member;

    if (!BSON_ITER_HOLDS_DOCUMENT(at) || !bson_iter_recurse(at, &member))
        return entry;
    while (bson_iter_next(&member)) {
        if (BSON_ITER_IS_KEY(&member, "index"))
            entry.index = bson_iter_as_int64(&member);
        else if (BSON_ITER_IS_KEY(&member, "code"))
            entry.code = (int)bson_iter_as_int64(&member);
        else if (BSON_ITER_IS_KEY(&member, "errmsg") && BSON_ITER_HOLDS_UTF8(&member))
            entry.text = bson_iter_utf8(&member, NULL);
        else if (BSON_ITER_IS_KEY(&member, "keyPattern"))
            read_pattern(&member, &entry);
        else if (BSON_ITER_IS_KEY(&member, "errInfo"))
            read_details(&member, &entry);
    }
    /* Servers before 4.2 send no keyPattern. */
    if (!entry.has_pattern)
        entry.on_id = strstr(entry.text, "index: _id_ dup key") != NULL;
    return entry;
}

/* Positions `list` before the first entry of the array `name`; false when there is none. */
static bool find_list(const bson_t *reply, const char *name, bson_iter_t *list)
{
    bson_iter_t at;

    return bson_iter_init_find(&at, reply, name) && BSON_ITER_HOLDS_ARRAY(&at) && bson_iter_recurse(&at, list);
}

static int64_t inserted_count(const bson_t *reply)
{
    bson_iter_t at;

    return bson_iter_init_find(&at, reply, "insertedCount") ? bson_iter_as_int64(&at) : 0;
}

/* 0 when there are no write concern errors. */
static int read_write_concern_errors(const bson_t *reply, struct err *err)
{
    bson_iter_t list;
    struct entry entry;

    if (!find_list(reply, "writeConcernErrors", &list) || !bson_iter_next(&list))
        return 0;
    entry = read_entry(&list);
    return sink_errors_set(err, sink_errors_of_write_concern(entry.code), entry.code, entry.text);
}

/* snprintf cuts between bytes: what is left of a character at the end goes. */
static void cut_at_character(char *text)
{
    size_t len = strlen(text);

    for (size_t least = len > 3 ? len - 3 : 0; len > least && !utf8_valid(slice_of_text(text));)
        text[--len] = '\0';
}

/* As JSON behind the text, as far as there is room: the values may be as large as the document. */
static void quote_details(struct sink_verdict *verdict, const struct entry *entry)
{
    size_t len = strlen(verdict->text);
    bson_json_opts_t *options = bson_json_opts_new(BSON_JSON_MODE_RELAXED, PARK_TEXT_MAX);
    char *json = NULL;
    bson_t details;

    if (bson_init_static(&details, entry->details, entry->details_len))
        json = bson_as_json_with_opts(&details, NULL, options);
    if (json != NULL) {
        verdict->quoted_at = len;
        snprintf(verdict->text + len, sizeof(verdict->text) - len, ": %s", json);
        cut_at_character(verdict->text);
    }
    bson_free(json);
    bson_json_opts_destroy(options);
}

static void refuse(struct sink_verdict *verdict, const struct entry *entry)
{
    *verdict = (struct sink_verdict){.outcome = SINK_REFUSED, .code = entry->code};
    snprintf(verdict->text, sizeof(verdict->text), "%s", entry->text[0] == '\0' ? NO_TEXT : entry->text);
    if (entry->details != NULL)
        quote_details(verdict, entry);
}

/* An entry of writeErrors that is about its document gives it a verdict; any other one fails the whole. */
static enum sink_reply judge(const struct entry *entry, size_t count, struct sink_verdict *const *verdicts,
                             struct err *err)
{
    enum sink_error meaning = sink_errors_of_document(entry->code);

    if (entry->index < 0 || (uint64_t)entry->index >= count) {
        err_set(err, ERR_RETRY, entry->code, "MongoDB's answer names document %" PRId64 " of %zu", entry->index, count);
        return SINK_REPLY_FAILED;
    }
    if (meaning == SINK_ERROR_DUPLICATE && entry->on_id) {
        verdicts[entry->index]->outcome = SINK_STORED_BEFORE;
    } else if (meaning == SINK_ERROR_DUPLICATE && !entry->has_pattern && entry->text[0] == '\0' && count > 1) {
        err_set(err, ERR_RETRY, entry->code, "MongoDB does not say which index has the key already");
        return SINK_REPLY_SPLIT;
    } else if (meaning == SINK_ERROR_DUPLICATE || meaning == SINK_ERROR_POISON) {
        refuse(verdicts[entry->index], entry);
    } else {
        sink_errors_set(err, meaning, entry->code, entry->text);
        return SINK_REPLY_FAILED;
    }
    return SINK_REPLY_VERDICTS;
}

static enum sink_reply judge_all(const bson_t *reply, size_t count, struct sink_verdict *const *verdicts,
                                 struct err *err)
{
    enum sink_reply result = SINK_REPLY_VERDICTS;
    int64_t entries = 0;
    bson_iter_t list;

    for (size_t i = 0; i < count; i++)
        *verdicts[i] = (struct sink_verdict){.outcome = SINK_STORED};
    if (find_list(reply, "writeErrors", &list)) {
        while (result == SINK_REPLY_VERDICTS && bson_iter_next(&list)) {
            struct entry entry = read_entry(&list);

            result = judge(&entry, count, verdicts, err);
            entries++;
        }
    }
    if (result == SINK_REPLY_VERDICTS && inserted_count(reply) + entries != (int64_t)count) {
        err_set(err, ERR_RETRY, 0, "MongoDB's answer accounts for %" PRId64 " of %zu documents",
                inserted_count(reply) + entries, count);
        result = SINK_REPLY_FAILED;
    }
    return result;
}

enum sink_reply sink_reply_read(bool ok, const bson_t *reply, const bson_error_t *error, size_t count,
                                struct sink_verdict *const *verdicts, struct err *err)
{
    bson_iter_t list;
    bool has_entries = find_list(reply, "writeErrors", &list) && bson_iter_next(&list);

    if (read_write_concern_errors(reply, err) != 0)
        return SINK_REPLY_FAILED;
    if (ok || has_entries)
        return judge_all(reply, count, verdicts, err);
    return sink_errors_set_command(err, error, reply) == SINK_ERROR_POISON ? SINK_REPLY_SPLIT : SINK_REPLY_FAILED;
}
