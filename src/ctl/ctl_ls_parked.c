/*
 * ctl_ls_parked.c - the list of what is parked, in the order of arrival.
 *
 * Page by page, each page in a transaction of its own.  The newest of a limit
 * are looked for backwards, as in ctl_ls_batches.c.  Below the list stands how
 * many of it are parked for what.
 */
#include <string.h>

#include "ctl_ls.h"
#include "ctl_pages.h"
#include "ctl_parked.h"
#include "ctl_terminal.h"
#include "ctl_text.h"
#include "json.h"
#include "units.h"

#define ID_COLUMNS 13
#define REASON_COLUMNS 11
#define CODE_COLUMNS 6
#define SPANS_COLUMNS 7
#define LINE_BYTES_MAX (64UL << 10)
#define KIND_TEXT_MAX 200

static void print_head(struct buf *out, bool colored)
{
    ctl_text_style(out, colored, CTL_BOLD);
    buf_printf(out, "%*s  ", ID_COLUMNS, "ID");
    ctl_text_pad(out, slice_of_text("PARKED"), CTL_LS_TIME_COLUMNS + 2);
    ctl_text_pad(out, slice_of_text("REASON"), REASON_COLUMNS);
    buf_printf(out, " %*s %*s  WHY", CODE_COLUMNS, "CODE", SPANS_COLUMNS, "SPANS");
    ctl_text_style(out, colored, CTL_PLAIN);
    buf_text(out, "\n");
}

static void print_entry(struct buf *out, const struct spool_parked *parked, unsigned text_columns)
{
    char text[UNITS_TEXT_MAX], id[CTL_PARKED_ID_MAX];

    buf_printf(out, "%*s  ", ID_COLUMNS, ctl_parked_id(id, parked));
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
    ctl_parked_put(&json, parked);
    json_end_object(&json);
    buf_text(out, "\n");
}

/* Entries that are parked for the same. */
struct kind {
    enum spool_park_reason reason;
    int code;
    char text[KIND_TEXT_MAX]; /* cut, where it is longer */
    uint64_t count;
};

struct listing {
    struct ctl *ctl;
    const struct ctl_ls_options *options;
    struct spool *spool;
    struct spool_stat stat;
    uint64_t listed;
    struct kind kinds[CTL_LS_KINDS_MAX];
    size_t kind_count;
    uint64_t others; /* of further kinds */
    unsigned width;
    unsigned text_columns;
    bool colored;
    struct ctl_parked_pages pages;
    struct ctl_batch batch; /* to look for a service */
    struct buf out;
};

/* Where to begin so that the newest `limit` wanted entries are listed. */
static int find_start(struct listing *listing, uint64_t *seq, uint32_t *index, struct err *err)
{
    const struct spool_parked *parked;
    uint64_t wanted = 0;
    int result;

    *seq = 0;
    *index = 0;
    ctl_parked_pages_init_backwards(&listing->pages, listing->spool, listing->stat.next_seq);
    while ((result = ctl_parked_pages_next(&listing->pages, &parked, err)) > 0) {
        if (ctl_pick_takes_parked(&listing->options->pick, parked, &listing->batch) &&
            ++wanted == listing->options->limit) {
            *seq = parked->seq;
            *index = parked->index;
            break;
        }
    }
    ctl_parked_pages_fini(&listing->pages);
    return result < 0 ? -1 : 0;
}

static void count_kind(struct listing *listing, const struct spool_parked *parked)
{
    struct kind found = {.reason = parked->reason, .code = parked->code, .count = 1};
    char *details;

    snprintf(found.text, sizeof(found.text), "%s", parked->text);
    details = strstr(found.text, ": {");
    if (details != NULL)
        *details = '\0'; /* as JSON: what it was about, another one in each entry */
    for (size_t i = 0; i < listing->kind_count; i++) {
        struct kind *kind = &listing->kinds[i];

        if (kind->reason == found.reason && kind->code == found.code && strcmp(kind->text, found.text) == 0) {
            kind->count++;
            return;
        }
    }
    if (listing->kind_count < CTL_LS_KINDS_MAX)
        listing->kinds[listing->kind_count++] = found;
    else
        listing->others++;
}

