/*
 * ctl_show_batch_text.c - the lines of a batch that is shown.
 */
#include <inttypes.h>

#include "ctl_chart.h"
#include "ctl_show_batch.h"
#include "ctl_text.h"
#include "hex.h"
#include "otlp_codec.h"
#include "units.h"

#define STATUS_CODE_ERROR 2
#define KIND_COLUMNS 8
#define DURATION_COLUMNS 9
#define SPAN_COLUMNS 61 /* of a span's line, before the name */
#define NAME_COLUMNS_MIN 16

void ctl_show_print_header(struct ctl_show_page *page, uint64_t now_ns)
{
    const struct spool_record *record = &page->batch.record;
    struct buf *out = &page->out;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX];
    uint64_t age = now_ns > record->received_ns ? now_ns - record->received_ns : 0;

    ctl_text_style(out, page->colored, CTL_BOLD);
    buf_printf(out, "batch %" PRIu64, record->seq);
    ctl_text_style(out, page->colored, CTL_PLAIN);
    buf_printf(out, "  %s, received %s (%s ago)\n", spool_record_state_name(record->state),
               units_format_time(a, record->received_ns), units_format_duration(b, age));
    buf_printf(out, "%s %s; %s, stored as %s in %s\n", units_format_count(a, record->spans),
               record->spans == 1 ? "span" : "spans", units_format_bytes(b, record->raw_bytes),
               otlp_codec_name((enum otlp_codec)record->codec), units_format_bytes(c, record->stored_bytes));
}

void ctl_show_print_resource(struct ctl_show_page *page, const Otlp__Resource *resource)
{
    struct buf *out = &page->out;
    struct slice service = slice_of(NULL, 0);
    size_t attributes = 0;

    if (resource != NULL) {
        service = otlp_attribute_string(resource->attributes, resource->n_attributes, "service.name");
        attributes = resource->n_attributes;
    }
    buf_text(out, "\nresource ");
    ctl_text_style(out, page->colored, CTL_BOLD);
    if (service.len > 0)
        ctl_text_append(out, service, page->width);
    else
        buf_text(out, "without service.name");
    ctl_text_style(out, page->colored, CTL_PLAIN);
    buf_printf(out, "  %zu %s\n", attributes, attributes == 1 ? "attribute" : "attributes");
}

void ctl_show_print_scope(struct ctl_show_page *page, const Otlp__InstrumentationScope *scope)
{
    struct buf *out = &page->out;

    buf_text(out, "  scope ");
    if (scope == NULL || scope->name.len == 0) {
        buf_text(out, "without a name\n");
        return;
    }
    ctl_text_append(out, slice_of(scope->name.data, scope->name.len), page->width);
    buf_text(out, " ");
    ctl_text_append(out, slice_of(scope->version.data, scope->version.len), page->width);
    buf_text(out, "\n");
}

/* A trace's id stands once over its spans: 32 digits a line would leave no room for the names. */
void ctl_show_print_trace_id(struct ctl_show_page *page, const struct otlp_span_ref *ref,
                             const struct otlp_span_ref *before)
{
    char hex[2 * OTLP_TRACE_ID_BYTES + 1];

    if (ref->validity != OTLP_VALID) {
        buf_printf(&page->out, "    not stored: its %s is not valid\n", otlp_validity_name(ref->validity));
        return;
    }
    if (before != NULL && before->validity == OTLP_VALID && before->scope == ref->scope &&
        memcmp(before->trace_id, ref->trace_id, OTLP_TRACE_ID_BYTES) == 0)
        return;
    hex_encode(hex, ref->trace_id, OTLP_TRACE_ID_BYTES);
    buf_printf(&page->out, "    trace %s\n", hex);
}

void ctl_show_print_span(struct ctl_show_page *page, const struct otlp_span_ref *ref, const Otlp__Span *span)
{
    struct buf *out = &page->out;
    char hex[2 * OTLP_SPAN_ID_BYTES + 1] = "----------------";
    int status = span->status != NULL ? (int)span->status->code : 0;
    bool failed = status == STATUS_CODE_ERROR;

    if (ref->validity == OTLP_VALID)
        hex_encode(hex, ref->span_id, OTLP_SPAN_ID_BYTES);
    buf_printf(out, "      %s  ", hex);
    ctl_text_pad(out, slice_of_text(ctl_chart_kind((int)span->kind)), KIND_COLUMNS + 1);
    ctl_text_span_duration(out, ref->start_unix_nano, ref->end_unix_nano, DURATION_COLUMNS);
    ctl_text_style(out, page->colored && failed, CTL_RED);
    buf_printf(out, "  %-5s", failed ? "ERROR" : status == 1 ? "ok" : "");
    ctl_text_style(out, page->colored && failed, CTL_PLAIN);
    buf_printf(out, " %4zu attr  ", span->n_attributes);
    ctl_text_append(out, slice_of(span->name.data, span->name.len),
                    page->width > SPAN_COLUMNS + NAME_COLUMNS_MIN ? page->width - SPAN_COLUMNS : NAME_COLUMNS_MIN);
    buf_text(out, "\n");
}
