/*
 * ctl_export_tell.c - what `tracespool export` says: on standard error, as its output is data.
 */
#include <unistd.h>

#include "ctl_export.h"
#include "ctl_text.h"
#include "json.h"
#include "units.h"

#define SUMMARY_BYTES_MAX (64UL << 10)
#define LINE_BYTES 128

void ctl_export_show_progress(struct ctl_export *export)
{
    char line[LINE_BYTES], a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX];

    /* On a terminal that shows the output itself it would stand in between. */
    if (!ctl_progress_due(&export->progress) || (export->output == NULL && isatty(fileno(export->ctl->out)) == 1))
        return;
    snprintf(line, sizeof(line), "exporting: %s batches, %s spans, %s", units_format_count(a, export->batches),
             units_format_count(b, export->spans), units_format_bytes(c, export->bytes));
    ctl_progress_line(&export->progress, line);
}

static void put_json(const struct ctl_export *export, const char *failure, struct buf *out)
{
    struct json json;

    json_init(&json, out);
    json_begin_object(&json);
    json_key(&json, "format");
    json_text(&json, export->proto ? "proto" : "json");
    json_key(&json, "output");
    json_text(&json, export->output);
    json_member_uint(&json, "batches", export->batches);
    json_member_uint(&json, "parked_entries", export->entries);
    json_member_uint(&json, "spans", export->spans);
    json_member_uint(&json, "bytes", export->bytes);
    json_member_uint(&json, "damaged", export->damaged);
    json_member_uint(&json, "failed", export->edit->failed);
    json_member_bool(&json, "interrupted", export->interrupted);
    json_key(&json, "error");
    json_text(&json, failure);
    json_end_object(&json);
    buf_text(out, "\n");
}

static void put_count(struct buf *out, uint64_t count, const char *one, const char *many)
{
    char text[UNITS_TEXT_MAX];

    buf_printf(out, "%s %s, ", units_format_count(text, count), count == 1 ? one : many);
}

/* "nothing to export: 934 delivered batches of that time; --history or --all takes them" */
static void print_nothing(const struct ctl_export *export, struct buf *out)
{
    const char *time = export->pick.since_ns > 0 || export->pick.until_ns != UINT64_MAX ? " of that time" : "";
    const char *before = ": ";
    char text[UNITS_TEXT_MAX];
    uint64_t sum = 0;

    buf_text(out, "nothing to export");
    for (int state = 0; state < CTL_EXPORT_STATES; state++) {
        sum += export->left[state];
        if (export->left[state] == 0)
            continue;
        buf_printf(out, "%s%s %s", before, units_format_count(text, export->left[state]),
                   spool_record_state_name((enum spool_record_state)state));
        before = ", ";
    }
    if (sum > 0)
        buf_printf(out, " %s%s; %s--all takes %s", sum == 1 ? "batch" : "batches", time,
                   sum == export->left[SPOOL_DELIVERED] ? "--history or " : "", sum == 1 ? "it" : "them");
    buf_text(out, "\n");
}

static void print(const struct ctl_export *export, const char *failure, struct buf *out)
{
    char text[UNITS_TEXT_MAX];

    if (failure != NULL && (export->requests == 0 || export->output != NULL))
        return; /* nothing is left of it */
    if (export->requests == 0) {
        print_nothing(export, out);
        return;
    }
    buf_text(out, "exported ");
    if (export->batches > 0)
        put_count(out, export->batches, "batch", "batches");
    if (export->entries > 0)
        put_count(out, export->entries, "parked entry", "parked entries");
    put_count(out, export->spans, "span", "spans");
    buf_text(out, units_format_bytes(text, export->bytes));
    if (export->output != NULL) {
        buf_text(out, " to ");
        ctl_text_append(out, slice_of_text(export->output), CTL_TEXT_WHOLE);
    }
    buf_text(out, failure != NULL ? "; this is not all\n" : "\n");
}

void ctl_export_tell(struct ctl_export *export, const char *failure)
{
    struct buf out;

    buf_init(&out, SUMMARY_BYTES_MAX);
    if (failure != NULL)
        ctl_fail(export->ctl, "%s", failure);
    if (export->ctl->json)
        put_json(export, failure, &out);
    else
        print(export, failure, &out);
    if (out.len > 0)
        fwrite(out.data, 1, out.len, export->ctl->err);
    buf_fini(&out);
}
