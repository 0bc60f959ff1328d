/*
 * ctl_ls_batches.c - the list of batches, oldest first.
 *
 * Headers come by pages, each page and each batch in a read transaction of its
 * own that is over before anything is printed: a list that stops in a pager
 * must not pin the spool.  With a limit the start is looked for backwards,
 * page by page.  The list ends at what was the newest batch when it began, so
 * a busy spool does not make it endless.  A batch that is evicted meanwhile is
 * passed over; a damaged one is listed and makes the exit status 2.
 */
#include <inttypes.h>

#include "clock.h"
#include "ctl_batch.h"
#include "ctl_ls.h"
#include "ctl_terminal.h"
#include "ctl_text.h"
#include "json.h"
#include "units.h"

#define SEQ_COLUMNS 6
#define AGE_COLUMNS 9
#define SPANS_COLUMNS 7
#define BYTES_COLUMNS 8
#define STATE_COLUMNS 9
#define LINE_BYTES_MAX (1UL << 20)

struct listing {
    struct ctl *ctl;
    struct spool *spool;
    const struct ctl_ls_options *options;
    uint64_t now_ns;
    uint64_t end_seq; /* not listed any more */
    bool any_held;
    uint64_t listed;
    bool damaged;
    bool colored;
    unsigned services_columns;
    struct ctl_batch batch;
    struct buf out;
};

static bool is_wanted(const struct listing *listing, const struct spool_record *record)
{
    return record->seq < listing->end_seq && (listing->options->all || record->state != SPOOL_DELIVERED);
}

static const char *state_name(const struct spool_record *record)
{
    return record->damaged ? "damaged" : spool_record_state_name(record->state);
}

/* The lowest sequence number that can be wanted.  -1: the spool cannot be read. */
static int find_lowest(struct listing *listing, uint64_t *lowest, struct err *err)
{
    struct spool_record record;
    size_t count;
    int result;

    if (listing->options->all || listing->any_held) {
        result = spool_list(listing->spool, 0, 1, &record, &count, err);
    } else {
        struct spool_want want = {.end = SPOOL_OLDEST, .max_records = 1, .max_bytes = CTL_REQUEST_BYTES_MAX};

        arena_reset(&listing->batch.stored, 0);
        result = spool_read_pending(listing->spool, &want, &listing->batch.stored, &record, &count, err);
    }
    *lowest = result == 0 && count > 0 ? record.seq : listing->end_seq;
    return result;
}

/* Where to begin so that the newest `limit` wanted records are listed. */
static int find_start(struct listing *listing, uint64_t *start, struct err *err)
{
    struct spool_record records[CTL_PAGE_RECORDS];
    uint64_t lowest, high = listing->end_seq, wanted = 0;
    size_t count;

    if (find_lowest(listing, &lowest, err) < 0)
        return -1;
    *start = lowest;
    if (listing->options->limit == UINT64_MAX)
        return 0;
    while (high > lowest) {
        uint64_t low = high - lowest > CTL_PAGE_RECORDS ? high - CTL_PAGE_RECORDS : lowest;

        if (spool_list(listing->spool, low, (size_t)(high - low), records, &count, err) < 0)
            return -1;
        for (size_t i = count; i-- > 0;) {
            if (records[i].seq >= high || !is_wanted(listing, &records[i]))
                continue;
            *start = records[i].seq;
            if (++wanted == listing->options->limit)
                return 0;
        }
        high = low;
    }
    *start = lowest;
    return 0;
}

static void right_text(struct buf *out, const char *text, unsigned columns)
{
    buf_printf(out, "%*s", (int)columns, text);
}

