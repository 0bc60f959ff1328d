/*
 * ctl_size_tell.c - `tracespool size` as text and as JSON.  Pure.
 *
 * The names in JSON are an interface: they are listed in docs/command.md and stay.
 */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "ctl_size_plan.h"
#include "ctl_text.h"
#include "json.h"
#include "units.h"

#define LABEL_COLUMNS 11
#define MIB (UINT64_C(1) << 20)

static const char *const basis_names[] = {"given", "busiest_outage", "average"};

static void label(struct buf *out, const char *name)
{
    ctl_text_pad(out, slice_of_text(name), LABEL_COLUMNS);
}

static const char *duration(char out[UNITS_TEXT_MAX], uint64_t ns)
{
    return ns == UINT64_MAX ? "for ever" : units_format_duration(out, ns);
}

/* Three digits of a small one, all of a large one. */
static const char *spans_text(char out[UNITS_TEXT_MAX], double spans)
{
    if (spans >= 1000)
        return units_format_count(out, (uint64_t)(spans + 0.5));
    snprintf(out, UNITS_TEXT_MAX, "%.3g", spans);
    return out;
}

static void put_rate(struct buf *out, const struct ctl_size_rate *rate)
{
    char spans[UNITS_TEXT_MAX], bytes[UNITS_TEXT_MAX];

    buf_printf(out, "%s spans/s, %s/s of the file", spans_text(spans, rate->spans),
               units_format_bytes(bytes, (uint64_t)rate->bytes));
}

static void put_measured(const struct ctl_size_view *view, struct buf *out)
{
    const struct ctl_size_load *load = view->load;
    const struct ctl_size_plan *plan = view->plan;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX], c[UNITS_TEXT_MAX];

    label(out, "measured");
    buf_printf(out, "%s batches, %s spans", units_format_count(a, load->all.batches),
               units_format_count(b, load->all.spans));
    if (load->all.batches > 0)
        buf_printf(out, " within %s", units_format_duration(c, ctl_size_load_covered_ns(load)));
    buf_printf(out, "; %.0f bytes of the file a span%s\n", plan->span_bytes,
               plan->span_bytes_assumed ? ", which is assumed" : "");
    if (plan->average.known) {
        label(out, "average");
        put_rate(out, &plan->average);
        buf_text(out, "\n");
    }
    if (plan->busiest_hour.known) {
        label(out, "busiest");
        buf_text(out, "an hour with ");
        put_rate(out, &plan->busiest_hour);
        buf_text(out, "\n");
    }
    if (plan->busiest_outage.known) {
        label(out, plan->busiest_hour.known ? "" : "busiest");
        buf_printf(out, "%s with ", units_format_duration(a, view->asked->outage_ns));
        put_rate(out, &plan->busiest_outage);
        buf_text(out, "\n");
    }
}

static void put_needed(const struct ctl_size_view *view, struct buf *out)
{
    static const char *const words[] = {"as given", "as in the busiest time of that length",
                                        "the average, as less than that is covered"};
    const struct ctl_size_plan *plan = view->plan;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

    label(out, "outage");
    buf_printf(out, "%s at %s spans/s (%s), and %.3g %% more", units_format_duration(a, view->asked->outage_ns),
               spans_text(b, plan->rate.spans), words[plan->basis], (double)view->asked->margin_millionths / 10000);
    if (plan->too_much)
        buf_text(out, ": more than any spool holds\n");
    else
        buf_printf(out, ": %s\n", units_format_bytes(b, plan->outage_bytes));
    if (plan->size_bytes > 0) {
        label(out, "present");
        buf_printf(out, "%s, which outlasts %s at that rate", units_format_bytes(a, plan->size_bytes),
                   duration(b, plan->lasts_ns));
        if (plan->lasts_busiest_ns > 0)
            buf_printf(out, ", %s at that of the busiest hour", duration(b, plan->lasts_busiest_ns));
        buf_text(out, "\n");
    }
}

