/*
 * ctl_status_text.c - `tracespool status` as a screen.  Pure.
 */
#include <inttypes.h>

#include "clock.h"
#include "ctl_status.h"
#include "ctl_text.h"
#include "units.h"

#define LABEL_COLUMNS 11
#define TOLD_FROM_NS (10 * NS_PER_S) /* a drain that takes less is over before it was read */

struct screen {
    const struct ctl_status *status;
    struct buf *out;
    unsigned width;
    bool colored;
};

static void label(const struct screen *screen, const char *name, enum ctl_style style)
{
    ctl_text_style(screen->out, screen->colored, CTL_BOLD);
    ctl_text_pad(screen->out, slice_of_text(name), LABEL_COLUMNS);
    ctl_text_style(screen->out, screen->colored, CTL_PLAIN);
    if (style != CTL_PLAIN)
        ctl_text_style(screen->out, screen->colored, style);
}

static void end_line(const struct screen *screen)
{
    ctl_text_style(screen->out, screen->colored, CTL_PLAIN);
    buf_text(screen->out, "\n");
}

static void show_daemon(const struct screen *screen)
{
    const struct ctl_status *status = screen->status;

    label(screen, "daemon", status->owner != 0 ? CTL_GREEN : CTL_RED);
    if (status->owner != 0)
        buf_printf(screen->out, "running, process %d", (int)status->owner);
    else
        buf_text(screen->out, "not running");
    end_line(screen);
    bool receives = status->owner != 0 && !status->stat.refusing;
    label(screen, "receiving", receives ? CTL_GREEN : CTL_RED);
    buf_text(screen->out, receives ? "yes" : status->owner != 0 ? "refusing: the spool is full" : "no");
    end_line(screen);
}

static void show_pending(const struct screen *screen)
{
    const struct spool_stat *stat = &screen->status->stat;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX];

    label(screen, "pending", CTL_PLAIN);
    if (stat->pending_records == 0) {
        buf_text(screen->out, "nothing");
    } else {
        buf_printf(screen->out, "%s %s, %s spans, %s", units_format_count(a, stat->pending_records),
                   stat->pending_records == 1 ? "batch" : "batches", units_format_count(b, stat->pending_spans),
                   units_format_bytes(c, stat->pending_bytes));
        if (stat->oldest_pending_ns != 0)
            buf_printf(screen->out, "; the oldest waits for %s",
                       units_format_duration(a, ctl_status_age(screen->status, stat->oldest_pending_ns)));
    }
    end_line(screen);
}

/* A digit behind the point where it says something. */
static void put_rate(const struct screen *screen, const char *way, double spans, double batches)
{
    char text[UNITS_TEXT_MAX];

    if (spans < 10)
        buf_printf(screen->out, "%s %.1f spans/s", way, spans);
    else
        buf_printf(screen->out, "%s %s spans/s", way, units_format_count(text, (uint64_t)(spans + 0.5)));
    buf_printf(screen->out, batches < 10 ? " (%.1f batches/s)" : " (%.0f batches/s)", batches);
}

static void show_rates(const struct screen *screen)
{
    const struct ctl_status *status = screen->status;
    uint64_t left_ns = ctl_status_left_ns(status);
    char text[UNITS_TEXT_MAX];

    label(screen, "rates", CTL_PLAIN);
    if (status->owner == 0) {
        buf_text(screen->out, "nothing comes or goes without a daemon");
    } else if (!status->rates_known) {
        buf_text(screen->out, "unknown");
    } else {
        put_rate(screen, "in", status->rates.received_spans, status->rates.received_records);
        put_rate(screen, ", out", status->rates.delivered_spans, status->rates.delivered_records);
    }
    end_line(screen);
    if (left_ns < TOLD_FROM_NS)
        return;
    label(screen, "drain", CTL_PLAIN);
    buf_printf(screen->out, "all delivered in about %s", units_format_duration(text, left_ns));
    end_line(screen);
}

static void show_parked(const struct screen *screen)
{
    const struct spool_stat *stat = &screen->status->stat;
    char a[UNITS_TEXT_MAX];

    label(screen, "parked", stat->parked_entries > 0 ? CTL_YELLOW : CTL_PLAIN);
    if (stat->parked_entries == 0)
        buf_text(screen->out, "nothing");
    else
        buf_printf(screen->out, "%s %s", units_format_count(a, stat->parked_entries),
                   stat->parked_entries == 1 ? "entry" : "entries");
    end_line(screen);
}

/* Only when there is something: most spools never hold any. */
static void show_held(const struct screen *screen)
{
    const struct spool_stat *stat = &screen->status->stat;
    char text[UNITS_TEXT_MAX];

    if (stat->held_records == 0)
        return;
    label(screen, "held", CTL_YELLOW);
    buf_printf(screen->out, "%s %s", units_format_count(text, stat->held_records),
               stat->held_records == 1 ? "batch" : "batches");
    end_line(screen);
}

static void show_history(const struct screen *screen)
{
    const struct spool_stat *stat = &screen->status->stat;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

    label(screen, "history", CTL_PLAIN);
    if (stat->history_records == 0)
        buf_text(screen->out, "nothing");
    else
        buf_printf(
            screen->out, "%s delivered %s, back to %s (%s ago)", units_format_count(a, stat->history_records),
            stat->history_records == 1 ? "batch" : "batches", units_format_time(b, stat->oldest_record_ns),
            units_format_duration((char[UNITS_TEXT_MAX]){0}, ctl_status_age(screen->status, stat->oldest_record_ns)));
    end_line(screen);
}

