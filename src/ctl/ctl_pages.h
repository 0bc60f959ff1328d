/*
 * ctl_pages.h - headers of batches, and parked entries, one after the other,
 * from either end.
 *
 * They come by pages, each page in a read transaction of its own that is over
 * before the first of it is handed out: whatever the caller does with one, and
 * however long it takes, pins nothing of the spool.  What goes or comes
 * meanwhile is missed or seen; nothing is seen twice.
 */
#ifndef TRACESPOOL_CTL_PAGES_H
#define TRACESPOOL_CTL_PAGES_H

#include "arena.h"
#include "bounds.h"
#include "spool.h"

/* --- batches ---------------------------------------------------------------- */

struct ctl_pages {
    struct spool *spool;
    uint64_t first; /* first .. end - 1 are still to be read */
    uint64_t end;
    bool backwards;
    size_t count;
    size_t at; /* of `records`, the next one that is handed out; backwards, the one behind it */
    struct spool_record records[CTL_PAGE_RECORDS];
};

void ctl_pages_init(struct ctl_pages *pages, struct spool *spool, uint64_t first, uint64_t end, bool backwards);

/* 1 and the next header, valid until the next call; 0 at the end; -1. */
int ctl_pages_next(struct ctl_pages *pages, const struct spool_record **record, struct err *err);

/* The lowest number that a batch in one of `states` (SPOOL_EDIT_STATE) can have; `none` when there is no such batch. */
int ctl_pages_lowest(struct spool *spool, unsigned states, uint64_t none, uint64_t *lowest, struct err *err);

/* --- parked entries --------------------------------------------------------- */

struct ctl_parked_pages {
    struct spool *spool;
    bool backwards;
    uint64_t seq; /* where to go on; backwards, exclusive */
    uint32_t index;
    uint64_t end_seq; /* forwards: not handed out any more */
    size_t count;
    size_t at;
    struct arena arena; /* of what `entries` point to */
    struct spool_parked entries[CTL_PAGE_PARKED];
};

/* From the first entry at or after (seq, index), or, backwards, from the last one before it.  Fini ends it. */
void ctl_parked_pages_init(struct ctl_parked_pages *pages, struct spool *spool, uint64_t seq, uint32_t index);
void ctl_parked_pages_init_backwards(struct ctl_parked_pages *pages, struct spool *spool, uint64_t end_seq);
void ctl_parked_pages_fini(struct ctl_parked_pages *pages);

/* As ctl_pages_next. */
int ctl_parked_pages_next(struct ctl_parked_pages *pages, const struct spool_parked **entry, struct err *err);

/* Of one batch: how many entries there are, and, when there is one, the first, in `arena`.  -1. */
int ctl_parked_of(struct spool *spool, uint64_t seq, struct arena *arena, struct spool_parked *first, uint64_t *count,
                  struct err *err);

#endif
