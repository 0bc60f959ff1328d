/*
 * ctl_edit_plan.c - ids into work.
 *
 * A range may hold anything: what is in another state is passed over when it
 * is done.  An id that was named alone was meant, so it is looked at first,
 * and when it is not there or does not fit, that is said.  What remains is
 * sorted and joined, so that a thousand ids from a pipe are a few steps and
 * not a thousand.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "ctl_edit.h"

/* Headers of consecutive records, as many as one transaction gives. */
struct page {
    struct spool_record records[CTL_PAGE_RECORDS];
    size_t count;
    uint64_t from; /* what lies in from .. end - 1 is in `records`, or is not there */
    uint64_t end;
};

static int turn_to(struct page *page, struct spool *spool, uint64_t seq, struct err *err)
{
    if (seq >= page->from && seq < page->end)
        return 0;
    if (spool_list(spool, seq, CTL_PAGE_RECORDS, page->records, &page->count, err) < 0)
        return -1;
    page->from = seq;
    page->end = page->count == CTL_PAGE_RECORDS ? page->records[page->count - 1].seq + 1 : SPOOL_SEQ_OPEN;
    return 0;
}

/* The record, or NULL when there is none.  -1: it cannot be read. */
static int find_record(struct page *page, struct spool *spool, uint64_t seq, const struct spool_record **record,
                       struct err *err)
{
    *record = NULL;
    if (turn_to(page, spool, seq, err) < 0)
        return -1;
    for (size_t low = 0, high = page->count; low < high;) {
        size_t middle = low + (high - low) / 2;

        if (page->records[middle].seq == seq)
            *record = &page->records[middle];
        if (page->records[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* Whether something is parked between the two.  -1: it cannot be read. */
static int is_parked(struct spool *spool, uint64_t seq, uint32_t first_index, uint32_t last_index, struct err *err)
{
    struct spool_edit_parked probe = {
        .seq = seq, .index = first_index, .last_seq = seq, .last_index = last_index, .dry_run = true};
    struct spool_edit_result result = {.records = 0};
    uint64_t new_seq;

    return spool_edit_parked_step(spool, &probe, &new_seq, &result, err);
}

static void tell_missing(struct ctl_edit *edit, const struct ctl_edit_id *id)
{
    char text[CTL_MISSING_TEXT_MAX];

    ctl_edit_fail(edit, id, "%s", ctl_batch_missing(text, id->first, edit->next_seq));
}

static void tell_misfit(struct ctl_edit *edit, const struct ctl_edit_id *id, const struct spool_record *record)
{
    const char *state = spool_record_state_name(record->state);

    if ((edit->form->fits & SPOOL_EDIT_STATE(record->state)) != 0)
        ctl_edit_fail(edit, id, "was received at another time");
    else if (edit->form->kind == SPOOL_EDIT_REMOVE)
        ctl_edit_fail(edit, id, "is %s; --history removes such batches too", state);
    else
        ctl_edit_fail(edit, id, "is %s; %s takes only what is %s", state, edit->form->present,
                      edit->form->kind == SPOOL_EDIT_HOLD      ? "pending"
                      : edit->form->kind == SPOOL_EDIT_RELEASE ? "held"
                                                               : "delivered");
}

static bool fits(const struct ctl_edit *edit, const struct spool_record *record)
{
    return record != NULL && (edit->states & SPOOL_EDIT_STATE(record->state)) != 0 &&
           ctl_pick_in_time(&edit->pick, record->received_ns);
}

static uint32_t last_index(const struct ctl_edit_id *id)
{
    return id->kind == CTL_EDIT_ENTRY ? id->index : UINT32_MAX;
}

static void add_work(struct ctl_edit *edit, const struct ctl_edit_id *id, uint64_t expected)
{
    struct ctl_edit_work work = {.first = id->first, .last = id->last, .expected = expected};

    if (id->kind == CTL_EDIT_ALL) {
        work.first = 1;
        work.last = edit->next_seq - 1;
    }
    work.is_parked = ctl_edit_id_is_parked(id);
    work.index = id->index;
    work.last_index = last_index(id);
    edit->work[edit->work_count++] = work;
}

/* An id that was named alone. */
static int plan_one(struct ctl_edit *edit, struct page *page, const struct ctl_edit_id *id, struct err *err)
{
    const struct spool_record *record = NULL;
    bool only_parked = ctl_edit_id_is_parked(id);
    int parked = 0;

    if (!only_parked && find_record(page, edit->spool, id->first, &record, err) < 0)
        return -1;
    bool is_fit = !only_parked && fits(edit, record);
    if (edit->form->entries && !is_fit)
        parked = is_parked(edit->spool, id->first, id->index, last_index(id), err);
    if (parked < 0)
        return -1;
    if (is_fit || parked > 0)
        add_work(edit, id, is_fit ? 1 : 0);
    else if (only_parked)
        ctl_edit_fail(edit, id, "nothing is parked there");
    else if (record == NULL)
        tell_missing(edit, id);
    else if (edit->form->fits == 0)
        ctl_edit_fail(edit, id, "nothing of this batch is parked");
    else
        tell_misfit(edit, id, record);
    return 0;
}

/* Whole batches before entries of the same one, which they include, and all of these before one. */
static int compare(const void *a, const void *b)
{
    const struct ctl_edit_work *one = a, *other = b;

    if (one->first != other->first)
        return one->first < other->first ? -1 : 1;
    if (one->is_parked != other->is_parked)
        return one->is_parked ? 1 : -1;
    if (one->index != other->index)
        return one->index < other->index ? -1 : 1;
    return one->last_index == other->last_index ? 0 : one->last_index > other->last_index ? -1 : 1;
}

/* What is named twice is done once; neighbours become one. */
static void join(struct ctl_edit *edit)
{
    struct ctl_edit_work *whole = NULL, *entries = NULL;
    size_t count = 0;

    qsort(edit->work, edit->work_count, sizeof(*edit->work), compare);
    for (size_t i = 0; i < edit->work_count; i++) {
        struct ctl_edit_work work = edit->work[i];

        if (whole != NULL && work.first <= whole->last + (work.is_parked ? 0 : 1)) {
            whole->last = work.last > whole->last ? work.last : whole->last;
            whole->expected += work.expected;
            continue;
        }
        if (work.is_parked && entries != NULL && entries->first == work.first && work.index <= entries->last_index)
            continue;
        edit->work[count] = work;
        *(work.is_parked ? &entries : &whole) = &edit->work[count++];
    }
    edit->work_count = count;
}

/* The same id twice would be expected twice. */
static int compare_ids(const void *a, const void *b)
{
    const struct ctl_edit_id *one = a, *other = b;

    if (one->kind != other->kind)
        return one->kind < other->kind ? -1 : 1;
    if (one->first != other->first)
        return one->first < other->first ? -1 : 1;
    return one->index == other->index ? 0 : one->index < other->index ? -1 : 1;
}

bool ctl_edit_is_named(const struct ctl_edit *edit, uint64_t seq)
{
    struct ctl_edit_id id = {.kind = CTL_EDIT_BATCH, .first = seq};

    return edit->ids.count > 0 &&
           bsearch(&id, edit->ids.items, edit->ids.count, sizeof(*edit->ids.items), compare_ids) != NULL;
}

/* A range that goes past the newest batch is a mistake: what would come later is not in it. */
static int check_ranges(const struct ctl_edit *edit, struct err *err)
{
    char text[CTL_EDIT_ID_TEXT_MAX];

    for (size_t i = 0; i < edit->ids.count; i++) {
        const struct ctl_edit_id *id = &edit->ids.items[i];

        if (id->kind != CTL_EDIT_RANGE || id->last < edit->next_seq)
            continue;
        ctl_edit_id_format(text, id);
        if (edit->next_seq > 1)
            return err_set(err, ERR_CONFIG, 0, "%s: the newest batch is %" PRIu64, text, edit->next_seq - 1);
        return err_set(err, ERR_CONFIG, 0, "%s: no batch has come yet", text);
    }
    return 0;
}

static int plan_all(struct ctl_edit *edit, struct page *page, struct err *err)
{
    for (size_t i = 0; i < edit->ids.count; i++) {
        const struct ctl_edit_id *id = &edit->ids.items[i];
        bool is_one = id->kind == CTL_EDIT_BATCH || ctl_edit_id_is_parked(id);

        if (is_one && i > 0 && compare_ids(id - 1, id) == 0)
            continue;
        if (!is_one)
            add_work(edit, id, 0);
        else if (plan_one(edit, page, id, err) < 0)
            return -1;
    }
    return 0;
}

int ctl_edit_plan(struct ctl_edit *edit, struct err *err)
{
    struct page *page;
    struct spool_stat stat;
    int result;

    if (spool_find_since(edit->spool, edit->pick.since_ns, &edit->begin, err) < 0 ||
        spool_stat(edit->spool, &stat, err) < 0)
        return -1;
    edit->next_seq = stat.next_seq;
    if (check_ranges(edit, err) < 0)
        return -1;
    page = calloc(1, sizeof(*page));
    edit->work = calloc(edit->ids.count + 1, sizeof(*edit->work));
    if (page == NULL || edit->work == NULL) {
        free(page);
        return err_set(err, ERR_BUSY, 0, "no memory for %zu ids", edit->ids.count);
    }
    if (edit->ids.count > 1)
        qsort(edit->ids.items, edit->ids.count, sizeof(*edit->ids.items), compare_ids);
    result = plan_all(edit, page, err);
    if (result == 0)
        join(edit);
    edit->planned_count = edit->work_count;
    free(page);
    return result;
}
