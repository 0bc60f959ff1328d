/*
 * ctl_check.c - `tracespool check`: is all of the spool as it should be?
 *
 * Beside a running daemon or without one; nothing is changed.  What is wrong
 * is printed when it is found, a summary at the end.
 *
 * Exit status 0: sound; 2: something is wrong, also when it is known and parked
 * already; 1: it could not be checked.
 */
#include <getopt.h>
#include <inttypes.h>

#include "ctl.h"
#include "ctl_progress.h"
#include "ctl_terminal.h"
#include "ctl_text.h"
#include "ctl_verbs.h"
#include "json.h"
#include "spool_check.h"
#include "units.h"

#define LABEL_COLUMNS 11
#define OUT_BYTES_MAX (1UL << 20) /* all findings that are kept, as JSON */

struct check {
    struct ctl *ctl;
    const char *path;
    struct ctl_progress progress;
    struct spool_check_report report;
    struct buf out;
    unsigned width;
    bool colored;
};

const struct ctl_option ctl_check_options[] = {{NULL, NULL, 0, NULL}};

/* --- JSON ------------------------------------------------------------------ */

static void put_findings(struct json *json, const struct spool_check_report *report)
{
    json_member_uint(json, "finding_count", report->finding_count);
    json_key(json, "findings");
    json_begin_array(json);
    for (size_t i = 0; i < report->finding_count && i < SPOOL_CHECK_FINDINGS_MAX; i++) {
        const struct spool_check_finding *finding = &report->findings[i];

        json_begin_object(json);
        json_key(json, "kind");
        json_text(json, spool_check_kind_name(finding->kind));
        json_key(json, "seq");
        if (finding->seq != 0)
            json_uint(json, finding->seq);
        else
            json_null(json);
        json_member_bool(json, "known", finding->known);
        json_key(json, "text");
        json_text(json, finding->text);
        json_end_object(json);
    }
    json_end_array(json);
}

static void put_report(struct check *check, const char *error)
{
    const struct spool_check_report *report = &check->report;
    struct json json;

    json_init(&json, &check->out);
    json_begin_object(&json);
    json_key(&json, "spool");
    json_text(&json, check->path);
    json_member_bool(&json, "sound", error == NULL && report->finding_count == 0);
    json_member_bool(&json, "daemon_running", report->owner != 0);
    json_member_bool(&json, "structure_checked", report->structure_checked);
    json_key(&json, "structure_note");
    json_text(&json, report->structure_note[0] != '\0' ? report->structure_note : NULL);
    json_member_uint(&json, "used_pages", report->used_pages);
    json_member_uint(&json, "free_pages", report->free_pages);
    json_member_uint(&json, "lost_pages", report->lost_pages);
    json_member_bool(&json, "content_checked", report->content_checked);
    json_member_uint(&json, "batches", report->records);
    json_member_uint(&json, "pending_batches", report->pending_records);
    json_member_uint(&json, "held_batches", report->held_records);
    json_member_uint(&json, "stored_bytes", report->stored_bytes);
    json_member_uint(&json, "parked_entries", report->parked);
    json_member_uint(&json, "damaged_batches", report->damaged_records);
    json_member_uint(&json, "damaged_batches_known", report->known_records);
    json_member_uint(&json, "damaged_parked_entries", report->damaged_parked);
    json_member_bool(&json, "counters_compared", report->counters_compared);
    put_findings(&json, report);
    json_key(&json, "error");
    json_text(&json, error);
    json_end_object(&json);
    buf_text(&check->out, "\n");
}

/* --- text ------------------------------------------------------------------ */

static void label(struct check *check, const char *name)
{
    ctl_text_style(&check->out, check->colored, CTL_BOLD);
    ctl_text_pad(&check->out, slice_of_text(name), LABEL_COLUMNS);
    ctl_text_style(&check->out, check->colored, CTL_PLAIN);
}

static void print_structure(struct check *check)
{
    const struct spool_check_report *report = &check->report;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX];

    label(check, "structure");
    if (!report->structure_checked)
        ctl_text_wrap(&check->out, slice_of_text(report->structure_note), LABEL_COLUMNS, check->width);
    else if (!report->content_checked)
        buf_text(&check->out, "damaged: nothing else was looked at");
    else
        buf_printf(&check->out, "sound; %s pages in use, %s free, %s lost", units_format_count(a, report->used_pages),
                   units_format_count(b, report->free_pages), units_format_count(c, report->lost_pages));
    buf_text(&check->out, "\n");
}

