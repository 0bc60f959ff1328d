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
#include "ctl_show.h"
#include "ctl_show_batch.h"
#include "ctl_terminal.h"
#include "otlp_json_write.h"

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

/* How many entries of the batch are parked, and the first of them. */
static int count_parked(struct spool *spool, uint64_t seq, size_t *parked_count, struct err *err)
{
    struct spool_parked parked[CTL_PAGE_PARKED];
    struct arena arena;
    size_t count = 0;

    arena_init(&arena, CTL_REQUEST_BYTES_MAX);
    *parked_count = 0;
    int result = spool_list_parked(spool, seq, 0, CTL_PAGE_PARKED, &arena, parked, &count, err);
    for (size_t i = 0; result == 0 && i < count && parked[i].seq == seq; i++)
        (*parked_count)++;
    arena_fini(&arena);
    return result;
}

int ctl_show_not_there(const struct ctl *ctl, uint64_t seq, size_t parked)
{
    ctl_fail(ctl, "batch %" PRIu64 " is not in the spool: it was never there, or made room for newer ones", seq);
    if (parked > 0)
        ctl_note(ctl, "spans of it are parked; `tracespool ls --parked` lists them");
    return CTL_FAILED;
}

static int show_found(struct ctl_show_page *page, size_t parked)
{
    struct err err;

    if (!page->ctl->json)
        ctl_show_print_header(page, clock_wall_ns());
    if (!page->ctl->json && parked > 0)
        buf_text(&page->out, "some of it is parked; `tracespool ls --parked` says why\n");
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
    size_t parked = 0;

    if (spool == NULL)
        return CTL_FAILED;
    ctl_batch_init(&page.batch);
    arena_init(&page.parts, OTLP_DECODED_BYTES_MAX);
    buf_init(&page.out, OTLP_DECODED_BYTES_MAX);
    int found = ctl_batch_read(&page.batch, spool, seq, &err);
    if (found >= 0 && count_parked(spool, seq, &parked, &err) < 0)
        found = -1;
    spool_close(spool);
    int status = found < 0    ? ctl_fail(ctl, "%s", err.text)
                 : found == 0 ? ctl_show_not_there(ctl, seq, parked)
                              : show_found(&page, parked);
    buf_fini(&page.out);
    arena_fini(&page.parts);
    ctl_batch_fini(&page.batch);
    return status;
}
