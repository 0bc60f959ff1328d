/*
 * ctl_show_span.c - a span in full: what `show SEQ:N` prints under the reason
 * for which it is parked.
 */
#include "ctl_show_span.h"

#include <inttypes.h>

#include "ctl_chart.h"
#include "ctl_text.h"
#include "ctl_value.h"
#include "hex.h"
#include "units.h"

#define INDENT 2
#define ID_BYTES_SHOWN 32 /* of an id, which should have 8 or 16 */
#define LABEL_COLUMNS 10

static struct slice slice_of_binary(ProtobufCBinaryData data)
{
    return slice_of(data.data, data.len);
}

static void print_title(struct buf *out, const char *what, struct slice name, bool colored)
{
    buf_printf(out, "%s ", what);
    ctl_text_style(out, colored, CTL_BOLD);
    if (name.len > 0)
        ctl_text_append(out, name, CTL_TEXT_WHOLE);
    else
        buf_text(out, "without a name");
    ctl_text_style(out, colored, CTL_PLAIN);
}

static void print_dropped(struct buf *out, uint32_t count, const char *what, unsigned indent)
{
    char text[UNITS_TEXT_MAX];

    if (count == 0)
        return;
    ctl_text_spaces(out, indent);
    buf_printf(out, "%s more %s dropped by the sender\n", units_format_count(text, count), what);
}

static void print_schema_url(struct buf *out, struct slice url)
{
    if (url.len == 0)
        return;
    ctl_text_spaces(out, INDENT);
    buf_text(out, "schema ");
    ctl_text_append(out, url, CTL_TEXT_WHOLE);
    buf_text(out, "\n");
}

void ctl_show_span_resource(struct buf *out, const Otlp__Resource *resource, struct slice schema_url, bool colored)
{
    struct slice service = slice_of(NULL, 0);

    if (resource != NULL)
        service = otlp_attribute_string(resource->attributes, resource->n_attributes, "service.name");
    buf_text(out, "\n");
    print_title(out, "resource", service, colored);
    buf_text(out, "\n");
    print_schema_url(out, schema_url);
    if (resource == NULL)
        return;
    ctl_value_print(out, resource->attributes, resource->n_attributes, INDENT);
    print_dropped(out, resource->dropped_attributes_count, "attributes", INDENT);
}

void ctl_show_span_scope(struct buf *out, const Otlp__InstrumentationScope *scope, struct slice schema_url,
                         bool colored)
{
    print_title(out, "scope", scope != NULL ? slice_of_binary(scope->name) : slice_of(NULL, 0), colored);
    if (scope != NULL && scope->version.len > 0) {
        buf_text(out, " ");
        ctl_text_append(out, slice_of_binary(scope->version), CTL_TEXT_WHOLE);
    }
    buf_text(out, "\n");
    print_schema_url(out, schema_url);
    if (scope == NULL)
        return;
    ctl_value_print(out, scope->attributes, scope->n_attributes, INDENT);
    print_dropped(out, scope->dropped_attributes_count, "attributes", INDENT);
}

static void print_label(struct buf *out, const char *label)
{
    ctl_text_spaces(out, INDENT);
    ctl_text_pad(out, slice_of_text(label), LABEL_COLUMNS);
}

static void append_id(struct buf *out, ProtobufCBinaryData id)
{
    char hex[2 * ID_BYTES_SHOWN + 1];
    size_t len = id.len < ID_BYTES_SHOWN ? id.len : ID_BYTES_SHOWN;

    hex_encode(hex, id.data, len);
    buf_printf(out, "%s%s", id.len == 0 ? "-" : hex, id.len > len ? "…" : "");
}

static void print_id(struct buf *out, const char *label, ProtobufCBinaryData id)
{
    print_label(out, label);
    append_id(out, id);
    buf_text(out, "\n");
}

static void print_status(struct buf *out, const Otlp__Status *status, bool colored)
{
    bool failed = status != NULL && status->code == OTLP__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
    bool ok = status != NULL && status->code == OTLP__STATUS__STATUS_CODE__STATUS_CODE_OK;

    print_label(out, "status");
    ctl_text_style(out, colored && failed, CTL_RED);
    buf_text(out, failed ? "ERROR" : ok ? "ok" : "not set");
    ctl_text_style(out, colored && failed, CTL_PLAIN);
    if (status != NULL && status->message.len > 0) {
        buf_text(out, "  ");
        ctl_text_append(out, slice_of_binary(status->message), CTL_TEXT_WHOLE);
    }
    buf_text(out, "\n");
}

