/*
 * ctl_show_parked.c - `tracespool show SEQ:N`: a parked entry, why it is
 * parked and what it holds.
 *
 * The entry is read and the transaction over before anything is printed.  Its
 * bytes are an ExportTraceServiceRequest with one span, its resource and its
 * scope, which is what `requeue` makes a batch of: --otlp and --raw give that.
 * An entry that stands for a whole batch has no bytes of its own: then they
 * are the batch's.
 *
 * An entry that is damaged: what is known of it is printed, exit status 2.
 */
#include <inttypes.h>

#include "clock.h"
#include "ctl_parked.h"
#include "ctl_show.h"
#include "ctl_show_batch.h"
#include "ctl_show_span.h"
#include "ctl_terminal.h"
#include "ctl_text.h"
#include "otlp_json_write.h"
#include "units.h"

#define KEEP_BYTES (1UL << 20)

struct page {
    struct ctl *ctl;
    struct spool_parked parked; /* what it points to is in batch.stored */
    struct ctl_batch batch;
    struct arena parts;
    struct buf out;
    bool colored;
};

static void print_head(struct page *page)
{
    const struct spool_parked *parked = &page->parked;
    uint64_t now = clock_wall_ns();
    struct buf *out = &page->out;
    char time[UNITS_TEXT_MAX], age[UNITS_TEXT_MAX], id[CTL_PARKED_ID_MAX];

    ctl_text_style(out, page->colored, CTL_BOLD);
    buf_printf(out, "parked %s", ctl_parked_id(id, parked));
    ctl_text_style(out, page->colored, CTL_PLAIN);
    buf_printf(out, "  %s", spool_park_reason_name(parked->reason));
    if (parked->code != 0)
        buf_printf(out, ", code %d", parked->code);
    if (parked->attempts > 0)
        buf_printf(out, ", tried %s", parked->attempts == 1 ? "once" : units_format_count(age, parked->attempts));
    buf_text(out, parked->attempts > 1 ? " times\n" : "\n");
    if (parked->received_ns > 0)
        buf_printf(out, "received %s (%s ago)", units_format_time(time, parked->received_ns),
                   units_format_duration(age, now > parked->received_ns ? now - parked->received_ns : 0));
    if (parked->parked_ns > 0)
        buf_printf(out, "%sparked %s (%s ago)", parked->received_ns > 0 ? ", " : "",
                   units_format_time(time, parked->parked_ns),
                   units_format_duration(age, now > parked->parked_ns ? now - parked->parked_ns : 0));
    buf_text(out, parked->received_ns + parked->parked_ns > 0 ? "\n" : "");
    ctl_text_append(out, slice_of_text(parked->text), CTL_TEXT_WHOLE);
    buf_text(out, "\n");
    if (parked->whole)
        buf_printf(out, "the batch is held; `tracespool show %" PRIu64 "` shows it\n", parked->seq);
}

static int print_span(struct page *page, uint32_t at, struct err *err)
{
    const struct otlp_index *index = &page->batch.index;
    const struct otlp_scope_ref *scope = &index->scopes[index->spans[at].scope];
    const struct otlp_resource_ref *resource = &index->resources[scope->resource];
    const Otlp__Resource *resource_message = NULL;
    const Otlp__InstrumentationScope *scope_message = NULL;
    const Otlp__Span *span;

    arena_reset(&page->parts, KEEP_BYTES);
    if (resource->bytes.len > 0 && otlp_decode_resource(&resource_message, &page->parts, resource->bytes, err) < 0)
        return -1;
    if (scope->bytes.len > 0 && otlp_decode_scope(&scope_message, &page->parts, scope->bytes, err) < 0)
        return -1;
    if (otlp_decode_span(&span, &page->parts, index->spans[at].bytes, err) < 0)
        return -1;
    ctl_show_span_resource(&page->out, resource_message, resource->schema_url, page->colored);
    ctl_show_span_scope(&page->out, scope_message, scope->schema_url, page->colored);
    ctl_show_span(&page->out, span, page->colored);
    ctl_write(page->ctl, &page->out);
    return 0;
}

