/*
 * ctl_show_trace_json.c - a trace as JSON, one line a span, in the order of the tree.
 *
 * The names are an interface: they are listed in docs/command.md and stay.
 */
#include "clock.h"
#include "ctl_chart.h"
#include "ctl_show_trace.h"
#include "hex.h"
#include "json.h"

static void put_id(struct json *json, const char *key, const uint8_t *id)
{
    char hex[2 * OTLP_SPAN_ID_BYTES + 1];

    json_key(json, key);
    if (id == NULL) {
        json_null(json);
        return;
    }
    hex_encode(hex, id, OTLP_SPAN_ID_BYTES);
    json_text(json, hex);
}

static void put_times(struct json *json, const struct ctl_span *span)
{
    uint64_t ns;

    json_key(json, "start_unix_ns");
    json_uint(json, span->start_unix_nano);
    json_key(json, "end_unix_ns");
    json_uint(json, span->end_unix_nano);
    json_key(json, "duration_seconds");
    if (ctl_trace_duration(span, &ns))
        json_double(json, (double)ns / NS_PER_S);
    else
        json_null(json);
}

static void put_places(struct json *json, const struct ctl_found *found, const struct ctl_span *span)
{
    json_key(json, "spool");
    json_text(json, (span->places & CTL_IN_HISTORY) != 0   ? "delivered"
                    : (span->places & CTL_IN_PENDING) != 0 ? "pending"
                    : (span->places & CTL_IN_HELD) != 0    ? "held"
                                                           : NULL);
    json_key(json, "parked");
    json_bool(json, (span->places & CTL_IN_PARKED) != 0);
    json_key(json, "mongodb");
    if (found->mongodb_answered)
        json_bool(json, (span->places & CTL_IN_MONGODB) != 0);
    else
        json_null(json);
}

static void put_row(struct json *json, const struct ctl_found *found, const struct ctl_trace *trace, size_t row)
{
    static const char *const statuses[] = {"unset", "ok", "error"};
    const struct ctl_span *span = &trace->spans[trace->rows[row].span];

    json_begin_object(json);
    json_key(json, "trace_id");
    json_text(json, found->trace_hex);
    put_id(json, "span_id", span->span_id);
    put_id(json, "parent_span_id", span->has_parent ? span->parent_span_id : NULL);
    json_key(json, "service");
    json_string(json, span->service);
    json_key(json, "name");
    json_string(json, span->name);
    json_key(json, "kind");
    json_text(json, span->kind == 0 ? "unspecified" : ctl_chart_kind(span->kind));
    json_key(json, "status");
    json_text(json, span->status_code >= 0 && span->status_code <= 2 ? statuses[span->status_code] : "?");
    json_key(json, "status_message");
    json_string(json, span->status_text);
    put_times(json, span);
    json_key(json, "events");
    json_uint(json, span->event_count);
    json_key(json, "depth");
    json_uint(json, trace->rows[row].depth);
    json_key(json, "root_because");
    json_text(json, trace->rows[row].mark == CTL_MARK_ORPHAN  ? "parent_missing"
                    : trace->rows[row].mark == CTL_MARK_CYCLE ? "parent_cycle"
                                                              : NULL);
    put_places(json, found, span);
    json_end_object(json);
}

void ctl_show_put_trace(const struct ctl_found *found, const struct ctl_trace *trace, struct buf *out)
{
    for (size_t i = 0; i < trace->count; i++) {
        struct json json;

        json_init(&json, out);
        put_row(&json, found, trace, i);
        buf_text(out, "\n");
        ctl_write(found->ctl, out);
    }
}