static void print_times(struct buf *out, const Otlp__Span *span)
{
    uint64_t start = span->start_time_unix_nano, end = span->end_time_unix_nano;
    char text[UNITS_TEXT_MAX];

    print_label(out, "start");
    buf_printf(out, "%s\n", start > 0 ? units_format_time(text, start) : "-");
    print_label(out, "duration");
    if (start == 0 || end < start)
        buf_printf(out, "%s", end == 0 ? "has no end" : start == 0 ? "has no start" : "ends before it starts");
    else
        ctl_text_duration(out, end - start);
    buf_text(out, "\n");
}

static void print_event(struct buf *out, const Otlp__Span__Event *event, uint64_t start, bool colored)
{
    char text[UNITS_TEXT_MAX];

    ctl_text_spaces(out, INDENT);
    print_title(out, "event", slice_of_binary(event->name), colored);
    if (event->time_unix_nano > 0)
        buf_printf(out, "  %s", units_format_time(text, event->time_unix_nano));
    if (start > 0 && event->time_unix_nano >= start) {
        buf_text(out, " (+");
        ctl_text_duration(out, event->time_unix_nano - start);
        buf_text(out, ")");
    }
    buf_text(out, "\n");
    ctl_value_print(out, event->attributes, event->n_attributes, 2 * INDENT);
    print_dropped(out, event->dropped_attributes_count, "attributes", 2 * INDENT);
}

static void print_link(struct buf *out, const Otlp__Span__Link *link)
{
    ctl_text_spaces(out, INDENT);
    buf_text(out, "link to trace ");
    append_id(out, link->trace_id);
    buf_text(out, " span ");
    append_id(out, link->span_id);
    if (link->trace_state.len > 0) {
        buf_text(out, "  ");
        ctl_text_append(out, slice_of_binary(link->trace_state), CTL_TEXT_WHOLE);
    }
    buf_text(out, "\n");
    ctl_value_print(out, link->attributes, link->n_attributes, 2 * INDENT);
    print_dropped(out, link->dropped_attributes_count, "attributes", 2 * INDENT);
}

static void print_parts(struct buf *out, const Otlp__Span *span, bool colored)
{
    if (span->n_attributes > 0) {
        ctl_text_spaces(out, INDENT);
        buf_text(out, "attributes\n");
    }
    ctl_value_print(out, span->attributes, span->n_attributes, 2 * INDENT);
    print_dropped(out, span->dropped_attributes_count, "attributes", 2 * INDENT);
    for (size_t i = 0; i < span->n_events; i++)
        print_event(out, span->events[i], span->start_time_unix_nano, colored);
    print_dropped(out, span->dropped_events_count, "events", INDENT);
    for (size_t i = 0; i < span->n_links; i++)
        print_link(out, span->links[i]);
    print_dropped(out, span->dropped_links_count, "links", INDENT);
}

void ctl_show_span(struct buf *out, const Otlp__Span *span, bool colored)
{
    const char *kind = ctl_chart_kind((int)span->kind);

    print_title(out, "span", slice_of_binary(span->name), colored);
    buf_text(out, "\n");
    print_id(out, "trace", span->trace_id);
    print_id(out, "id", span->span_id);
    print_id(out, "parent", span->parent_span_id);
    print_label(out, "kind");
    buf_printf(out, "%s\n", kind[0] != '\0' ? kind : "not set");
    print_times(out, span);
    print_status(out, span->status, colored);
    if (span->trace_state.len > 0) {
        print_label(out, "state");
        ctl_text_append(out, slice_of_binary(span->trace_state), CTL_TEXT_WHOLE);
        buf_text(out, "\n");
    }
    if (span->flags != 0) {
        print_label(out, "flags");
        buf_printf(out, "0x%08" PRIx32 "\n", span->flags);
    }
    print_parts(out, span, colored);
}
