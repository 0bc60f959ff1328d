/*
 * ctl_chart.c - draws a trace.
 *
 *   order: GET /order/{id}         server   12.3 ms  ██████████████████  both
 *   ├ OrderRepository.findById     internal 1.20 ms    ▏                 both
 *   └ GET                          client   8.10 ms     ███████████      spool
 *     └ ! pricing: GET /price      server   7.90 ms     ███████████      spool
 *
 * A service is written where it differs from the parent's.  The indent is
 * bounded, deeper rows say their depth.  Pure; nothing fails but a full
 * buffer, which is sticky in `out`.
 */
#include "ctl_chart.h"

#include <inttypes.h>
#include <string.h>

#include "ctl_text.h"

#define KIND_COLUMNS 8
#define DURATION_COLUMNS 9
#define PLACE_COLUMNS 7
#define GAP 2
#define NAME_COLUMNS_MIN 20
#define BAR_COLUMNS_MIN 8
#define NAME_TEXT_MIN 16 /* what indenting leaves for the name */
#define STATUS_CODE_ERROR 2

const char *ctl_chart_kind(int kind)
{
    static const char *const names[] = {"", "internal", "server", "client", "producer", "consumer"};

    return kind >= 0 && (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}

const char *ctl_chart_place(unsigned places)
{
    if ((places & CTL_IN_MONGODB) != 0)
        return places == CTL_IN_MONGODB ? "mongodb" : "both";
    /* Before history: the batch of what was parked is delivered as a whole. */
    if ((places & CTL_IN_PARKED) != 0)
        return "parked";
    if ((places & CTL_IN_HELD) != 0)
        return "held";
    return (places & CTL_IN_HISTORY) != 0 ? "history" : "spool";
}

/* Columns before the name: indent, depth, marks. */
static unsigned prefix_columns(const struct ctl_chart *chart, const struct ctl_row *row)
{
    unsigned columns = 2 * (row->depth < chart->levels ? row->depth : chart->levels);

    if (row->depth > chart->levels) {
        columns += 3; /* "[n] " */
        for (uint32_t depth = row->depth; depth > 0; depth /= 10)
            columns++;
    }
    if (row->mark != CTL_MARK_NONE)
        columns += 2;
    if (chart->trace->spans[row->span].status_code == STATUS_CODE_ERROR)
        columns += 2;
    return columns;
}

static bool names_service(const struct ctl_trace *trace, const struct ctl_row *row)
{
    const struct ctl_span *span = &trace->spans[row->span];

    if (span->service.len == 0)
        return false;
    return row->parent == CTL_NO_SPAN || !slice_equal(span->service, trace->spans[row->parent].service);
}

static unsigned row_columns(const struct ctl_chart *chart, const struct ctl_row *row, unsigned max)
{
    const struct ctl_span *span = &chart->trace->spans[row->span];
    unsigned columns = prefix_columns(chart, row) + ctl_text_columns(span->name, max);

    if (names_service(chart->trace, row))
        columns += ctl_text_columns(span->service, max) + 2;
    return columns < max ? columns : max;
}

void ctl_chart_init(struct ctl_chart *chart, const struct ctl_trace *trace, unsigned width, bool colored)
{
    unsigned fixed = KIND_COLUMNS + DURATION_COLUMNS + PLACE_COLUMNS + 4 * GAP;
    unsigned least = NAME_COLUMNS_MIN + BAR_COLUMNS_MIN;
    unsigned rest = width > fixed + least ? width - fixed : least;
    unsigned name_max = rest * 6 / 10 > NAME_COLUMNS_MIN ? rest * 6 / 10 : NAME_COLUMNS_MIN;

    *chart = (struct ctl_chart){.trace = trace, .colored = colored, .name_columns = NAME_COLUMNS_MIN};
    chart->levels = (name_max - NAME_TEXT_MIN) / 2;
    if (chart->levels > CTL_INDENT_LEVELS_MAX)
        chart->levels = CTL_INDENT_LEVELS_MAX;
    for (size_t i = 0; i < trace->count && chart->name_columns < name_max; i++) {
        unsigned columns = row_columns(chart, &trace->rows[i], name_max);

        if (columns > chart->name_columns)
            chart->name_columns = columns;
    }
    chart->bar_columns = rest - chart->name_columns;
}

void ctl_chart_head(const struct ctl_chart *chart, struct buf *out)
{
    struct buf length;
    uint64_t ns = chart->trace->end_unix_nano - chart->trace->begin_unix_nano;

    buf_init(&length, 64);
    ctl_text_duration(&length, ns);
    ctl_text_style(out, chart->colored, CTL_BOLD);
    ctl_text_pad(out, slice_of_text("SPAN"), chart->name_columns + GAP);
    ctl_text_pad(out, slice_of_text("KIND"), KIND_COLUMNS + GAP);
    ctl_text_pad(out, slice_of_text(" DURATION"), DURATION_COLUMNS + GAP);
    unsigned columns = ctl_text_columns(buf_slice(&length), chart->bar_columns);
    if (columns + 2 <= chart->bar_columns) {
        ctl_text_pad(out, slice_of_text("0"), chart->bar_columns - columns);
        ctl_text_append(out, buf_slice(&length), columns);
    } else {
        ctl_text_spaces(out, chart->bar_columns);
    }
    ctl_text_spaces(out, GAP);
    buf_text(out, "WHERE");
    ctl_text_style(out, chart->colored, CTL_PLAIN);
    buf_text(out, "\n");
    buf_fini(&length);
}

static void draw_indent(struct ctl_chart *chart, const struct ctl_row *row, struct buf *out)
{
    uint32_t levels = row->depth < chart->levels ? row->depth : chart->levels;

    chart->more[levels] = !row->last && row->depth <= chart->levels;
    ctl_text_style(out, chart->colored, CTL_DIM);
    for (uint32_t level = 1; level <= levels; level++) {
        if (level < row->depth)
            buf_text(out, chart->more[level] ? "│ " : "  ");
        else
            buf_text(out, row->last ? "└ " : "├ ");
    }
    if (row->depth > chart->levels)
        buf_printf(out, "[%" PRIu32 "] ", row->depth);
    ctl_text_style(out, chart->colored, CTL_PLAIN);
}

static void draw_name(struct ctl_chart *chart, const struct ctl_row *row, struct buf *out)
{
    const struct ctl_span *span = &chart->trace->spans[row->span];
    bool failed = span->status_code == STATUS_CODE_ERROR;
    unsigned prefix = prefix_columns(chart, row);
    unsigned left = chart->name_columns > prefix ? chart->name_columns - prefix : 0;

    draw_indent(chart, row, out);
    if (failed) {
        ctl_text_style(out, chart->colored, CTL_RED);
        buf_text(out, "! ");
    }
    if (row->mark != CTL_MARK_NONE)
        buf_text(out, row->mark == CTL_MARK_ORPHAN ? "? " : "@ ");
    if (names_service(chart->trace, row) && left > 4) {
        ctl_text_style(out, chart->colored, CTL_BOLD);
        left -= ctl_text_append(out, span->service, left - 4);
        buf_text(out, ": ");
        left -= 2;
        ctl_text_style(out, chart->colored, CTL_PLAIN);
        ctl_text_style(out, chart->colored && failed, CTL_RED);
    }
    ctl_text_pad(out, span->name, left);
    ctl_text_style(out, chart->colored && failed, CTL_PLAIN);
}

/* In floating point: two 64-bit times may be 2^64 ns apart. */
static unsigned to_columns(uint64_t ns, uint64_t whole_ns, unsigned columns)
{
    unsigned at = whole_ns == 0 ? 0 : (unsigned)((double)ns / (double)whole_ns * columns + 0.5);

    return at < columns ? at : columns;
}

static void draw_bar(const struct ctl_chart *chart, const struct ctl_span *span, struct buf *out)
{
    const struct ctl_trace *trace = chart->trace;
    uint64_t whole = trace->end_unix_nano - trace->begin_unix_nano;
    uint64_t ns = 0;

    if (span->start_unix_nano == 0) {
        ctl_text_spaces(out, chart->bar_columns);
        return;
    }
    bool ended = ctl_trace_duration(span, &ns);
    unsigned from = to_columns(span->start_unix_nano - trace->begin_unix_nano, whole, chart->bar_columns);
    unsigned to = to_columns(span->start_unix_nano - trace->begin_unix_nano + ns, whole, chart->bar_columns);
    bool is_short = to <= from; /* than half a column, or without an end */
    if (from >= chart->bar_columns)
        from = chart->bar_columns - 1;
    ctl_text_spaces(out, from);
    ctl_text_style(out, chart->colored, span->status_code == STATUS_CODE_ERROR ? CTL_RED : CTL_GREEN);
    if (is_short) {
        buf_text(out, ended ? "▏" : ">");
        to = from + 1;
    } else {
        for (unsigned i = from; i < to; i++)
            buf_text(out, "█");
    }
    ctl_text_style(out, chart->colored, CTL_PLAIN);
    ctl_text_spaces(out, chart->bar_columns - to);
}

void ctl_chart_row(struct ctl_chart *chart, size_t row, struct buf *out)
{
    const struct ctl_span *span = &chart->trace->spans[chart->trace->rows[row].span];
    bool waits =
        strcmp(ctl_chart_place(span->places), "spool") == 0 || (span->places & (CTL_IN_PARKED | CTL_IN_HELD)) != 0;

    draw_name(chart, &chart->trace->rows[row], out);
    ctl_text_spaces(out, GAP);
    ctl_text_pad(out, slice_of_text(ctl_chart_kind(span->kind)), KIND_COLUMNS + GAP);
    ctl_text_span_duration(out, span->start_unix_nano, span->end_unix_nano, DURATION_COLUMNS);
    ctl_text_spaces(out, GAP);
    draw_bar(chart, span, out);
    ctl_text_spaces(out, GAP);
    ctl_text_style(out, chart->colored, waits ? CTL_YELLOW : CTL_DIM);
    buf_text(out, ctl_chart_place(span->places));
    ctl_text_style(out, chart->colored, CTL_PLAIN);
    buf_text(out, "\n");
}

static void explain(struct buf *out, bool used, const char *text)
{
    if (used)
        buf_printf(out, "%s\n", text);
}

static void list_errors(const struct ctl_chart *chart, struct buf *out)
{
    const struct ctl_trace *trace = chart->trace;
    size_t told = 0, texts = 0;

    for (size_t i = 0; i < trace->count; i++) {
        const struct ctl_span *span = &trace->spans[trace->rows[i].span];

        if (span->status_code != STATUS_CODE_ERROR || span->status_text.len == 0)
            continue;
        texts++;
        if (told == CTL_ERRORS_MAX)
            continue;
        buf_text(out, told == 0 ? "\nErrors:\n  " : "  ");
        ctl_text_append(out, span->service, 40);
        buf_text(out, span->service.len > 0 ? ": " : "");
        ctl_text_append(out, span->name, 60);
        buf_text(out, ": ");
        ctl_text_append(out, span->status_text, 400);
        buf_text(out, "\n");
        told++;
    }
    if (texts > told)
        buf_printf(out, "  and %zu more\n", texts - told);
}

void ctl_chart_foot(const struct ctl_chart *chart, struct buf *out)
{
    const struct ctl_trace *trace = chart->trace;
    size_t before = out->len;

    buf_text(out, "\n");
    explain(out, trace->errors > 0, "!    status ERROR");
    explain(out, trace->orphans > 0, "?    its parent is not here");
    explain(out, trace->cycles > 0, "@    its parents lead back to it");
    explain(out, trace->deepest > chart->levels, "[n]  n levels deep");
    if (out->len == before + 1)
        out->len = before;
    list_errors(chart, out);
}
