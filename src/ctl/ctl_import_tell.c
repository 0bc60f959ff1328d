/*
 * ctl_import_tell.c - what `tracespool import` says at the end.
 */
#include "ctl_import.h"
#include "ctl_text.h"
#include "json.h"
#include "units.h"

#define SUMMARY_BYTES_MAX (64UL << 10)
#define LINE_BYTES 128

void ctl_import_show_progress(struct ctl_import *import)
{
    char line[LINE_BYTES], text[UNITS_TEXT_MAX];

    if (!ctl_progress_due(&import->progress))
        return;
    snprintf(line, sizeof(line), "importing: %s requests", units_format_count(text, import->read));
    ctl_progress_line(&import->progress, line);
}

static void put_json(const struct ctl_import *import, const char *failure, struct buf *out)
{
    struct json json;

    json_init(&json, out);
    json_begin_object(&json);
    json_key(&json, "spool");
    json_text(&json, import->path);
    json_key(&json, "endpoint");
    json_text(&json, import->sends ? import->sender.endpoint : NULL);
    json_member_bool(&json, "dry_run", import->dry_run);
    json_member_uint(&json, "requests", import->requests);
    json_member_uint(&json, "spans", import->spans);
    json_member_uint(&json, "request_bytes", import->bytes);
    json_member_uint(&json, "rejected_spans", import->rejected);
    json_member_uint(&json, "empty", import->empty);
    json_member_uint(&json, "bad", import->bad);
    json_member_uint(&json, "refused", import->refused);
    json_member_uint(&json, "unread_files", import->unread);
    json_key(&json, "error");
    json_text(&json, failure);
    json_end_object(&json);
    buf_text(out, "\n");
}

static void put_count(struct buf *out, uint64_t count, const char *one, const char *many)
{
    char text[UNITS_TEXT_MAX];

    if (count > 0)
        buf_printf(out, "; %s %s", units_format_count(text, count), count == 1 ? one : many);
}

static void print(const struct ctl_import *import, const char *failure, struct buf *out)
{
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX];

    buf_printf(out, "%s%s %s, %s %s, %s", import->dry_run ? "would import " : "imported ",
               units_format_count(a, import->requests), import->requests == 1 ? "request" : "requests",
               units_format_count(b, import->spans), import->spans == 1 ? "span" : "spans",
               units_format_bytes(c, import->bytes));
    if (import->sends) {
        buf_text(out, " through the daemon at ");
        ctl_text_append(out, slice_of_text(import->sender.endpoint), CTL_TEXT_WHOLE);
    } else if (!import->dry_run) {
        buf_text(out, " into ");
        ctl_text_append(out, slice_of_text(import->path), CTL_TEXT_WHOLE);
    }
    put_count(out, import->rejected, "span without a valid id", "spans without a valid id");
    put_count(out, import->empty, "request without a span", "requests without a span");
    put_count(out, import->bad, "that is no request", "that are no requests");
    put_count(out, import->refused, "request refused", "requests refused");
    buf_text(out, "\n");
    if (failure != NULL)
        buf_text(out, "This is not all: import it again, nothing is stored twice.\n");
}

void ctl_import_tell(struct ctl_import *import, const char *failure)
{
    struct buf out;

    buf_init(&out, SUMMARY_BYTES_MAX);
    if (import->ctl->json)
        put_json(import, failure, &out);
    else
        print(import, failure, &out);
    ctl_write(import->ctl, &out);
    buf_fini(&out);
    if (failure != NULL)
        ctl_fail(import->ctl, "%s", failure);
}