static void show_disk(const struct screen *screen)
{
    const struct ctl_status *status = screen->status;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];
    double percent =
        status->stat.size_bytes > 0 ? 100.0 * (double)status->stat.used_bytes / (double)status->stat.size_bytes : 0;

    label(screen, "disk", CTL_PLAIN);
    buf_printf(screen->out, "%s of %s used (%.0f %%), history included", units_format_bytes(a, status->stat.used_bytes),
               units_format_bytes(b, status->stat.size_bytes), percent);
    if (status->file_system_known)
        buf_printf(screen->out, "; %s free on the file system", units_format_bytes(a, status->file_system_free_bytes));
    end_line(screen);
}

static enum ctl_style delivery_style(enum spool_delivery_state state)
{
    switch (state) {
    case SPOOL_DELIVERY_FLOWING:
        return CTL_GREEN;
    case SPOOL_DELIVERY_BACKING_OFF:
        return CTL_YELLOW;
    case SPOOL_DELIVERY_MISCONFIGURED:
    case SPOOL_DELIVERY_STORAGE_FULL:
        return CTL_RED;
    default:
        return CTL_PLAIN;
    }
}

static void show_mongodb(const struct screen *screen)
{
    const struct ctl_status *status = screen->status;
    const struct spool_delivery *delivery = &status->stat.delivery;
    char a[UNITS_TEXT_MAX];

    bool is_old = status->owner == 0 && delivery->since_ns != 0;

    label(screen, "MongoDB", is_old ? CTL_PLAIN : delivery_style(delivery->state));
    buf_text(screen->out, is_old ? "nothing is sent without a daemon, which noted last: " : "");
    buf_text(screen->out, delivery->since_ns == 0 ? "nothing sent yet" : spool_delivery_state_name(delivery->state));
    ctl_text_style(screen->out, screen->colored, CTL_PLAIN);
    if (delivery->since_ns != 0 && !is_old)
        buf_printf(screen->out, " for %s", units_format_duration(a, ctl_status_age(status, delivery->since_ns)));
    if (delivery->attempts > 0)
        buf_printf(screen->out, ", failed %s %s in a row", units_format_count(a, delivery->attempts),
                   delivery->attempts == 1 ? "time" : "times");
    if (delivery->last_ok_ns != 0)
        buf_printf(screen->out, "; last confirmed %s ago",
                   units_format_duration(a, ctl_status_age(status, delivery->last_ok_ns)));
    else if (delivery->since_ns != 0)
        buf_text(screen->out, "; nothing confirmed yet");
    end_line(screen);
    if (delivery->text[0] != '\0') {
        label(screen, "", CTL_PLAIN);
        ctl_text_wrap(screen->out, slice_of_text(delivery->text), LABEL_COLUMNS, screen->width);
        end_line(screen);
    }
}

static void show_totals(const struct screen *screen)
{
    const struct spool_stat *stat = &screen->status->stat;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX];

    label(screen, "totals", CTL_PLAIN);
    buf_printf(screen->out, "received %s %s, %s spans; delivered %s spans%s",
               units_format_count(a, stat->received_records), stat->received_records == 1 ? "batch" : "batches",
               units_format_count(b, stat->received_spans), units_format_count(c, stat->delivered_spans),
               stat->parked_entries > 0 ? ", with those that are parked" : "");
    end_line(screen);
}

void ctl_status_text(const struct ctl_status *status, unsigned width, bool colored, struct buf *out)
{
    struct screen screen = {.status = status, .out = out, .width = width, .colored = colored};
    struct ctl_finding findings[CTL_FINDINGS_MAX];
    size_t count = ctl_status_findings(status, findings);

    label(&screen, "spool", CTL_PLAIN);
    ctl_text_append(out, slice_of_text(status->path), CTL_TEXT_WHOLE);
    end_line(&screen);
    show_daemon(&screen);
    show_pending(&screen);
    show_rates(&screen);
    show_history(&screen);
    show_parked(&screen);
    show_held(&screen);
    show_disk(&screen);
    show_mongodb(&screen);
    show_totals(&screen);
    for (size_t i = 0; i < count; i++) {
        buf_text(out, i == 0 ? "\n" : "");
        ctl_text_style(out, colored, CTL_YELLOW);
        buf_text(out, "! ");
        ctl_text_style(out, colored, CTL_PLAIN);
        ctl_text_wrap(out, slice_of_text(findings[i].text), 2, width);
        buf_text(out, "\n");
    }
    if (count == 0)
        buf_text(out, "\nNothing needs attention.\n");
}

void ctl_status_frame(struct slice text, unsigned rows, struct buf *out)
{
    const uint8_t *end = text.data + text.len;
    unsigned row = 0;

    buf_text(out, "\033[H");
    for (const uint8_t *at = text.data, *next; at < end && (rows == 0 || row < rows); at = next, row++) {
        const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));

        next = line_end != NULL ? line_end + 1 : end;
        /* Not after the last line: a line end there would move all of them up by one. */
        buf_text(out, row > 0 ? "\n" : "");
        buf_append(out, at, (size_t)((line_end != NULL ? line_end : end) - at));
        buf_text(out, "\033[K");
    }
    buf_text(out, "\033[J");
}
