/*
 * spool_walk_free.c - the list of free pages: a tree whose keys are transactions
 * and whose values are the pages that these gave up.
 *
 * A value is a list of u64: how many there are, then their numbers, descending.
 * LMDB may have reserved more room than it filled, and may keep more pages for
 * a value than that needs, so here the head of such a page is read.
 *
 * After the trees, since a page that is both used and free would be given out
 * and overwritten.
 */
#include "spool_walk_internal.h"

#include <string.h>

#include "spool_record.h"

#define NUMBER_BYTES 8

/* A value, read in order. */
struct list {
    struct walk *walk;
    const uint8_t *data; /* what is in memory, from `at` to `end` */
    size_t at;
    size_t end;
    uint64_t next_page; /* 0: the value lies in its leaf */
};

static int list_next(struct list *list, uint64_t *number)
{
    if (list->at == list->end) {
        if (walk_read(list->walk, list->next_page++, walk_page_buffer(list->walk, 0)) == -1)
            return -1;
        list->data = walk_page_buffer(list->walk, 0);
        list->at = 0;
        list->end = SPOOL_PAGE_BYTES;
    }
    *number = spool_get_u64(list->data + list->at);
    list->at += NUMBER_BYTES;
    return 0;
}

/* The pages of a value that does not lie in its leaf. */
static int open_big(struct walk_tree *tree, struct list *list, const struct walk_node *node)
{
    struct walk *walk = tree->walk;
    uint64_t number = spool_get_u64(node->data), pages;
    uint8_t *page = walk_page_buffer(walk, 0);

    if (walk_take(walk, number, 1, tree->name) == -1 || walk_read(walk, number, page) == -1)
        return -1;
    pages = spool_get_u32(page + 12);
    if (spool_get_u64(page) != number || walk_get_u16(page + 10) != WALK_OVERFLOW ||
        pages < walk_overflow_pages(node->data_bytes))
        return walk_damage(walk, "page %llu (%s): it is not the value that it should be", (unsigned long long)number,
                           tree->name);
    if (pages > 1 && walk_take(walk, number + 1, pages - 1, tree->name) == -1)
        return -1;
    tree->overflow_pages += pages;
    *list = (struct list){
        .walk = walk, .data = page, .at = WALK_HEAD_BYTES, .end = SPOOL_PAGE_BYTES, .next_page = number + 1};
    return 0;
}

static int read_list(struct walk_tree *tree, struct list *list, uint64_t txnid, uint64_t most)
{
    uint64_t count, number, before = UINT64_MAX;

    if (list_next(list, &count) == -1)
        return -1;
    if (count > most)
        return walk_damage(tree->walk, "%s: transaction %llu lists more pages than there is room for", tree->name,
                           (unsigned long long)txnid);
    for (uint64_t i = 0; i < count; i++) {
        if (list_next(list, &number) == -1 || walk_take(tree->walk, number, 1, tree->name) == -1)
            return -1;
        if (number >= before)
            return walk_damage(tree->walk, "%s: the pages of transaction %llu are out of order", tree->name,
                               (unsigned long long)txnid);
        before = number;
    }
    tree->walk->report->free_pages += count;
    return 0;
}

static int free_entry(struct walk_tree *tree, uint64_t number, const struct walk_node *node)
{
    uint64_t txnid = spool_get_u64(node->key.data);
    struct list list = {.walk = tree->walk, .data = node->data, .end = node->data_bytes};

    if (txnid == 0 || txnid > tree->walk->meta.txnid)
        return walk_damage(tree->walk, "page %llu (%s): transaction %llu has not been yet", (unsigned long long)number,
                           tree->name, (unsigned long long)txnid);
    if ((node->flags & ~WALK_BIGDATA) != 0 || node->data_bytes < NUMBER_BYTES || node->data_bytes % NUMBER_BYTES != 0)
        return walk_damage(tree->walk, "page %llu (%s): an entry is no list of pages", (unsigned long long)number,
                           tree->name);
    if ((node->flags & WALK_BIGDATA) != 0 && open_big(tree, &list, node) == -1)
        return -1;
    return read_list(tree, &list, txnid, node->data_bytes / NUMBER_BYTES - 1);
}

int walk_free_list(struct walk *walk)
{
    struct walk_tree tree = {
        .walk = walk, .name = "free list", .db = walk->meta.free, .numbers = true, .entry = free_entry};

    return walk_tree(&tree);
}
