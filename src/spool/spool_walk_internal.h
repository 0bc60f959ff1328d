/*
 * spool_walk_internal.h - what the files of the walk share.
 */
#ifndef TRACESPOOL_SPOOL_WALK_INTERNAL_H
#define TRACESPOOL_SPOOL_WALK_INTERNAL_H

#include "spool_walk.h"
#include "spool_walk_page.h"

struct walk {
    int fd;
    const struct spool_walk_options *options;
    struct spool_walk_report *report;
    struct err *err;

    bool read_metas; /* `txnids` are known: of both meta pages, as they were first read */
    uint64_t txnids[WALK_META_PAGES];
    struct walk_meta meta; /* of the snapshot that is walked */
    uint8_t *taken;        /* a bit a page: in use, or in the free list */
    uint64_t expected_pages;
    uint8_t *pages; /* one a level of a tree, and [0] for values */
};

struct walk_tree {
    struct walk *walk;
    const char *name;
    struct walk_db db; /* what is to be found */
    bool numbers;      /* keys are u64, least significant byte first; else bytes */

    /* Every entry of a leaf in the order of the keys.  -1: damage. */
    int (*entry)(struct walk_tree *tree, uint64_t page, const struct walk_node *node);
    void *context;

    /* what was found */
    uint64_t branch_pages;
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    uint64_t entries;
};

/* Fills the walk's err: ERR_FATAL, SPOOL_DAMAGED.  Returns -1. */
int walk_damage(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads a whole page.  -1: damage, when the file ends before it or the disk cannot read it. */
int walk_read(struct walk *walk, uint64_t page, uint8_t *out);

/* Notes pages as taken by `name`.  -1: damage, when one is not in the file's range or is taken already. */
int walk_take(struct walk *walk, uint64_t first, uint64_t count, const char *name);

uint8_t *walk_page_buffer(const struct walk *walk, unsigned level);

/* spool_walk_meta.c: both meta pages, and which snapshot it is. */
int walk_metas(struct walk *walk);
bool walk_metas_moved(struct walk *walk); /* somebody has committed since */

/* spool_walk_tree.c: all of it, and its figures into the report. */
int walk_tree(struct walk_tree *tree);

/* spool_walk_free.c: the list of free pages, after every tree. */
int walk_free_list(struct walk *walk);

#endif