static void print_head(struct listing *listing)
{
    struct buf *out = &listing->out;

    ctl_text_style(out, listing->colored, CTL_BOLD);
    right_text(out, "SEQ", SEQ_COLUMNS);
    buf_text(out, "  ");
    ctl_text_pad(out, slice_of_text("RECEIVED"), CTL_LS_TIME_COLUMNS);
    right_text(out, "AGE", AGE_COLUMNS + 1);
    right_text(out, "SPANS", SPANS_COLUMNS + 1);
    right_text(out, "STORED", BYTES_COLUMNS + 1);
    buf_text(out, "  ");
    ctl_text_pad(out, slice_of_text("STATE"), STATE_COLUMNS + 1);
    buf_text(out, "SERVICES");
    ctl_text_style(out, listing->colored, CTL_PLAIN);
    buf_text(out, "\n");
}

static void print_services(struct listing *listing, const struct ctl_services *services)
{
    struct buf names;

    buf_init(&names, LINE_BYTES_MAX);
    for (size_t i = 0; i < services->count && names.len < 2 * CTL_WIDTH_MAX; i++) {
        buf_text(&names, i > 0 ? ", " : "");
        buf_append(&names, services->names[i].data, services->names[i].len);
    }
    if (services->more || services->count == 0)
        buf_text(&names, services->more ? ", ..." : "-");
    ctl_text_append(&listing->out, buf_slice(&names), listing->services_columns);
    buf_fini(&names);
}

static void print_record(struct listing *listing, const struct ctl_services *services, const struct err *unreadable)
{
    const struct spool_record *record = &listing->batch.record;
    struct buf *out = &listing->out;
    char text[UNITS_TEXT_MAX];
    uint64_t age = listing->now_ns > record->received_ns ? listing->now_ns - record->received_ns : 0;

    if (listing->listed == 0)
        print_head(listing);
    buf_printf(out, "%*" PRIu64 "  ", SEQ_COLUMNS, record->seq);
    ctl_ls_time(out, record->received_ns);
    right_text(out, units_format_duration(text, age), AGE_COLUMNS + 1);
    right_text(out, units_format_count(text, record->spans), SPANS_COLUMNS + 1);
    right_text(out, units_format_bytes(text, record->stored_bytes), BYTES_COLUMNS + 1);
    buf_text(out, "  ");
    ctl_text_style(out, listing->colored && record->damaged, CTL_RED);
    ctl_text_pad(out, slice_of_text(state_name(record)), STATE_COLUMNS + 1);
    ctl_text_style(out, listing->colored && record->damaged, CTL_PLAIN);
    if (unreadable != NULL)
        ctl_text_append(out, slice_of_text(unreadable->text), listing->services_columns);
    else
        print_services(listing, services);
    buf_text(out, "\n");
}

static void print_json(struct listing *listing, const struct ctl_services *services, const struct err *unreadable)
{
    const struct spool_record *record = &listing->batch.record;
    uint64_t age = listing->now_ns > record->received_ns ? listing->now_ns - record->received_ns : 0;
    struct json json;

    json_init(&json, &listing->out);
    json_begin_object(&json);
    json_key(&json, "seq");
    json_uint(&json, record->seq);
    json_key(&json, "received_unix_ns");
    json_uint(&json, record->received_ns);
    json_key(&json, "age_seconds");
    json_double(&json, (double)age / NS_PER_S);
    json_key(&json, "spans");
    json_uint(&json, record->spans);
    json_key(&json, "stored_bytes");
    json_uint(&json, record->stored_bytes);
    json_key(&json, "request_bytes");
    json_uint(&json, record->raw_bytes);
    json_key(&json, "state");
    json_text(&json, state_name(record));
    json_key(&json, "services");
    json_begin_array(&json);
    for (size_t i = 0; i < services->count; i++)
        json_string(&json, services->names[i]);
    json_end_array(&json);
    json_key(&json, "error");
    json_text(&json, unreadable != NULL ? unreadable->text : NULL);
    json_end_object(&json);
    buf_text(&listing->out, "\n");
}

