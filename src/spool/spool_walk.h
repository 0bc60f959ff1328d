/*
 * spool_walk.h - is this file sound in its structure?
 *
 * Our own reader of LMDB's data file (version 1 of its format, 64 bits,
 * little-endian, pages of SPOOL_PAGE_BYTES).  It reads with pread, so that a
 * short file or a sector that cannot be read is an answer and not a SIGBUS.
 * What it calls sound, LMDB can open, read and write without crashing, looping
 * or overwriting what is in use.  Records' payloads are not read: their own
 * checksums are for those.
 */
#ifndef TRACESPOOL_SPOOL_WALK_H
#define TRACESPOOL_SPOOL_WALK_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "err.h"

#define SPOOL_DAMAGED EUCLEAN /* the code of an ERR_FATAL that says what is wrong with a file */

struct spool_walk_options {
    uint64_t txnid;       /* 0: the newest snapshot; else that one, which a read transaction of the caller pins */
    uint64_t deadline_ns; /* monotonic; 0: none */
    /* Now and then: pages read of about so many.  May be NULL. */
    void (*progress)(void *context, uint64_t done_pages, uint64_t expected_pages);
    void *context;
};

struct spool_walk_database {
    char name[STATE_NAME_MAX]; /* made printable */
    uint64_t entries;
    uint64_t branch_pages;
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    unsigned depth;
};

struct spool_walk_report {
    uint64_t txnid;
    uint64_t map_bytes;     /* as the file says */
    uint64_t file_pages;    /* whole pages that the file has */
    uint64_t touched_pages; /* that LMDB has ever used, from the file's start */
    uint64_t used_pages;    /* both meta pages, trees and values */
    uint64_t free_pages;    /* in the list of free pages */
    uint64_t lost_pages;    /* in neither: room that is gone, and no harm */
    uint64_t read_pages;    /* by this walk */
    uint64_t newer_txnid;   /* newer than `txnid`, and the other meta page's free list knows it; 0: none */
    unsigned
        database_count; /* of `databases`: first the free list and the main database, named "free list" and "main" */
    struct spool_walk_database databases[SPOOL_WALK_DATABASES_MAX];
};

/*
 * What newer_txnid means: transaction N failed when its meta page was written,
 * and LMDB put the page's old number back; or N was committed and the number
 * has gone bad since.  Only lock.mdb can tell, which has the last transaction
 * that was committed.
 */

/*
 * Walks the file under `fd`, which has to be open for reading; its offset is
 * left alone.  Any thread; blocks on the disk.  0: sound, and *report is whole.
 * -1, and *report tells how far it came:
 *   ERR_FATAL  SPOOL_DAMAGED: which page and what is wrong with it.
 *   ERR_CONFIG an LMDB file, but of another version or page size, or one that is no spool: not ours to judge.
 *   ERR_RETRY  ESTALE: neither meta page has `txnid`, or the file was written to meanwhile.
 *   ERR_BUSY   ETIMEDOUT: the deadline has passed; ENOMEM: out of memory.
 */
int spool_walk(int fd, const struct spool_walk_options *options, struct spool_walk_report *report, struct err *err);

#endif