static int print_text(struct page *page, struct err *err)
{
    for (uint32_t i = 0; i < page->batch.index.span_count; i++) {
        if (print_span(page, i, err) < 0)
            return -1;
    }
    return 0;
}

static int print_otlp(struct page *page, struct err *err)
{
    struct otlp_json_write write = {.index = &page->batch.index, .parts = &page->parts, .out = &page->out};

    return otlp_json_write(&write, err);
}

/* The members of `ls --parked`, and in `request` what --otlp prints, or null. */
static int print_json(struct page *page, struct err *err)
{
    struct json json;
    int result = 0;

    json_init(&json, &page->out);
    json_begin_object(&json);
    ctl_parked_put(&json, &page->parked);
    buf_text(&page->out, ",\"request\":");
    if (page->batch.readable) {
        result = print_otlp(page, err);
        page->out.len -= result == 0; /* its line end */
    } else {
        buf_text(&page->out, "null");
    }
    json_end_object(&json);
    buf_text(&page->out, "\n");
    return result;
}

static int fail(const struct page *page, const char *why)
{
    ctl_fail(page->ctl, "parked entry %" PRIu64 ":%" PRIu32 " cannot be read: %s", page->parked.seq, page->parked.index,
             why);
    return CTL_PARTIAL;
}

static int print_found(struct page *page, const struct ctl_show_options *options)
{
    bool is_content = options->otlp || options->raw;
    struct err err;
    int result = 0;

    if (page->parked.payload.len > 0)
        ctl_batch_look_at(&page->batch, page->parked.payload);
    if (options->raw && page->parked.payload.len > 0)
        return ctl_show_raw_bytes(page->ctl, page->parked.payload);
    if (page->ctl->json)
        result = print_json(page, &err);
    else if (!is_content)
        print_head(page);
    if (page->batch.readable && !page->ctl->json)
        result = options->otlp ? print_otlp(page, &err) : print_text(page, &err);
    if (page->out.failed)
        result = err_set(&err, ERR_BUSY, 0, "no memory for its text");
    else
        ctl_write(page->ctl, &page->out);
    if (result < 0)
        return fail(page, err.text);
    if (page->batch.readable || (page->parked.whole && !is_content))
        return CTL_OK;
    return fail(page, page->parked.payload.len > 0 ? page->batch.unreadable.text : page->parked.text);
}

/* CTL_OK and page->parked; or what has been told, and its exit status. */
static int find(struct page *page, const struct ctl_edit_id *id)
{
    struct spool *spool = ctl_open_spool(page->ctl);
    int status = CTL_OK;
    struct err err;
    size_t count;

    if (spool == NULL)
        return CTL_FAILED;
    if (spool_list_parked(spool, id->first, id->index, 1, &page->batch.stored, &page->parked, &count, &err) < 0)
        status = ctl_fail(page->ctl, "%s", err.text);
    else if (count == 0 || page->parked.seq != id->first || page->parked.index != id->index ||
             (id->kind == CTL_EDIT_ENTRIES && !page->parked.whole))
        status = ctl_show_no_entry(page->ctl, spool, id);
    spool_close(spool);
    return status;
}

static int show(struct page *page, const struct ctl_edit_id *id, const struct ctl_show_options *options)
{
    int status = find(page, id);

    if (status != CTL_OK)
        return status;
    if (!page->parked.whole || !(options->otlp || options->raw))
        return print_found(page, options);
    if (options->raw)
        return ctl_show_raw(page->ctl, id->first);
    page->ctl->json = true; /* a batch's JSON is OTLP's */
    return ctl_show_batch(page->ctl, id->first);
}

int ctl_show_parked(struct ctl *ctl, const struct ctl_edit_id *id, const struct ctl_show_options *options)
{
    struct page page = {.ctl = ctl, .colored = ctl_terminal_colored(ctl)};

    ctl_batch_init(&page.batch);
    arena_init(&page.parts, OTLP_DECODED_BYTES_MAX);
    buf_init(&page.out, OTLP_DECODED_BYTES_MAX);
    int status = show(&page, id, options);
    buf_fini(&page.out);
    arena_fini(&page.parts);
    ctl_batch_fini(&page.batch);
    return status;
}
