/*
 * ctl_show_batch.c - `tracespool show SEQ`: a batch, its spans by resource and scope.
 *
 * The batch is read and the transaction over before anything is printed; then
 * it is decoded and written span by span, so that the memory of a large one is
 * its bytes and one span.  `--json` gives an ExportTraceServiceRequest as
 * OTLP/JSON, which other tools read.
 *
 * A damaged batch: what is known of it is printed, exit status 2.
 */
#include <inttypes.h>

#include "clock.h"
#include "ctl_pages.h"
#include "ctl_show.h"
#include "ctl_show_batch.h"
#include "ctl_terminal.h"
#include "ctl_text.h"
#include "otlp_json_write.h"
#include "units.h"

#define KEEP_BYTES (1UL << 20)

static int show_span(struct ctl_show_page *page, uint32_t at, struct err *err)
{
    const struct otlp_index *index = &page->batch.index;
    const Otlp__Span *span;

    arena_reset(&page->parts, KEEP_BYTES);
    if (otlp_decode_span(&span, &page->parts, index->spans[at].bytes, err) < 0)
        return err_prefix(err, "span %" PRIu32, at);
    ctl_show_print_trace_id(page, &index->spans[at], at > 0 ? &index->spans[at - 1] : NULL);
    ctl_show_print_span(page, &index->spans[at], span);
    ctl_write(page->ctl, &page->out);
    return 0;
}

static int show_scope(struct ctl_show_page *page, uint32_t at, struct err *err)
{
    const struct otlp_index *index = &page->batch.index;
    const Otlp__InstrumentationScope *scope = NULL;

    arena_reset(&page->parts, KEEP_BYTES);
    if (index->scopes[at].bytes.len > 0 && otlp_decode_scope(&scope, &page->parts, index->scopes[at].bytes, err) < 0)
        return err_prefix(err, "scope");
    ctl_show_print_scope(page, scope);
    for (; page->next_span < index->span_count && index->spans[page->next_span].scope == at; page->next_span++) {
        if (show_span(page, page->next_span, err) < 0)
            return -1;
    }
    return 0;
}

static int show_resource(struct ctl_show_page *page, uint32_t at, struct err *err)
{
    const struct otlp_index *index = &page->batch.index;
    const Otlp__Resource *resource = NULL;
    struct slice bytes = index->resources[at].bytes;

    arena_reset(&page->parts, KEEP_BYTES);
    if (bytes.len > 0 && otlp_decode_resource(&resource, &page->parts, bytes, err) < 0)
        return err_prefix(err, "resource");
    ctl_show_print_resource(page, resource);
    for (; page->next_scope < index->scope_count && index->scopes[page->next_scope].resource == at;
         page->next_scope++) {
        if (show_scope(page, page->next_scope, err) < 0)
            return -1;
    }
    return 0;
}

static void write_out(void *context)
{
    struct ctl_show_page *page = context;

    ctl_write(page->ctl, &page->out);
}

static int show_request(struct ctl_show_page *page, struct err *err)
{
    struct otlp_json_write write = {
        .index = &page->batch.index, .parts = &page->parts, .out = &page->out, .each_span = write_out, .context = page};

    if (ctl_batch_inflate(&page->batch, err) < 0 || ctl_batch_walk(&page->batch, err) < 0)
        return -1;
    if (page->ctl->json)
        return otlp_json_write(&write, err);
    for (uint32_t i = 0; i < page->batch.index.resource_count; i++) {
        if (show_resource(page, i, err) < 0)
            return -1;
    }
    return 0;
}

struct parked {
    uint64_t count;
    bool whole; /* the first stands for the batch */
};

static int look_at_parked(struct spool *spool, uint64_t seq, struct parked *parked, struct err *err)
{
    struct spool_parked first;
    struct arena arena;
    int result;

    arena_init(&arena, CTL_REQUEST_BYTES_MAX);
    result = ctl_parked_of(spool, seq, &arena, &first, &parked->count, err);
    parked->whole = result == 0 && parked->count > 0 && first.whole;
    arena_fini(&arena);
    return result;
}

/* "162 of its 162 spans are parked" */
static void print_parked(struct ctl_show_page *page, const struct parked *parked)
{
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

    if (parked->whole)
        buf_printf(&page->out, "parked as a whole; `tracespool show %" PRIu64 ":all` says why\n",
                   page->batch.record.seq);
    else if (parked->count > 0)
        buf_printf(&page->out, "%s of its %s %s parked; `tracespool ls --parked` says why\n",
                   units_format_count(a, parked->count), units_format_count(b, page->batch.record.spans),
                   parked->count == 1 ? "spans is" : "spans are");
}

/* All that is pending waits for the same reason. */
static void print_reason(struct ctl_show_page *page, const struct spool_delivery *delivery)
{
    char count[UNITS_TEXT_MAX];

    if (page->batch.record.state != SPOOL_PENDING || delivery->text[0] == '\0')
        return;
    buf_text(&page->out, "MongoDB ");
    buf_text(&page->out, spool_delivery_state_name(delivery->state));
    if (delivery->attempts > 0)
        buf_printf(&page->out, ", failed %s %s in a row", units_format_count(count, delivery->attempts),
                   delivery->attempts == 1 ? "time" : "times");
    buf_text(&page->out, ": ");
    ctl_text_append(&page->out, slice_of_text(delivery->text), CTL_TEXT_WHOLE);
    buf_text(&page->out, "\n");
}

static int show_found(struct ctl_show_page *page, const struct parked *parked, const struct spool_delivery *delivery)
{
    struct err err;

    if (!page->ctl->json) {
        ctl_show_print_header(page, clock_wall_ns());
        print_reason(page, delivery);
        print_parked(page, parked);
    }
    if (page->batch.record.damaged) {
        ctl_write(page->ctl, &page->out);
        ctl_fail(page->ctl, "batch %" PRIu64 " is damaged: a part is missing or its checksum is wrong",
                 page->batch.record.seq);
        return CTL_PARTIAL;
    }
    int result = show_request(page, &err);
    ctl_write(page->ctl, &page->out);
    if (result < 0)
        ctl_fail(page->ctl, "batch %" PRIu64 " cannot be read: %s", page->batch.record.seq, err.text);
    return result < 0 ? CTL_PARTIAL : CTL_OK;
}

int ctl_show_batch(struct ctl *ctl, uint64_t seq)
{
    struct ctl_show_page page = {.ctl = ctl, .colored = ctl_terminal_colored(ctl), .width = ctl_terminal_width(ctl)};
    struct spool *spool = ctl_open_spool(ctl);
    struct err err;
    struct parked parked;
    struct spool_stat stat;
    int status;

    if (spool == NULL)
        return CTL_FAILED;
    ctl_batch_init(&page.batch);
    arena_init(&page.parts, OTLP_DECODED_BYTES_MAX);
    buf_init(&page.out, OTLP_DECODED_BYTES_MAX);
    int found = ctl_batch_read(&page.batch, spool, seq, &err);
    if (found > 0 && (look_at_parked(spool, seq, &parked, &err) < 0 || spool_stat(spool, &stat, &err) < 0))
        found = -1;
    status = found < 0 ? ctl_fail(ctl, "%s", err.text) : found == 0 ? ctl_show_no_batch(ctl, spool, seq) : CTL_OK;
    spool_close(spool);
    if (found > 0)
        status = show_found(&page, &parked, &stat.delivery);
    buf_fini(&page.out);
    arena_fini(&page.parts);
    ctl_batch_fini(&page.batch);
    return status;
}
