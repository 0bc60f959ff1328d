/*
 * ctl_tail_put.c - a span as a line.  Pure.
 *
 * The trace's id stands last and whole, since it is what is typed next
 * (`tracespool show`): on a narrow terminal it is what wraps.
 */
#include <string.h>

#include "clock.h"
#include "ctl_chart.h"
#include "ctl_tail.h"
#include "ctl_text.h"
#include "ctl_words.h"
#include "hex.h"
#include "json.h"
#include "units.h"

#define TIME_COLUMNS 20
#define SERVICE_COLUMNS 14
#define KIND_COLUMNS 8
#define DURATION_COLUMNS 9
#define STATUS_COLUMNS 5
#define NAME_COLUMNS_MIN 20
#define STATUS_CODE_ERROR 2

int ctl_tail_status(const char *text, int *status_code)
{
    int choice = ctl_words_choose(ctl_words_status, text);

    if (choice < 0)
        return -1;
    *status_code = choice;
    return 0;
}

bool ctl_tail_is_wanted(const struct ctl_tail_filter *filter, const struct ctl_span *span)
{
    uint64_t ns;

    if (filter->service != NULL && !slice_equal(slice_of_text(filter->service), span->service))
        return false;
    if (filter->status != CTL_TAIL_ANY_STATUS && filter->status != span->status_code)
        return false;
    return filter->min_duration_ns == 0 || (ctl_trace_duration(span, &ns) && ns >= filter->min_duration_ns);
}

unsigned ctl_tail_name_columns(unsigned width)
{
    unsigned used = TIME_COLUMNS + SERVICE_COLUMNS + KIND_COLUMNS + DURATION_COLUMNS + STATUS_COLUMNS +
                    2 * OTLP_TRACE_ID_BYTES + 6; /* and a space between any two */

    return width > used + NAME_COLUMNS_MIN ? width - used : NAME_COLUMNS_MIN;
}

void ctl_tail_text(const struct ctl_tail_span *span, unsigned name_columns, bool colored, struct buf *out)
{
    const struct ctl_span *it = &span->span;
    bool failed = it->status_code == STATUS_CODE_ERROR;
    char time[UNITS_TEXT_MAX], hex[2 * OTLP_TRACE_ID_BYTES + 1];

    buf_printf(out, "%.19sZ ", units_format_time(time, span->received_ns));
    ctl_text_pad(out, it->service.len > 0 ? it->service : slice_of_text("-"), SERVICE_COLUMNS);
    buf_text(out, " ");
    ctl_text_style(out, colored, CTL_BOLD);
    ctl_text_pad(out, it->name, name_columns);
    ctl_text_style(out, colored, CTL_PLAIN);
    buf_text(out, " ");
    ctl_text_pad(out, slice_of_text(ctl_chart_kind(it->kind)), KIND_COLUMNS);
    buf_text(out, " ");
    ctl_text_span_duration(out, it->start_unix_nano, it->end_unix_nano, DURATION_COLUMNS);
    ctl_text_style(out, colored && failed, CTL_RED);
    buf_printf(out, " %-*s ", STATUS_COLUMNS, failed ? "ERROR" : it->status_code == 1 ? "ok" : "");
    ctl_text_style(out, colored && failed, CTL_PLAIN);
    hex_encode(hex, span->trace_id, OTLP_TRACE_ID_BYTES);
    ctl_text_style(out, colored, CTL_DIM);
    buf_text(out, hex);
    ctl_text_style(out, colored, CTL_PLAIN);
    buf_text(out, "\n");
}

/* --- JSON ------------------------------------------------------------------ */

static void put_id(struct json *json, const char *key, const uint8_t *id, size_t len)
{
    char hex[2 * OTLP_TRACE_ID_BYTES + 1];

    json_key(json, key);
    if (id == NULL) {
        json_null(json);
        return;
    }
    hex_encode(hex, id, len);
    json_text(json, hex);
}

void ctl_tail_json(const struct ctl_tail_span *span, struct buf *out)
{
    const struct ctl_span *it = &span->span;
    struct json json;
    uint64_t ns;

    json_init(&json, out);
    json_begin_object(&json);
    json_member_uint(&json, "seq", span->seq);
    json_member_uint(&json, "received_unix_ns", span->received_ns);
    put_id(&json, "trace_id", span->trace_id, OTLP_TRACE_ID_BYTES);
    put_id(&json, "span_id", it->span_id, OTLP_SPAN_ID_BYTES);
    put_id(&json, "parent_span_id", it->has_parent ? it->parent_span_id : NULL, OTLP_SPAN_ID_BYTES);
    json_key(&json, "service");
    json_string(&json, it->service);
    json_key(&json, "name");
    json_string(&json, it->name);
    json_key(&json, "kind");
    json_text(&json, it->kind == 0 ? "unspecified" : ctl_chart_kind(it->kind));
    json_key(&json, "status");
    json_text(&json,
              it->status_code >= 0 && it->status_code <= STATUS_CODE_ERROR ? ctl_words_status[it->status_code] : "?");
    json_key(&json, "status_message");
    json_string(&json, it->status_text);
    json_member_uint(&json, "start_unix_ns", it->start_unix_nano);
    json_member_uint(&json, "end_unix_ns", it->end_unix_nano);
    json_key(&json, "duration_seconds");
    if (ctl_trace_duration(it, &ns))
        json_double(&json, (double)ns / NS_PER_S);
    else
        json_null(&json);
    json_end_object(&json);
    buf_text(out, "\n");
}
