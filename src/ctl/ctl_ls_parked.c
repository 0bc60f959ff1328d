/*
 * ctl_ls_parked.c - the list of what is parked, in the order of arrival.
 *
 * Page by page, each page in a transaction of its own.  With a limit the
 * entries before the newest ones are passed over.
 */
#include <inttypes.h>

#include "ctl_ls.h"
#include "ctl_terminal.h"
#include "ctl_text.h"
#include "json.h"
#include "units.h"

#define SEQ_COLUMNS 6
#define SPAN_COLUMNS 6
#define REASON_COLUMNS 11
#define CODE_COLUMNS 6
#define SPANS_COLUMNS 7
#define LINE_BYTES_MAX (64UL << 10)

static void print_head(struct buf *out, bool colored)
{
    ctl_text_style(out, colored, CTL_BOLD);
    buf_printf(out, "%*s %*s  ", SEQ_COLUMNS, "SEQ", SPAN_COLUMNS, "SPAN");
    ctl_text_pad(out, slice_of_text("PARKED"), CTL_LS_TIME_COLUMNS + 2);
    ctl_text_pad(out, slice_of_text("REASON"), REASON_COLUMNS);
    buf_printf(out, " %*s %*s  WHY", CODE_COLUMNS, "CODE", SPANS_COLUMNS, "SPANS");
    ctl_text_style(out, colored, CTL_PLAIN);
    buf_text(out, "\n");
}

static void print_entry(struct buf *out, const struct spool_parked *parked, unsigned text_columns)
{
    char text[UNITS_TEXT_MAX];

    buf_printf(out, "%*" PRIu64 " ", SEQ_COLUMNS, parked->seq);
    if (parked->whole)
        buf_printf(out, "%*s  ", SPAN_COLUMNS, "all");
    else
        buf_printf(out, "%*" PRIu32 "  ", SPAN_COLUMNS, parked->index);
    ctl_ls_time(out, parked->parked_ns);
    buf_text(out, "  ");
    ctl_text_pad(out, slice_of_text(spool_park_reason_name(parked->reason)), REASON_COLUMNS);
    buf_printf(out, " %*d %*s  ", CODE_COLUMNS, parked->code, SPANS_COLUMNS, units_format_count(text, parked->spans));
    ctl_text_append(out, slice_of_text(parked->text), text_columns);
    buf_text(out, "\n");
}

static void put_entry(struct buf *out, const struct spool_parked *parked)
{
    struct json json;

    json_init(&json, out);
    json_begin_object(&json);
    json_key(&json, "seq");
    json_uint(&json, parked->seq);
    json_key(&json, "span_index");
    json_uint(&json, parked->index);
    json_key(&json, "whole");
    json_bool(&json, parked->whole);
    json_key(&json, "reason");
    json_text(&json, spool_park_reason_name(parked->reason));
    json_key(&json, "code");
    json_int(&json, parked->code);
    json_key(&json, "text");
    json_text(&json, parked->text);
    json_key(&json, "attempts");
    json_uint(&json, parked->attempts);
    json_key(&json, "spans");
    json_uint(&json, parked->spans);
    json_key(&json, "bytes");
    json_uint(&json, parked->payload.len);
    json_key(&json, "parked_unix_ns");
    json_uint(&json, parked->parked_ns);
    json_key(&json, "received_unix_ns");
    json_uint(&json, parked->received_ns);
    json_end_object(&json);
    buf_text(out, "\n");
}

struct listing {
    struct ctl *ctl;
    struct buf out;
    uint64_t passed_over; /* entries before the newest ones, still to come */
    uint64_t listed;
    unsigned text_columns;
    bool colored;
};

static void list_page(struct listing *listing, const struct spool_parked *parked, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (listing->passed_over > 0) {
            listing->passed_over--;
            continue;
        }
        if (listing->ctl->json) {
            put_entry(&listing->out, &parked[i]);
        } else {
            if (listing->listed == 0)
                print_head(&listing->out, listing->colored);
            print_entry(&listing->out, &parked[i], listing->text_columns);
        }
        listing->listed++;
        ctl_write(listing->ctl, &listing->out);
    }
}

static int list_all(struct listing *listing, struct spool *spool, struct err *err)
{
    struct spool_parked parked[CTL_PAGE_PARKED];
    struct arena arena;
    uint64_t seq = 0;
    uint32_t index = 0;
    size_t count = 0;
    int result;

    arena_init(&arena, CTL_REQUEST_BYTES_MAX);
    do {
        arena_reset(&arena, 0);
        result = spool_list_parked(spool, seq, index, CTL_PAGE_PARKED, &arena, parked, &count, err);
        if (result < 0 || count == 0)
            break;
        list_page(listing, parked, count);
        seq = parked[count - 1].seq;
        index = parked[count - 1].index + 1;
        seq += index == 0;
    } while (true);
    arena_fini(&arena);
    return result;
}

int ctl_ls_parked(struct ctl *ctl, struct spool *spool, const struct ctl_ls_options *options)
{
    struct listing listing = {.ctl = ctl, .colored = ctl_terminal_colored(ctl)};
    unsigned used =
        SEQ_COLUMNS + SPAN_COLUMNS + CTL_LS_TIME_COLUMNS + REASON_COLUMNS + CODE_COLUMNS + SPANS_COLUMNS + 9;
    unsigned width = ctl_terminal_width(ctl);
    struct spool_stat stat;
    struct err err;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

    listing.text_columns = width > used + CTL_LS_TEXT_MIN ? width - used : CTL_LS_TEXT_MIN;
    buf_init(&listing.out, LINE_BYTES_MAX);
    int result = spool_stat(spool, &stat, &err);
    if (result == 0) {
        listing.passed_over = stat.parked_entries > options->limit ? stat.parked_entries - options->limit : 0;
        result = list_all(&listing, spool, &err);
    }
    if (result < 0)
        ctl_fail(ctl, "%s", err.text);
    else if (!ctl->json && listing.listed == 0)
        buf_text(&listing.out, "Nothing is parked.\n");
    else if (!ctl->json && stat.parked_entries > listing.listed)
        buf_printf(&listing.out, "The newest %s of %s entries; --limit 0 lists all.\n",
                   units_format_count(a, listing.listed), units_format_count(b, stat.parked_entries));
    ctl_write(ctl, &listing.out);
    buf_fini(&listing.out);
    return result < 0 ? CTL_FAILED : CTL_OK;
}