/* The batch's services.  -1: it cannot be read, and `unreadable` says why. */
static int look_inside(struct listing *listing, struct ctl_services *services, struct err *unreadable)
{
    *services = (struct ctl_services){.count = 0};
    if (listing->batch.record.damaged)
        return err_set(unreadable, ERR_POISON, 0, "a part is missing or its checksum is wrong");
    if (ctl_batch_inflate(&listing->batch, unreadable) < 0 || ctl_batch_walk(&listing->batch, unreadable) < 0)
        return -1;
    return ctl_batch_services(&listing->batch, services, unreadable);
}

static int list_one(struct listing *listing, const struct spool_record *header, struct err *err)
{
    struct ctl_services services;
    struct err unreadable;
    int found = ctl_batch_read(&listing->batch, listing->spool, header->seq, err);

    if (found <= 0)
        return found;
    bool readable = look_inside(listing, &services, &unreadable) == 0;
    if (listing->ctl->json)
        print_json(listing, &services, readable ? NULL : &unreadable);
    else
        print_record(listing, &services, readable ? NULL : &unreadable);
    listing->listed++;
    listing->damaged |= !readable;
    ctl_write(listing->ctl, &listing->out);
    return 0;
}

static int list_from(struct listing *listing, uint64_t from, struct err *err)
{
    struct spool_record records[CTL_PAGE_RECORDS];
    size_t count;

    while (from < listing->end_seq) {
        if (spool_list(listing->spool, from, CTL_PAGE_RECORDS, records, &count, err) < 0)
            return -1;
        if (count == 0)
            break;
        for (size_t i = 0; i < count; i++) {
            if (is_wanted(listing, &records[i]) && list_one(listing, &records[i], err) < 0)
                return -1;
        }
        from = records[count - 1].seq + 1;
    }
    return 0;
}

static void print_foot(struct listing *listing, const struct spool_stat *stat)
{
    const char *kind = listing->options->all ? "" : listing->any_held ? "pending and held " : "pending ";
    uint64_t there = stat->pending_records + stat->held_records + (listing->options->all ? stat->history_records : 0);
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

    if (listing->listed == 0)
        buf_printf(&listing->out, "No %sbatches.%s\n", kind,
                   !listing->options->all && stat->history_records > 0 ? " `tracespool ls --all` lists history." : "");
    else if (listing->listed == listing->options->limit && there > listing->listed)
        buf_printf(&listing->out, "The newest %s of %s %sbatches; --limit 0 lists all.\n",
                   units_format_count(a, listing->listed), units_format_count(b, there), kind);
    ctl_write(listing->ctl, &listing->out);
}

int ctl_ls_batches(struct ctl *ctl, struct spool *spool, const struct ctl_ls_options *options)
{
    struct listing listing = {.ctl = ctl, .spool = spool, .options = options, .now_ns = clock_wall_ns()};
    unsigned used = SEQ_COLUMNS + CTL_LS_TIME_COLUMNS + AGE_COLUMNS + SPANS_COLUMNS + BYTES_COLUMNS + STATE_COLUMNS + 8;
    unsigned width = ctl_terminal_width(ctl);
    struct spool_stat stat;
    struct err err;
    uint64_t start;

    listing.services_columns = width > used + CTL_LS_TEXT_MIN ? width - used : CTL_LS_TEXT_MIN;
    listing.colored = ctl_terminal_colored(ctl);
    ctl_batch_init(&listing.batch);
    buf_init(&listing.out, LINE_BYTES_MAX);
    int result = spool_stat(spool, &stat, &err);
    listing.end_seq = result == 0 ? stat.next_seq : 0;
    listing.any_held = result == 0 && stat.held_records > 0;
    if (result == 0)
        result = find_start(&listing, &start, &err);
    if (result == 0)
        result = list_from(&listing, start, &err);
    if (result < 0)
        ctl_fail(ctl, "%s", err.text);
    else if (!ctl->json)
        print_foot(&listing, &stat);
    buf_fini(&listing.out);
    ctl_batch_fini(&listing.batch);
    return result < 0 ? CTL_FAILED : listing.damaged ? CTL_PARTIAL : CTL_OK;
}
