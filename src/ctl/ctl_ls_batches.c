/*
 * ctl_ls_batches.c - the list of batches.
 *
 * Headers come by pages, each page and each batch in a read transaction of its
 * own that is over before anything is printed: a list that stops in a pager
 * must not pin the spool.  Each line is written when it is there.  Memory is
 * that of the largest batch.
 *
 * The newest of a limit, the oldest of them first, are looked for backwards,
 * and then listed forwards; every other order is listed as it is read.  The
 * list ends at what was the newest batch when it began, so a busy spool does
 * not make it endless.  A batch that is evicted meanwhile is passed over; a
 * damaged one is listed and makes the exit status 2.
 */
#include <unistd.h>

#include "clock.h"
#include "ctl_ls.h"
#include "ctl_pages.h"
#include "ctl_terminal.h"

#define LINE_BYTES_MAX (1UL << 20)
#define KIND_MAX 64

struct listing {
    struct ctl *ctl;
    struct spool *spool;
    const struct ctl_ls_options *options;
    struct ctl_pick pick; /* without states in which there is nothing */
    struct spool_stat stat;
    struct ctl_ls_form form;
    uint64_t oldest_pending; /* its number: what MongoDB was last tried with */
    uint64_t listed;
    bool damaged;
    struct ctl_pages pages;
    struct ctl_batch batch;
    struct spool_parked parked;
    struct arena entry; /* what that points to */
    struct buf out;
};

/* The batch is in listing->batch when the answer is 1; 0: it is not wanted, or not there any more. */
static int is_wanted(struct listing *listing, const struct spool_record *header, struct err *err)
{
    int found;

    if (!ctl_pick_fits(&listing->pick, header))
        return 0;
    found = ctl_batch_look(&listing->batch, listing->spool, header->seq, err);
    return found > 0 ? ctl_pick_takes(&listing->pick, &listing->batch) : found;
}

/* Where to begin so that the newest `limit` wanted batches are listed. */
static int find_start(struct listing *listing, uint64_t lowest, uint64_t *start, struct err *err)
{
    const struct spool_record *header;
    uint64_t wanted = 0;
    int result;

    ctl_pages_init(&listing->pages, listing->spool, lowest, listing->stat.next_seq, true);
    *start = lowest;
    while ((result = ctl_pages_next(&listing->pages, &header, err)) > 0) {
        int is_one = ctl_pick_looks_inside(&listing->pick) ? is_wanted(listing, header, err)
                                                           : ctl_pick_fits(&listing->pick, header);

        if (is_one < 0)
            return -1;
        if (is_one > 0 && ++wanted == listing->options->limit) {
            *start = header->seq;
            return 0;
        }
    }
    return result;
}

/* Of the oldest pending batch: what the daemon noted. */
static void add_attempts(const struct listing *listing, struct ctl_ls_row *row)
{
    const struct spool_delivery *delivery = &listing->stat.delivery;

    if (row->record->state == SPOOL_PENDING && row->record->seq == listing->oldest_pending &&
        delivery->text[0] != '\0') {
        row->tried = true;
        row->attempts = delivery->attempts;
        row->last_error = delivery->text;
    }
}

/* What is parked of it: the first span, or the entry that says why all of it is held. */
static int add_parked(struct listing *listing, struct ctl_ls_row *row, struct err *err)
{
    struct spool_parked *parked = &listing->parked;

    if (listing->stat.parked_entries == 0)
        return 0;
    arena_reset(&listing->entry, 0);
    if (ctl_parked_of(listing->spool, row->record->seq, &listing->entry, parked, &row->parked_entries, err) < 0)
        return -1;
    if (row->parked_entries == 0)
        return 0;
    if (!parked->whole) {
        row->parked = parked;
    } else if (row->record->state == SPOOL_HELD) {
        row->tried = true;
        row->attempts = parked->attempts;
        row->last_error = parked->text;
    }
    return 0;
}

static int list_one(struct listing *listing, struct err *err)
{
    struct ctl_batch *batch = &listing->batch;
    struct ctl_ls_row row = {.record = &batch->record};

    if (batch->readable && ctl_batch_services(batch, &row.services, &batch->unreadable) < 0)
        batch->readable = false;
    if (!batch->readable) {
        row.unreadable = batch->unreadable.text;
        row.services.count = 0;
        listing->damaged = true;
    }
    add_attempts(listing, &row);
    if (add_parked(listing, &row, err) < 0)
        return -1;
    if (listing->ctl->json) {
        ctl_ls_put_row(&listing->out, &listing->form, &row);
    } else {
        if (listing->listed == 0)
            ctl_ls_print_head(&listing->out, &listing->form);
        ctl_ls_print_row(&listing->out, &listing->form, &row);
    }
    listing->listed++;
    ctl_write(listing->ctl, &listing->out);
    fflush(listing->ctl->out); /* the next one may be far */
    return 0;
}