static void put_line(const struct ctl_size_view *view, struct buf *out)
{
    const struct ctl_size_plan *plan = view->plan;

    if (plan->too_much)
        return;
    buf_printf(out,
               "\n%s, with what a spool keeps free, in the group \"spool\" of the configuration:\n    size = \"%" PRIu64
               "MiB\";\n",
               plan->size_bytes == 0                    ? "What it needs"
               : plan->size_bytes >= plan->needed_bytes ? "It is large enough. What would do"
                                                        : "It is too small. What it needs, before a restart",
               plan->needed_bytes / MIB);
}

void ctl_size_text(const struct ctl_size_view *view, struct buf *out)
{
    label(out, "spool");
    ctl_text_append(out, slice_of_text(view->path), CTL_TEXT_WHOLE);
    buf_text(out, view->plan->size_bytes > 0 ? "\n" : ", which is not there yet\n");
    put_measured(view, out);
    put_needed(view, out);
    if (view->load->late_batches > 0) {
        label(out, "");
        buf_printf(out, "%" PRIu64 " batches are older than what lies before them; they are in the average alone\n",
                   view->load->late_batches);
    }
    put_line(view, out);
}

/* --- JSON ------------------------------------------------------------------ */

static void member_rate(struct json *json, const char *key, const struct ctl_size_rate *rate)
{
    json_key(json, key);
    if (!rate->known) {
        json_null(json);
        return;
    }
    json_begin_object(json);
    json_key(json, "spans_per_second");
    json_double(json, rate->spans);
    json_key(json, "bytes_per_second");
    json_double(json, rate->bytes);
    json_end_object(json);
}

static void member_seconds(struct json *json, const char *key, uint64_t ns)
{
    json_key(json, key);
    if (ns == 0 || ns == UINT64_MAX)
        json_null(json);
    else
        json_double(json, (double)ns / NS_PER_S);
}

static void put_load(struct json *json, const struct ctl_size_load *load)
{
    json_member_uint(json, "batches", load->all.batches);
    json_member_uint(json, "late_batches", load->late_batches);
    json_member_uint(json, "spans", load->all.spans);
    json_member_uint(json, "file_bytes", load->all.bytes);
    json_key(json, "covered_seconds");
    json_double(json, (double)ctl_size_load_covered_ns(load) / NS_PER_S);
}

void ctl_size_json(const struct ctl_size_view *view, struct buf *out)
{
    const struct ctl_size_plan *plan = view->plan;
    struct json json;

    json_init(&json, out);
    json_begin_object(&json);
    json_key(&json, "spool");
    json_text(&json, view->path);
    put_load(&json, view->load);
    json_key(&json, "bytes_per_span");
    json_double(&json, plan->span_bytes);
    json_member_bool(&json, "bytes_per_span_assumed", plan->span_bytes_assumed);
    member_rate(&json, "average", &plan->average);
    member_rate(&json, "busiest_hour", &plan->busiest_hour);
    member_rate(&json, "busiest_outage", &plan->busiest_outage);
    member_seconds(&json, "outage_seconds", view->asked->outage_ns);
    json_key(&json, "margin");
    json_double(&json, (double)view->asked->margin_millionths / 1000000);
    json_key(&json, "basis");
    json_text(&json, basis_names[plan->basis]);
    member_rate(&json, "rate", &plan->rate);
    json_key(&json, "needed_size_bytes");
    if (plan->too_much)
        json_null(&json);
    else
        json_uint(&json, plan->needed_bytes);
    json_member_uint(&json, "size_bytes", plan->size_bytes);
    member_seconds(&json, "outlasts_seconds", plan->lasts_ns);
    member_seconds(&json, "outlasts_busiest_seconds", plan->lasts_busiest_ns);
    json_member_bool(&json, "enough", !plan->too_much && plan->size_bytes >= plan->needed_bytes);
    json_end_object(&json);
    buf_text(out, "\n");
}