static void print_batches(struct check *check)
{
    const struct spool_check_report *report = &check->report;
    uint64_t history = report->records - report->pending_records - report->held_records;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX], d[UNITS_TEXT_MAX], e[UNITS_TEXT_MAX];

    label(check, "batches");
    buf_printf(&check->out, "%s read, %s: %s pending, %s held, %s history\n", units_format_count(a, report->records),
               units_format_bytes(b, report->stored_bytes), units_format_count(c, report->pending_records),
               units_format_count(d, report->held_records), units_format_count(e, history));
    if (report->damaged_records > 0) {
        label(check, "");
        buf_printf(&check->out, "%s damaged", units_format_count(a, report->damaged_records));
        if (report->known_records > 0)
            buf_printf(&check->out, ", of which %s %s parked for that", units_format_count(b, report->known_records),
                       report->known_records == 1 ? "is" : "are");
        buf_text(&check->out, "\n");
    }
    label(check, "parked");
    buf_printf(&check->out, "%s %s", units_format_count(a, report->parked), report->parked == 1 ? "entry" : "entries");
    if (report->damaged_parked > 0)
        buf_printf(&check->out, ", %s damaged", units_format_count(b, report->damaged_parked));
    buf_text(&check->out, "\n");
    label(check, "counters");
    buf_text(&check->out, report->counters_compared ? "compared\n" : "not compared: the spool was written meanwhile\n");
}

static void print_report(struct check *check)
{
    const struct spool_check_report *report = &check->report;
    char text[UNITS_TEXT_MAX];

    buf_text(&check->out, report->finding_count > 0 ? "\n" : "");
    label(check, "spool");
    ctl_text_append(&check->out, slice_of_text(check->path), CTL_TEXT_WHOLE);
    if (report->owner != 0)
        buf_printf(&check->out, ", beside the daemon, process %d", (int)report->owner);
    buf_text(&check->out, "\n");
    print_structure(check);
    if (report->content_checked)
        print_batches(check);
    label(check, "result");
    ctl_text_style(&check->out, check->colored, report->finding_count > 0 ? CTL_RED : CTL_GREEN);
    if (report->finding_count == 0)
        buf_text(&check->out, report->structure_checked ? "sound" : "sound, as far as it was checked");
    else
        buf_printf(&check->out, "%s %s", units_format_count(text, report->finding_count),
                   report->finding_count == 1 ? "thing is wrong" : "things are wrong");
    ctl_text_style(&check->out, check->colored, CTL_PLAIN);
    buf_text(&check->out, "\n");
}

static void advise(struct check *check)
{
    static const char structure[] =
        "At its next start tracespoold moves a file like this aside and begins a new one; `tracespool salvage` then "
        "sends what is intact in it.";
    static const char batches[] = "What else is in the spool is not affected. `tracespool ls --parked` lists what the "
                                  "daemon has found damaged itself.";
    const struct spool_check_report *report = &check->report;

    if (report->finding_count == 0)
        return;
    buf_text(&check->out, "\n");
    ctl_text_wrap(&check->out, slice_of_text(report->content_checked ? batches : structure), 0, check->width);
    buf_text(&check->out, "\n");
}

/* --- the verb -------------------------------------------------------------- */

static void tell_finding(void *context, const struct spool_check_finding *finding)
{
    struct check *check = context;

    if (check->ctl->json)
        return;
    ctl_progress_clear(&check->progress);
    ctl_text_style(&check->out, check->colored, CTL_YELLOW);
    buf_text(&check->out, "! ");
    ctl_text_style(&check->out, check->colored, CTL_PLAIN);
    ctl_text_wrap(&check->out, slice_of_text(finding->text), 2, check->width);
    buf_text(&check->out, "\n");
    ctl_write(check->ctl, &check->out);
}

static void show_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
    struct check *check = context;

    ctl_progress_show(&check->progress, what, done, total);
}

static int run(struct check *check)
{
    struct spool_check_to to = {.context = check, .finding = tell_finding, .progress = show_progress};
    struct err err;
    int result = spool_check(check->path, &to, &check->report, &err);

    ctl_progress_clear(&check->progress);
    if (check->ctl->json) {
        put_report(check, result < 0 ? err.text : NULL);
    } else if (result == 0) {
        print_report(check);
        advise(check);
    }
    ctl_write(check->ctl, &check->out);
    if (result < 0)
        return ctl_fail_open(check->ctl, &err);
    return check->report.finding_count > 0 ? CTL_PARTIAL : CTL_OK;
}

int ctl_check(struct ctl *ctl, int argc, char **argv)
{
    struct check check = {.ctl = ctl, .width = ctl_terminal_width(ctl), .colored = ctl_terminal_colored(ctl)};
    const char *argument;

    if (ctl_options_next(ctl, argc, argv, ctl_check_options, &argument) == CTL_OPTIONS_STOP)
        return ctl->exit;
    if (optind < argc)
        return ctl_fail(ctl, "takes no operand; --spool DIR names another spool");
    check.path = ctl_spool_path(ctl);
    if (check.path == NULL)
        return CTL_FAILED;
    ctl_progress_init(&check.progress, ctl);
    buf_init(&check.out, OUT_BYTES_MAX);
    int status = run(&check);
    buf_fini(&check.out);
    return status;
}