static int list_from(struct listing *listing, uint64_t start, struct err *err)
{
    const struct spool_record *header;
    int result = 0;

    ctl_pages_init(&listing->pages, listing->spool, start, listing->stat.next_seq, listing->options->reverse);
    while (listing->listed < listing->options->limit && !ferror(listing->ctl->out) &&
           (result = ctl_pages_next(&listing->pages, &header, err)) > 0) {
        int wanted = is_wanted(listing, header, err);

        if (wanted < 0 || (wanted > 0 && list_one(listing, err) < 0))
            return -1;
    }
    return result < 0 ? -1 : 0;
}

static int list(struct listing *listing, struct err *err)
{
    const struct ctl_ls_options *options = listing->options;
    uint64_t start, begin;

    if (spool_stat(listing->spool, &listing->stat, err) < 0)
        return -1;
    if (!options->states_given && listing->stat.held_records == 0)
        listing->pick.states = SPOOL_EDIT_STATE(SPOOL_PENDING);
    if (ctl_pages_lowest(listing->spool, SPOOL_EDIT_STATE(SPOOL_PENDING), 0, &listing->oldest_pending, err) < 0 ||
        ctl_pages_lowest(listing->spool, listing->pick.states, listing->stat.next_seq, &start, err) < 0 ||
        spool_find_since(listing->spool, listing->pick.since_ns, &begin, err) < 0)
        return -1;
    start = begin > start ? begin : start;
    if (options->limit != UINT64_MAX && !options->oldest && !options->reverse &&
        find_start(listing, start, &start, err) < 0)
        return -1;
    return list_from(listing, start, err);
}

/* "pending and held ", and how many of these there are. */
static uint64_t describe(const struct listing *listing, char kind[KIND_MAX])
{
    const struct spool_stat *stat = &listing->stat;
    const struct {
        enum spool_record_state state;
        uint64_t count;
    } sets[] = {{SPOOL_PENDING, stat->pending_records},
                {SPOOL_HELD, stat->held_records},
                {SPOOL_DELIVERED, stat->history_records}};
    uint64_t there = 0;
    size_t len = 0;

    kind[0] = '\0';
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        if ((listing->pick.states & SPOOL_EDIT_STATE(sets[i].state)) == 0)
            continue;
        there += sets[i].count;
        if (listing->pick.states != CTL_STATES_ALL)
            len += (size_t)snprintf(kind + len, KIND_MAX - len, "%s%s ", len > 0 ? "and " : "",
                                    spool_record_state_name(sets[i].state));
    }
    return there;
}

static void print_foot(struct listing *listing)
{
    const struct ctl_pick *pick = &listing->pick;
    bool filtered = ctl_pick_looks_inside(pick) || pick->since_ns > 0 || pick->until_ns != UINT64_MAX;
    char kind[KIND_MAX], what[KIND_MAX + 16];
    uint64_t there = describe(listing, kind);

    snprintf(what, sizeof(what), "%sbatches", kind);
    if (listing->listed == 0)
        buf_printf(&listing->out, "No %s%s.%s\n", what, filtered ? " match" : "",
                   !listing->options->states_given && listing->stat.history_records > 0
                       ? " `tracespool ls --all` lists history."
                       : "");
    else if (listing->listed == listing->options->limit && (filtered || there > listing->listed))
        ctl_ls_put_cut(&listing->out, listing->options, listing->listed, filtered ? 0 : there, what);
    ctl_write(listing->ctl, &listing->out);
}

static int run(struct listing *listing)
{
    struct err err;

    if (list(listing, &err) < 0)
        return ctl_fail(listing->ctl, "%s", err.text);
    if (!listing->ctl->json)
        print_foot(listing);
    return listing->damaged ? CTL_PARTIAL : CTL_OK;
}

int ctl_ls_batches(struct ctl *ctl, struct spool *spool, const struct ctl_ls_options *options)
{
    struct listing listing = {.ctl = ctl,
                              .spool = spool,
                              .options = options,
                              .pick = options->pick,
                              .form = {.now_ns = clock_wall_ns(),
                                       .width = ctl_terminal_width(ctl),
                                       .cuts = isatty(fileno(ctl->out)) == 1,
                                       .colored = ctl_terminal_colored(ctl)}};

    ctl_batch_init(&listing.batch);
    arena_init(&listing.entry, CTL_REQUEST_BYTES_MAX);
    buf_init(&listing.out, LINE_BYTES_MAX);
    int status = run(&listing);
    buf_fini(&listing.out);
    arena_fini(&listing.entry);
    ctl_batch_fini(&listing.batch);
    return status;
}
