/*
 * spool_space.h - how many pages there are, are used, and are needed.
 */
#ifndef TRACESPOOL_SPOOL_SPACE_H
#define TRACESPOOL_SPOOL_SPACE_H

#include "spool_internal.h"

/* Bounds of a spool of some size, in pages.  Pure. */
struct spool_layout {
    uint64_t size_pages;
    uint64_t limit_pages;  /* records are admitted while so many are used */
    uint64_t group_pages;  /* appended in one transaction, unless one record is larger */
    uint64_t reopen_pages; /* room that is back before a full spool admits again */
    uint64_t record_pages; /* the largest record */
};

struct spool_layout spool_layout_of(uint64_t size_bytes, uint64_t page_bytes);

/* Pages that an entry takes when cut into parts of `part_pages`, its share of the tree included: not less than it takes. */
uint64_t spool_layout_entry_pages(uint64_t payload_bytes, unsigned part_pages, uint64_t page_bytes);

/* Pages in use as this transaction sees them: from LMDB's own figures, in constant time. */
int spool_space_used(MDB_txn *txn, const struct spool *spool, uint64_t *pages);

/* Pages at the file's start that LMDB has ever used. */
uint64_t spool_space_touched(const struct spool *spool);

/*
 * Allocates the file up to `pages`, so that a full disk shows here and not as
 * a short write in the middle of a commit, which LMDB reports as EIO.
 * -1: ERR_BUSY when the disk is full, ERR_FATAL.
 */
int spool_space_grow(struct spool *spool, uint64_t pages, struct err *err);

#endif
