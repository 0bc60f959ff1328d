/*
 * ctl_pages.c - pages of headers, and of parked entries.
 *
 * A page of entries holds their bytes, so it is as small as it takes for them
 * to stay under CTL_PAGE_PARKED_BYTES; an entry that is larger comes alone.
 */
#include "ctl_pages.h"

#include "ctl_pick.h"

/* --- batches ---------------------------------------------------------------- */

void ctl_pages_init(struct ctl_pages *pages, struct spool *spool, uint64_t first, uint64_t end, bool backwards)
{
    pages->spool = spool;
    pages->first = first;
    pages->end = end;
    pages->backwards = backwards;
    pages->count = 0;
    pages->at = 0;
}

/* Leaves out what came after the end. */
static void cut(struct ctl_pages *pages, uint64_t end)
{
    while (pages->count > 0 && pages->records[pages->count - 1].seq >= end)
        pages->count--;
}

/*
 * A header lies alone on its page, and the kernel maps a good many around it.
 * So each page of headers begins with nothing mapped.
 */
static int turn_forwards(struct ctl_pages *pages, struct err *err)
{
    spool_forget_pages(pages->spool);
    if (spool_list(pages->spool, pages->first, CTL_PAGE_RECORDS, pages->records, &pages->count, err) < 0)
        return -1;
    cut(pages, pages->end);
    pages->at = 0;
    pages->first = pages->count > 0 ? pages->records[pages->count - 1].seq + 1 : pages->end;
    return 0;
}

static int turn_backwards(struct ctl_pages *pages, struct err *err)
{
    uint64_t low = pages->end - pages->first > CTL_PAGE_RECORDS ? pages->end - CTL_PAGE_RECORDS : pages->first;

    spool_forget_pages(pages->spool);
    if (spool_list(pages->spool, low, (size_t)(pages->end - low), pages->records, &pages->count, err) < 0)
        return -1;
    cut(pages, pages->end);
    pages->at = pages->count;
    pages->end = low;
    return 0;
}

static bool is_page_over(const struct ctl_pages *pages)
{
    return pages->at == (pages->backwards ? 0 : pages->count);
}

int ctl_pages_next(struct ctl_pages *pages, const struct spool_record **record, struct err *err)
{
    while (is_page_over(pages)) {
        if (pages->first >= pages->end)
            return 0;
        if ((pages->backwards ? turn_backwards(pages, err) : turn_forwards(pages, err)) < 0)
            return -1;
    }
    *record = &pages->records[pages->backwards ? --pages->at : pages->at++];
    return 1;
}

int ctl_pages_lowest(struct spool *spool, unsigned states, uint64_t none, uint64_t *lowest, struct err *err)
{
    struct spool_want want = {.end = SPOOL_OLDEST, .max_records = 1, .max_bytes = 1};
    struct spool_record record;
    size_t count;
    int result;

    /* Pending ones are found at once, however much history lies before them. */
    if (states == SPOOL_EDIT_STATE(SPOOL_PENDING))
        result = spool_read_pending(spool, &want, NULL, &record, &count, err);
    else
        result = spool_list(spool, 0, 1, &record, &count, err);
    *lowest = result == 0 && count > 0 ? record.seq : none;
    return result;
}

/* --- parked entries --------------------------------------------------------- */

static void init(struct ctl_parked_pages *pages, struct spool *spool)
{
    pages->spool = spool;
    pages->end_seq = UINT64_MAX;
    pages->count = 0;
    pages->at = 0;
    arena_init(&pages->arena, CTL_PAGE_PARKED_BYTES);
}

void ctl_parked_pages_init(struct ctl_parked_pages *pages, struct spool *spool, uint64_t seq, uint32_t index)
{
    init(pages, spool);
    pages->backwards = false;
    pages->seq = seq;
    pages->index = index;
}

void ctl_parked_pages_init_backwards(struct ctl_parked_pages *pages, struct spool *spool, uint64_t end_seq)
{
    init(pages, spool);
    pages->backwards = true;
    pages->seq = end_seq;
    pages->index = 0;
}

void ctl_parked_pages_fini(struct ctl_parked_pages *pages)
{
    arena_fini(&pages->arena);
}

static int read_page(struct ctl_parked_pages *pages, size_t bytes_max, size_t entries_max, struct err *err)
{
    arena_reset(&pages->arena, 0);
    pages->arena.max_bytes = bytes_max;
    return (pages->backwards ? spool_list_parked_before : spool_list_parked)(
        pages->spool, pages->seq, pages->index, entries_max, &pages->arena, pages->entries, &pages->count, err);
}

static void move_behind(struct ctl_parked_pages *pages, const struct spool_parked *entry)
{
    pages->seq = entry->seq;
    pages->index = entry->index;
    if (!pages->backwards && ++pages->index == 0)
        pages->seq++;
}

static int turn_parked(struct ctl_parked_pages *pages, struct err *err)
{
    spool_forget_pages(pages->spool);
    int result = read_page(pages, CTL_PAGE_PARKED_BYTES, CTL_PAGE_PARKED, err);

    if (result < 0 && err->class == ERR_BUSY)
        result = read_page(pages, CTL_REQUEST_BYTES_MAX, 1, err);
    pages->at = 0;
    if (result == 0 && pages->count > 0)
        move_behind(pages, &pages->entries[pages->count - 1]);
    return result;
}

int ctl_parked_pages_next(struct ctl_parked_pages *pages, const struct spool_parked **entry, struct err *err)
{
    if (pages->at == pages->count && turn_parked(pages, err) < 0)
        return -1;
    if (pages->at == pages->count || pages->entries[pages->at].seq >= pages->end_seq)
        return 0;
    *entry = &pages->entries[pages->at++];
    return 1;
}

int ctl_parked_of(struct spool *spool, uint64_t seq, struct arena *arena, struct spool_parked *first, uint64_t *count,
                  struct err *err)
{
    size_t found;

    *count = 0;
    if (spool_list_parked(spool, seq, 0, 1, arena, first, &found, err) < 0)
        return -1;
    return found > 0 && first->seq == seq ? spool_count_parked(spool, seq, count, err) : 0;
}
