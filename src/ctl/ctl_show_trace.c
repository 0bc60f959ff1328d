/*
 * ctl_show_trace.c - `tracespool show TRACEID`: a trace from the spool and MongoDB as one tree.
 *
 * The spool first, then MongoDB; each span once, with where it is.  MongoDB
 * being away is when this command is needed most, so unless only MongoDB was
 * asked for it is a note and not a failure.
 */
#include <inttypes.h>

#include "ctl_chart.h"
#include "ctl_show_trace.h"
#include "ctl_terminal.h"
#include "ctl_text.h"
#include "hex.h"
#include "units.h"

#define LINE_BYTES_MAX (2 * CTL_TRACE_BYTES_MAX) /* a name that is all escapes grows */

/* 0, or -1 after the reason has been printed. */
static int ask_spool(struct ctl_found *found)
{
    struct err err;
    struct spool *spool = ctl_open_spool(found->ctl);
    int result = -1;

    if (spool != NULL) {
        result = ctl_find_in_spool(&found->spans, spool, found->trace_id, &found->report, &err);
        spool_close(spool);
        if (result < 0)
            ctl_fail(found->ctl, "%s", err.text);
    }
    if (result < 0 && found->options->from == CTL_FROM_BOTH)
        ctl_note(found->ctl, "--from mongodb looks in MongoDB alone");
    return result;
}

static int ask_mongodb(struct ctl_found *found)
{
    struct err err;
    const struct conf *conf = ctl_conf(found->ctl);

    if (conf == NULL)
        return -1;
    if (ctl_find_in_mongodb(&found->spans, conf, found->trace_id, (unsigned)found->options->timeout_ms, &err) == 0) {
        found->mongodb_answered = true;
        return 0;
    }
    if (found->options->from == CTL_FROM_MONGODB) {
        ctl_fail(found->ctl, "MongoDB: %s", err.text);
        return -1;
    }
    ctl_note(found->ctl, "only the spool was looked through, MongoDB: %s", err.text);
    return 0;
}

/* --- text ----------------------------------------------------------------- */

static void print_places(struct buf *out, const struct ctl_found *found)
{
    static const struct {
        const char *place;
        const char *text;
    } texts[] = {
        {"both", "in MongoDB and in the spool"},          {"mongodb", "in MongoDB"},
        {"spool", "in the spool, not delivered yet"},     {"parked", "parked, not in MongoDB"},
        {"held", "in the spool, held back from MongoDB"}, {"history", "in the spool, delivered"},
    };
    bool first = true;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size_t count = 0;

        for (size_t j = 0; j < found->spans.count; j++)
            count += strcmp(ctl_chart_place(found->spans.items[j].places), texts[i].place) == 0;
        if (count == 0)
            continue;
        buf_printf(out, "%s%zu %s", first ? "" : "; ", count, texts[i].text);
        if (found->mongodb_answered && strcmp(texts[i].place, "history") == 0)
            buf_text(out, ", yet not in MongoDB");
        if (found->options->from == CTL_FROM_BOTH && strcmp(texts[i].place, "mongodb") == 0)
            buf_text(out, ", no longer in the spool");
        first = false;
    }
    buf_text(out, "\n");
}

static void print_header(struct buf *out, const struct ctl_found *found, const struct ctl_trace *trace)
{
    char time[UNITS_TEXT_MAX];
    bool colored = ctl_terminal_colored(found->ctl);

    ctl_text_style(out, colored, CTL_BOLD);
    buf_printf(out, "trace %s", found->trace_hex);
    ctl_text_style(out, colored, CTL_PLAIN);
    buf_printf(out, "\n%zu %s of %zu %s", trace->count, trace->count == 1 ? "span" : "spans", trace->services,
               trace->services == 1 ? "service" : "services");
    if (trace->errors > 0)
        buf_printf(out, ", %zu %s", trace->errors, trace->errors == 1 ? "error" : "errors");
    if (trace->begin_unix_nano != 0) {
        buf_printf(out, "; began %s, took ", units_format_time(time, trace->begin_unix_nano));
        ctl_text_duration(out, trace->end_unix_nano - trace->begin_unix_nano);
    }
    buf_text(out, "\n");
    print_places(out, found);
    buf_text(out, "\n");
}

static void print_trace(const struct ctl_found *found, const struct ctl_trace *trace, struct buf *out)
{
    struct ctl_chart chart;

    print_header(out, found, trace);
    ctl_chart_init(&chart, trace, ctl_terminal_width(found->ctl), ctl_terminal_colored(found->ctl));
    ctl_chart_head(&chart, out);
    for (size_t i = 0; i < trace->count; i++) {
        ctl_chart_row(&chart, i, out);
        ctl_write(found->ctl, out);
    }
    ctl_chart_foot(&chart, out);
    ctl_write(found->ctl, out);
}

/* --- the verb -------------------------------------------------------------- */

static int show(struct ctl_found *found)
{
    struct ctl_trace trace;
    struct arena arena;
    struct buf out;
    struct err err;

    ctl_spans_merge(&found->spans);
    if (found->spans.count == 0)
        return ctl_fail(found->ctl, "no span of trace %s in %s", found->trace_hex,
                        !found->mongodb_answered                   ? "the spool"
                        : found->options->from == CTL_FROM_MONGODB ? "MongoDB"
                                                                   : "the spool or MongoDB");
    arena_init(&arena, CTL_TRACE_BYTES_MAX);
    buf_init(&out, LINE_BYTES_MAX);
    int result = ctl_trace_build(&trace, &arena, found->spans.items, found->spans.count, &err);
    if (result < 0)
        ctl_fail(found->ctl, "%s", err.text);
    else if (found->ctl->json)
        ctl_show_put_trace(found, &trace, &out);
    else
        print_trace(found, &trace, &out);
    buf_fini(&out);
    arena_fini(&arena);
    if (found->spans.cut)
        ctl_note(found->ctl, "the trace has more spans than are shown (at most %d)", CTL_TRACE_SPANS_MAX);
    return result < 0 ? CTL_FAILED : CTL_OK;
}

int ctl_show_trace(struct ctl *ctl, const uint8_t trace_id[OTLP_TRACE_ID_BYTES], const struct ctl_show_options *options)
{
    struct ctl_found found = {.ctl = ctl, .options = options, .trace_id = trace_id};
    int status = CTL_FAILED;

    hex_encode(found.trace_hex, trace_id, OTLP_TRACE_ID_BYTES);
    ctl_spans_init(&found.spans);
    bool asked = (options->from & CTL_FROM_SPOOL) == 0 || ask_spool(&found) == 0;
    if (asked && (options->from & CTL_FROM_MONGODB) != 0)
        asked = ask_mongodb(&found) == 0;
    if (asked)
        status = show(&found);
    if (asked && found.report.unreadable > 0) {
        ctl_note(ctl, "%" PRIu64 " damaged batches or parked entries could not be looked through",
                 found.report.unreadable);
        status = status == CTL_OK ? CTL_PARTIAL : status;
    }
    ctl_spans_fini(&found.spans);
    return status;
}
