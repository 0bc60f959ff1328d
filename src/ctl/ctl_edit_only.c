/*
 * ctl_edit_only.c - the batches of a service among those that are meant.
 *
 * A service stands in the batches' bytes only, so each that fits is read, in a
 * read transaction of its own, before anything is said or done: what is asked
 * for is then exactly what is done.  An id that was named alone and has no
 * spans of the service is a failure of that id, as with a state that does not
 * fit.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "ctl_edit.h"
#include "ctl_pages.h"
#include "ctl_progress.h"

#define ONLY_FIRST 1024

struct search {
    struct ctl_edit *edit;
    size_t capacity; /* of edit->only */
    struct ctl_batch batch;
    struct ctl_pages pages;
    struct ctl_progress progress;
};

static int note(struct search *search, uint64_t seq, struct err *err)
{
    struct ctl_edit *edit = search->edit;

    if (edit->only_count == CTL_EDIT_IDS_MAX)
        return err_set(err, ERR_CONFIG, 0, "more than %d batches have spans of this service; narrow it by times or ids",
                       CTL_EDIT_IDS_MAX);
    if (edit->only_count == search->capacity) {
        size_t capacity = 2 * search->capacity;
        uint64_t *only = realloc(edit->only, capacity * sizeof(*only));

        if (only == NULL)
            return err_set(err, ERR_BUSY, 0, "no memory for %zu batches", capacity);
        edit->only = only;
        search->capacity = capacity;
    }
    edit->only[edit->only_count++] = seq;
    return 0;
}

/* 1: it has the service, 0: it has not, or is gone, -1. */
static int look(struct search *search, uint64_t seq, struct err *err)
{
    struct ctl_edit *edit = search->edit;
    int found = ctl_batch_look(&search->batch, edit->spool, seq, err);

    if (found <= 0)
        return found;
    found = ctl_pick_takes(&edit->pick, &search->batch);
    if (!search->batch.readable)
        edit->unreadable++;
    return found;
}

/* The batch in hand has no spans of the service: what was meant by its number alone is not done. */
static void leave_out(struct search *search, struct ctl_edit_work *work, uint64_t seq)
{
    struct ctl_edit *edit = search->edit;
    struct ctl_edit_id id = {.kind = CTL_EDIT_BATCH, .first = seq, .last = seq};

    if (!ctl_edit_is_named(edit, seq))
        return;
    work->expected -= work->expected > 0;
    if (search->batch.readable)
        ctl_edit_fail(edit, &id, "has no spans of %s", edit->pick.service);
    else
        ctl_edit_fail(edit, &id, "cannot be looked into: %s", search->batch.unreadable.text);
}

static int look_through(struct search *search, struct ctl_edit_work *work, struct err *err)
{
    struct ctl_edit *edit = search->edit;
    struct ctl_pick fits = {.states = edit->states, .since_ns = edit->pick.since_ns, .until_ns = edit->pick.until_ns};
    uint64_t first = ctl_edit_from(edit, work->first);
    const struct spool_record *header;
    int result;

    ctl_pages_init(&search->pages, edit->spool, first, work->last + 1, false);
    while ((result = ctl_pages_next(&search->pages, &header, err)) > 0) {
        if (!ctl_pick_fits(&fits, header))
            continue;
        int has = look(search, header->seq, err);

        if (has < 0 || (has > 0 && note(search, header->seq, err) < 0))
            return -1;
        if (has == 0)
            leave_out(search, work, header->seq);
        ctl_progress_show(&search->progress, "looking for the service", header->seq - first, work->last - first);
    }
    return result;
}

static int look_through_all(struct search *search, struct err *err)
{
    struct ctl_edit *edit = search->edit;

    for (size_t i = 0; i < edit->work_count; i++) {
        if (look_through(search, &edit->work[i], err) < 0)
            return -1;
    }
    return 0;
}

int ctl_edit_find_service(struct ctl_edit *edit, struct err *err)
{
    struct search search = {.edit = edit, .capacity = ONLY_FIRST};

    /* There from the beginning: no list at all would mean every batch. */
    edit->only = calloc(ONLY_FIRST, sizeof(*edit->only));
    if (edit->only == NULL)
        return err_set(err, ERR_BUSY, 0, "no memory for %d batches", ONLY_FIRST);
    ctl_batch_init(&search.batch);
    ctl_progress_init(&search.progress, edit->ctl);
    int result = look_through_all(&search, err);
    ctl_progress_clear(&search.progress);
    ctl_batch_fini(&search.batch);
    return result;
}
