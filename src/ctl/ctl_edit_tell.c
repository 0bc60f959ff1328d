/*
 * ctl_edit_tell.c - what was done, for people and as one JSON object.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "ctl_edit.h"
#include "ctl_verbs.h"
#include "json.h"
#include "units.h"

#define OUT_BYTES_MAX (1UL << 20)

void ctl_edit_fail(struct ctl_edit *edit, const struct ctl_edit_id *id, const char *format, ...)
{
    struct ctl_edit_failure failure;
    va_list arguments;

    ctl_edit_id_format(failure.id, id);
    va_start(arguments, format);
    vsnprintf(failure.text, sizeof(failure.text), format, arguments);
    va_end(arguments);
    if (edit->failed < CTL_EDIT_ERRORS_MAX)
        edit->failures[edit->failed] = failure;
    edit->failed++;
    ctl_fail(edit->ctl, "%s: %s", failure.id, failure.text);
}

static void put_count(struct buf *out, uint64_t count, const char *one, const char *many)
{
    char text[UNITS_TEXT_MAX];

    buf_printf(out, "%s%s %s", out->len > 0 ? ", " : "", units_format_count(text, count), count == 1 ? one : many);
}

void ctl_edit_put_tally(struct buf *out, const struct ctl_edit *edit, const struct ctl_edit_tally *tally)
{
    bool by_entries = edit->form->fits == 0;

    if (!by_entries && tally->batches > 0) {
        put_count(out, tally->batches, "batch", "batches");
        put_count(out, tally->spans, "span", "spans");
    }
    if (edit->form->entries && tally->parked > 0)
        put_count(out, tally->parked, "parked entry", "parked entries");
    if (by_entries && tally->parked > 0)
        put_count(out, tally->spans, "span", "spans");
    if (out->len == 0)
        buf_text(out, "nothing");
}

static bool did_something(const struct ctl_edit *edit)
{
    return edit->tally.batches + edit->tally.parked > 0;
}

static bool went_wrong(const struct ctl_edit *edit)
{
    return edit->failed + edit->unreadable > 0 || edit->interrupted || edit->error.class != ERR_NONE;
}

/* --- for people ------------------------------------------------------------ */

static void print(struct ctl_edit *edit, struct buf *out)
{
    const struct ctl_edit_tally *tally = &edit->tally;
    struct buf what;

    buf_init(&what, OUT_BYTES_MAX);
    ctl_edit_put_tally(&what, edit, tally);
    if (edit->dry_run && edit->form->finally)
        ctl_edit_put_states(&what, edit);
    if (did_something(edit))
        buf_printf(out, "%s%s %.*s", edit->dry_run ? "would " : "",
                   edit->dry_run ? edit->form->present : edit->form->past, (int)what.len, (const char *)what.data);
    else if (!went_wrong(edit))
        buf_printf(out, "nothing to %s", edit->form->present);
    if (tally->first_new_seq > 0)
        buf_printf(out, tally->first_new_seq == tally->last_new_seq ? ", as batch %" PRIu64 : ", as batches %" PRIu64,
                   tally->first_new_seq);
    if (tally->first_new_seq < tally->last_new_seq)
        buf_printf(out, " to %" PRIu64, tally->last_new_seq);
    buf_text(out, out->len > 0 ? "\n" : "");
    buf_fini(&what);
}

/* --- for programs ---------------------------------------------------------- */

static void put_seq(struct json *json, const char *key, uint64_t seq)
{
    json_key(json, key);
    if (seq > 0)
        json_uint(json, seq);
    else
        json_null(json);
}

static void put_failures(struct json *json, const struct ctl_edit *edit)
{
    json_key(json, "failures");
    json_begin_array(json);
    for (uint64_t i = 0; i < edit->failed && i < CTL_EDIT_ERRORS_MAX; i++) {
        json_begin_object(json);
        json_key(json, "id");
        json_text(json, edit->failures[i].id);
        json_key(json, "text");
        json_text(json, edit->failures[i].text);
        json_end_object(json);
    }
    json_end_array(json);
}

static void put(struct ctl_edit *edit, struct buf *out)
{
    const struct ctl_edit_tally *tally = &edit->tally;
    struct json json;

    json_init(&json, out);
    json_begin_object(&json);
    json_key(&json, "verb");
    json_text(&json, edit->ctl->verb->name);
    json_member_bool(&json, "dry_run", edit->dry_run);
    json_member_uint(&json, "batches", tally->batches);
    json_member_uint(&json, "spans", tally->spans);
    json_member_uint(&json, "stored_bytes", tally->stored_bytes);
    json_member_uint(&json, "parked_entries", tally->parked);
    json_member_uint(&json, "passed_batches", tally->passed);
    json_member_uint(&json, "unreadable_batches", edit->unreadable);
    put_seq(&json, "first_new_seq", tally->first_new_seq);
    put_seq(&json, "last_new_seq", tally->last_new_seq);
    json_member_bool(&json, "interrupted", edit->interrupted);
    json_key(&json, "error");
    json_text(&json, edit->error.class != ERR_NONE ? edit->error.text : NULL);
    json_member_uint(&json, "failed", edit->failed);
    put_failures(&json, edit);
    json_end_object(&json);
    buf_text(out, "\n");
}

int ctl_edit_tell(struct ctl_edit *edit)
{
    struct buf out;

    buf_init(&out, OUT_BYTES_MAX);
    if (edit->ctl->json)
        put(edit, &out);
    else
        print(edit, &out);
    ctl_write(edit->ctl, &out);
    buf_fini(&out);
    if (edit->unreadable > 0)
        ctl_note(edit->ctl, "%" PRIu64 " damaged batches could not be looked into, and are left alone",
                 edit->unreadable);
    if (edit->error.class != ERR_NONE)
        ctl_fail(edit->ctl, "%s; the rest is as it was", edit->error.text);
    else if (edit->interrupted)
        ctl_fail(edit->ctl, "interrupted; the rest is as it was");
    return !went_wrong(edit) ? CTL_OK : did_something(edit) && !edit->dry_run ? CTL_PARTIAL : CTL_FAILED;
}