static void list_one(struct listing *listing, const struct spool_parked *parked)
{
    if (listing->ctl->json) {
        put_entry(&listing->out, parked);
    } else {
        if (listing->listed == 0)
            print_head(&listing->out, listing->colored);
        print_entry(&listing->out, parked, listing->text_columns);
    }
    listing->listed++;
    count_kind(listing, parked);
    ctl_write(listing->ctl, &listing->out);
    fflush(listing->ctl->out); /* the next one may be far */
}

static int list_from(struct listing *listing, uint64_t seq, uint32_t index, struct err *err)
{
    const struct spool_parked *parked;
    int result = 0;

    if (listing->options->reverse)
        ctl_parked_pages_init_backwards(&listing->pages, listing->spool, listing->stat.next_seq);
    else
        ctl_parked_pages_init(&listing->pages, listing->spool, seq, index);
    listing->pages.end_seq = listing->stat.next_seq;
    while (listing->listed < listing->options->limit && !ferror(listing->ctl->out) &&
           (result = ctl_parked_pages_next(&listing->pages, &parked, err)) > 0) {
        if (ctl_pick_takes_parked(&listing->options->pick, parked, &listing->batch))
            list_one(listing, parked);
    }
    ctl_parked_pages_fini(&listing->pages);
    return result < 0 ? -1 : 0;
}

static int list(struct listing *listing, struct err *err)
{
    const struct ctl_ls_options *options = listing->options;
    uint64_t seq = 0;
    uint32_t index = 0;

    if (spool_stat(listing->spool, &listing->stat, err) < 0)
        return -1;
    if (options->limit != UINT64_MAX && !options->oldest && !options->reverse &&
        find_start(listing, &seq, &index, err) < 0)
        return -1;
    return list_from(listing, seq, index, err);
}

/* "(793 x refused, code 121: Document failed validation)": in parentheses, as what is no line of the list. */
static void print_kinds(struct listing *listing)
{
    char count[UNITS_TEXT_MAX];
    struct buf why;

    buf_init(&why, LINE_BYTES_MAX);
    for (size_t i = 0; i < listing->kind_count; i++) {
        const struct kind *kind = &listing->kinds[i];

        buf_clear(&why);
        buf_printf(&why, "%s x ", units_format_count(count, kind->count));
        ctl_parked_why(&why, kind->reason, kind->code, kind->text);
        buf_text(&listing->out, "(");
        ctl_text_append(&listing->out, buf_slice(&why), listing->width - 2);
        buf_text(&listing->out, ")\n");
    }
    if (listing->others > 0)
        buf_printf(&listing->out, "(%s x something else)\n", units_format_count(count, listing->others));
    buf_fini(&why);
}

static void print_foot(struct listing *listing)
{
    const struct ctl_pick *pick = &listing->options->pick;
    bool filtered = ctl_pick_looks_inside(pick) || pick->since_ns > 0 || pick->until_ns != UINT64_MAX;
    uint64_t there = listing->stat.parked_entries;

    if (listing->listed > 1)
        print_kinds(listing);
    if (listing->listed == 0)
        buf_text(&listing->out, filtered ? "Nothing that is parked matches.\n" : "Nothing is parked.\n");
    else if (listing->listed == listing->options->limit && (filtered || there > listing->listed))
        ctl_ls_put_cut(&listing->out, listing->options, listing->listed, filtered ? 0 : there, "entries");
    ctl_write(listing->ctl, &listing->out);
}

int ctl_ls_parked(struct ctl *ctl, struct spool *spool, const struct ctl_ls_options *options)
{
    struct listing listing = {.ctl = ctl, .options = options, .spool = spool, .colored = ctl_terminal_colored(ctl)};
    unsigned used = ID_COLUMNS + CTL_LS_TIME_COLUMNS + REASON_COLUMNS + CODE_COLUMNS + SPANS_COLUMNS + 8;
    unsigned width = ctl_terminal_width(ctl);
    struct err err;

    listing.width = width;
    listing.text_columns = width > used + CTL_LS_TEXT_MIN ? width - used : CTL_LS_TEXT_MIN;
    ctl_batch_init(&listing.batch);
    buf_init(&listing.out, LINE_BYTES_MAX);
    int result = list(&listing, &err);
    if (result < 0)
        ctl_fail(ctl, "%s", err.text);
    else if (!ctl->json)
        print_foot(&listing);
    buf_fini(&listing.out);
    ctl_batch_fini(&listing.batch);
    return result < 0 ? CTL_FAILED : CTL_OK;
}
