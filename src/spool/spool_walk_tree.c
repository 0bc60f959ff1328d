/*
 * spool_walk_tree.c - one tree: every branch and every leaf of it.
 *
 * Any thread.  Depth first; each level has a page of memory, so the bounds of
 * a child's keys are looked up in its parents.  The pages below a branch are
 * announced to the kernel together, so that a disk has more than one to read.
 *
 * The first thing that is wrong ends the walk.
 */
#include "spool_walk_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "spool_record.h"

#define NUMBER_BYTES 8

/* Where the keys of a page have to lie: from `low` on, below `high`; a slice of no bytes is no bound. */
struct bounds {
    struct slice low;
    struct slice high;
};

static int compare(const struct walk_tree *tree, struct slice a, struct slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order;

    if (tree->numbers) {
        uint64_t x = spool_get_u64(a.data), y = spool_get_u64(b.data);

        return x < y ? -1 : x > y;
    }
    order = memcmp(a.data, b.data, shorter);
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

/* A branch's first key is never looked at, by LMDB and by us: its bound is the parent's. */
static int check_keys(struct walk_tree *tree, uint64_t number, const uint8_t *page, const struct bounds *bounds)
{
    unsigned first = walk_page_is_branch(page) ? 1 : 0;
    struct slice before = bounds->low;

    for (unsigned i = first; i < walk_page_count(page); i++) {
        struct slice key = walk_page_node(page, i).key;

        if (tree->numbers && key.len != NUMBER_BYTES)
            return walk_damage(tree->walk, "page %llu (%s): a key is no number", (unsigned long long)number,
                               tree->name);
        if (before.len > 0 && (compare(tree, key, before) < 0 || (i > first && compare(tree, key, before) == 0)))
            return walk_damage(tree->walk, "page %llu (%s): key %u is not above the one before it",
                               (unsigned long long)number, tree->name, i);
        before = key;
    }
    if (before.len > 0 && bounds->high.len > 0 && compare(tree, before, bounds->high) >= 0)
        return walk_damage(tree->walk, "page %llu (%s): its last key belongs to another page",
                           (unsigned long long)number, tree->name);
    return 0;
}

/* LMDB insists on two children everywhere but in its free list. */
static int check_kind(struct walk_tree *tree, uint64_t number, const uint8_t *page, bool branch)
{
    const char *fault = walk_page_fault(page, number);

    if (fault == NULL && walk_page_is_branch(page) != branch)
        fault = branch ? "it is a leaf above the lowest level" : "it is a branch on the lowest level";
    if (fault == NULL && branch && walk_page_count(page) < 2 && !tree->numbers)
        fault = "it is a branch with one child";
    return fault == NULL ? 0
                         : walk_damage(tree->walk, "page %llu (%s): %s", (unsigned long long)number, tree->name, fault);
}

/* They are not read here, and a page that the map has and the file has not is SIGBUS for whoever reads it. */
static int take_value(struct walk_tree *tree, uint64_t number, uint64_t first, uint64_t pages)
{
    uint64_t file_pages = tree->walk->report->file_pages;

    if (walk_take(tree->walk, first, pages, tree->name) == -1)
        return -1;
    if (first + pages > file_pages)
        return walk_damage(tree->walk, "page %llu (%s): a value lies beyond the end of the file, which has %llu",
                           (unsigned long long)number, tree->name, (unsigned long long)file_pages);
    tree->overflow_pages += pages;
    return 0;
}

static int visit_entry(struct walk_tree *tree, uint64_t number, const struct walk_node *node)
{
    /* The free list's values may have more pages than they fill: spool_walk_free.c takes them. */
    if ((node->flags & WALK_BIGDATA) != 0 && !tree->numbers &&
        take_value(tree, number, spool_get_u64(node->data), walk_overflow_pages(node->data_bytes)) == -1)
        return -1;
    tree->entries++;
    return tree->entry(tree, number, node);
}

static void announce(const struct walk_tree *tree, const uint8_t *page)
{
    for (unsigned i = 0; i < walk_page_count(page); i++)
        posix_fadvise(tree->walk->fd, (off_t)(walk_page_node(page, i).child * SPOOL_PAGE_BYTES), SPOOL_PAGE_BYTES,
                      POSIX_FADV_WILLNEED);
}

static int visit(struct walk_tree *tree, uint64_t number, unsigned level, struct bounds bounds)
{
    uint8_t *page = walk_page_buffer(tree->walk, level);
    bool branch = level < tree->db.depth;

    if (walk_take(tree->walk, number, 1, tree->name) == -1 || walk_read(tree->walk, number, page) == -1 ||
        check_kind(tree, number, page, branch) == -1 || check_keys(tree, number, page, &bounds) == -1)
        return -1;
    *(branch ? &tree->branch_pages : &tree->leaf_pages) += 1;
    if (branch)
        announce(tree, page);
    for (unsigned i = 0; i < walk_page_count(page); i++) {
        struct walk_node node = walk_page_node(page, i);
        struct bounds inner = {.low = i == 0 ? bounds.low : node.key, .high = bounds.high};

        if (i + 1 < walk_page_count(page))
            inner.high = walk_page_node(page, i + 1).key;
        if ((branch ? visit(tree, node.child, level + 1, inner) : visit_entry(tree, number, &node)) == -1)
            return -1;
    }
    return 0;
}

static int check_count(struct walk_tree *tree, const char *what, uint64_t found, uint64_t said)
{
    if (found == said)
        return 0;
    return walk_damage(tree->walk, "%s: it has %llu %s and says that it has %llu", tree->name,
                       (unsigned long long)found, what, (unsigned long long)said);
}

/* A name that LMDB was told may hold anything. */
static void copy_name(char *out, const char *name)
{
    size_t i;

    for (i = 0; name[i] != '\0' && i + 1 < STATE_NAME_MAX; i++)
        out[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
    out[i] = '\0';
}

static void report(const struct walk_tree *tree)
{
    struct spool_walk_report *all = tree->walk->report;
    struct spool_walk_database *one = &all->databases[all->database_count++];

    *one = (struct spool_walk_database){
        .entries = tree->entries,
        .branch_pages = tree->branch_pages,
        .leaf_pages = tree->leaf_pages,
        .overflow_pages = tree->overflow_pages,
        .depth = tree->db.depth,
    };
    copy_name(one->name, tree->name);
}

int walk_tree(struct walk_tree *tree)
{
    const struct walk_db *db = &tree->db;

    if (db->depth > SPOOL_WALK_DEPTH_MAX || (db->depth == 0) != (db->root == WALK_NO_PAGE))
        return walk_damage(tree->walk, "%s: a tree of %u levels cannot be", tree->name, db->depth);
    if (db->depth > 0 && visit(tree, db->root, 1, (struct bounds){.low = {0}}) == -1)
        return -1;
    if (check_count(tree, "branches", tree->branch_pages, db->branch_pages) == -1 ||
        check_count(tree, "leaves", tree->leaf_pages, db->leaf_pages) == -1 ||
        check_count(tree, "pages of values", tree->overflow_pages, db->overflow_pages) == -1 ||
        check_count(tree, "entries", tree->entries, db->entries) == -1)
        return -1;
    report(tree);
    return 0;
}
