/*
 * ctl_salvage_tell.c - what `tracespool salvage` says at the end.
 */
#include <inttypes.h>

#include "ctl_salvage.h"
#include "ctl_text.h"
#include "json.h"
#include "units.h"

static void put_report(struct json *json, const struct spool_salvage_report *report)
{
    json_member_uint(json, "file_bytes", report->file_bytes);
    json_member_uint(json, "searched_bytes", report->scanned_bytes);
    json_member_uint(json, "unreadable_bytes", report->unreadable_bytes);
    json_member_uint(json, "batches", report->records);
    json_member_uint(json, "multi_part_batches", report->multi_part);
    json_member_uint(json, "parked_entries", report->parked);
    json_member_uint(json, "parked_whole_batches", report->parked_whole);
    json_member_uint(json, "damaged_parts", report->damaged_parts);
    json_member_uint(json, "incomplete", report->incomplete);
    json_key(json, "incomplete_seqs");
    json_begin_array(json);
    for (size_t i = 0; i < report->incomplete_seq_count; i++)
        json_uint(json, report->incomplete_seqs[i]);
    json_end_array(json);
}

static void put_json(const struct ctl_salvage *salvage, const char *failure, struct buf *out)
{
    bool sending = salvage->output == NULL && !salvage->dry_run;
    struct json json;

    json_init(&json, out);
    json_begin_object(&json);
    json_key(&json, "file");
    json_text(&json, salvage->path);
    put_report(&json, &salvage->report);
    json_member_uint(&json, "undecodable", salvage->unreadable);
    json_member_uint(&json, "requests", salvage->requests);
    json_member_uint(&json, "request_bytes", salvage->request_bytes);
    json_member_uint(&json, "spans", salvage->spans);
    json_member_bool(&json, "dry_run", salvage->dry_run);
    json_key(&json, "endpoint");
    json_text(&json, sending ? salvage->sender.endpoint : NULL);
    json_key(&json, "output");
    json_text(&json, salvage->output);
    json_member_uint(&json, "written", salvage->written);
    json_member_uint(&json, "sent", salvage->sender.ok);
    json_member_uint(&json, "refused", salvage->sender.refused);
    json_key(&json, "error");
    json_text(&json, failure);
    json_end_object(&json);
    buf_text(out, "\n");
}

static void print_found(const struct ctl_salvage *salvage, struct buf *out)
{
    const struct spool_salvage_report *report = &salvage->report;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

    ctl_text_append(out, slice_of_text(salvage->path), CTL_TEXT_WHOLE);
    buf_printf(out, ": searched %s, found %s whole %s", units_format_bytes(a, report->scanned_bytes),
               units_format_count(b, report->records), report->records == 1 ? "batch" : "batches");
    if (report->parked > 0)
        buf_printf(out, " and %s parked %s", units_format_count(a, report->parked),
                   report->parked == 1 ? "entry" : "entries");
    buf_text(out, "\n");
    if (report->unreadable_bytes > 0)
        buf_printf(out, "%s could not be read from the disk\n", units_format_bytes(a, report->unreadable_bytes));
}

static void print_incomplete(const struct ctl_salvage *salvage, struct buf *out)
{
    const struct spool_salvage_report *report = &salvage->report;
    char text[UNITS_TEXT_MAX];

    if (report->incomplete > 0) {
        buf_printf(out, "%s %s not whole, a part is damaged, or was written over long after delivery:",
                   units_format_count(text, report->incomplete), report->incomplete == 1 ? "other is" : "others are");
        for (size_t i = 0; i < report->incomplete_seq_count; i++)
            buf_printf(out, "%s %" PRIu64, i > 0 ? "," : "", report->incomplete_seqs[i]);
        buf_text(out, report->incomplete_seq_count == SPOOL_SALVAGE_SEQS_MAX ? ", ...\n" : "\n");
    }
    if (salvage->unreadable > 0)
        buf_printf(out, "%s of the batches cannot be decompressed\n", units_format_count(text, salvage->unreadable));
}

static void print_outcome(const struct ctl_salvage *salvage, struct buf *out)
{
    const struct ctl_sender *sender = &salvage->sender;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX];

    buf_printf(out, "%s %s with %s spans, %s: ", units_format_count(a, salvage->requests),
               salvage->requests == 1 ? "request" : "requests", units_format_count(b, salvage->spans),
               units_format_bytes(c, salvage->request_bytes));
    if (salvage->dry_run) {
        buf_text(out, "not sent (--dry-run)\n");
    } else if (salvage->output != NULL) {
        buf_printf(out, "%s written to ", units_format_count(a, salvage->written));
        ctl_text_append(out, slice_of_text(salvage->output), CTL_TEXT_WHOLE);
        buf_text(out, "\n");
    } else {
        buf_printf(out, "%s sent to ", units_format_count(a, sender->ok));
        ctl_text_append(out, slice_of_text(sender->endpoint), CTL_TEXT_WHOLE);
        if (sender->refused > 0)
            buf_printf(out, ", %s refused", units_format_count(a, sender->refused));
        buf_text(out, "\n");
    }
}

void ctl_salvage_tell(struct ctl_salvage *salvage, const char *failure, struct buf *out)
{
    const struct spool_salvage_report *report = &salvage->report;

    if (salvage->ctl->json) {
        put_json(salvage, failure, out);
        return;
    }
    if (failure != NULL && report->passes == 0)
        return; /* it did not begin: the error says all */
    print_found(salvage, out);
    print_incomplete(salvage, out);
    if (salvage->requests > 0)
        print_outcome(salvage, out);
    if (failure != NULL)
        buf_text(out, "This is not all: salvage it again, nothing is stored twice.\n");
}
