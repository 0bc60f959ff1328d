/*
 * spool_walk_meta.c - the two meta pages, and the snapshot that counts.
 *
 * Transaction N writes meta page N % 2, so of two good ones the numbers differ
 * by one, an even one is on page 0, and only a file that was never written to
 * has the same number, 0, on both.  That holds whenever a writer is killed: a
 * meta page is one write within one sector.  Anything else means that a number
 * has gone bad, and LMDB would go on from a snapshot that is not the last one:
 * with acknowledged records gone, and their pages given out again.
 *
 * One case is ambiguous, see newer_txnid in spool_walk.h.
 */
#include "spool_walk_internal.h"

#include <string.h>
#include <unistd.h>

#include "spool_record.h"

#define MAGIC_OFFSET_32 12 /* where a 32-bit LMDB has it */
#define PAGE_BYTES_MIN 512U
#define PAGE_BYTES_MAX 65536U
#define BIG_ENDIAN_MAGIC 0xDEC0EFBEU

/* --- files that are not ours to judge ------------------------------------- */

static bool is_page_size(uint32_t bytes)
{
    return bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

/* Whether the other meta page of a file with pages of `page_bytes` says the same. */
static bool agrees(const struct walk *walk, const struct walk_meta *meta, uint32_t page_bytes)
{
    uint8_t head[WALK_HEAD_BYTES + 136];
    struct walk_meta other;

    if (pread(walk->fd, head, sizeof(head), (off_t)page_bytes) != (ssize_t)sizeof(head))
        return false;
    other = walk_meta_decode(head);
    return other.magic == WALK_MAGIC && other.version == meta->version && other.free.pad == meta->free.pad;
}

/* Both pages have to say so: one alone may have gone bad. */
static int check_kind(struct walk *walk, const uint8_t *first, const uint8_t *second)
{
    struct walk_meta meta = walk_meta_decode(first), other = walk_meta_decode(second);

    if (spool_get_u32(first + MAGIC_OFFSET_32) == WALK_MAGIC && spool_get_u32(second + MAGIC_OFFSET_32) == WALK_MAGIC)
        return err_set(walk->err, ERR_CONFIG, 0, "it was made by an LMDB of 32 bits");
    if (meta.magic == BIG_ENDIAN_MAGIC && other.magic == BIG_ENDIAN_MAGIC)
        return err_set(walk->err, ERR_CONFIG, 0, "it was made on a machine of another byte order");
    if (meta.magic != WALK_MAGIC)
        return 0;
    if (is_page_size(meta.free.pad) && meta.free.pad != SPOOL_PAGE_BYTES && agrees(walk, &meta, meta.free.pad))
        return err_set(walk->err, ERR_CONFIG, 0, "its pages have %u bytes, this machine's have %lu", meta.free.pad,
                       SPOOL_PAGE_BYTES);
    if (meta.version != WALK_VERSION && agrees(walk, &meta, SPOOL_PAGE_BYTES))
        return err_set(walk->err, ERR_CONFIG, 0, "it has version %u of LMDB's format, this one knows %u", meta.version,
                       WALK_VERSION);
    return 0;
}

/* --- a page ---------------------------------------------------------------- */

static const char *meta_fault(const struct walk_meta *meta, unsigned number)
{
    if (meta->flags != WALK_META || meta->number != number)
        return "it is no meta page";
    if (meta->magic != WALK_MAGIC || meta->version != WALK_VERSION)
        return "it has no magic or an impossible version";
    if (meta->free.pad != SPOOL_PAGE_BYTES)
        return "it has an impossible page size";
    if (meta->map_bytes < WALK_META_PAGES * SPOOL_PAGE_BYTES || meta->map_bytes > SPOOL_SIZE_MAX_BYTES)
        return "it has an impossible map size";
    if (meta->free.flags != WALK_INTEGERKEY || meta->main.flags != 0)
        return "it has impossible flags";
    if (meta->txnid % 2 != number && meta->txnid != 0)
        return "it has a transaction that belongs to the other meta page";
    return NULL;
}

static int check_page(struct walk *walk, const struct walk_meta *meta, unsigned number)
{
    const char *fault = meta_fault(meta, number);

    return fault == NULL ? 0 : walk_damage(walk, "page %u (meta): %s", number, fault);
}

static int check_snapshot(struct walk *walk)
{
    const struct walk_meta *meta = &walk->meta;

    if (meta->last_page < WALK_META_PAGES - 1 || meta->last_page >= meta->map_bytes / SPOOL_PAGE_BYTES)
        return walk_damage(walk, "page %llu (meta): its last page, %llu, is not in the map",
                           (unsigned long long)meta->number, (unsigned long long)meta->last_page);
    return 0;
}

/* --- the one that is not the newest ---------------------------------------- */

/* The last transaction that its free list knows of; 0 when that cannot be told. */
static uint64_t last_freed(struct walk *walk, const struct walk_meta *meta)
{
    uint8_t *page = walk_page_buffer(walk, 0);
    uint64_t number = meta->free.root;

    for (unsigned level = 1; level <= meta->free.depth && level <= SPOOL_WALK_DEPTH_MAX; level++) {
        struct walk_node node;

        if (number > meta->last_page ||
            pread(walk->fd, page, SPOOL_PAGE_BYTES, (off_t)(number * SPOOL_PAGE_BYTES)) != (ssize_t)SPOOL_PAGE_BYTES)
            return 0;
        if (walk_page_fault(page, number) != NULL)
            return 0;
        node = walk_page_node(page, walk_page_count(page) - 1);
        if (!walk_page_is_branch(page))
            return node.key.len == 8 ? spool_get_u64(node.key.data) : 0;
        number = node.child;
    }
    return 0;
}

/* --- both ------------------------------------------------------------------ */

static int read_metas(struct walk *walk, struct walk_meta metas[WALK_META_PAGES])
{
    uint8_t *first = walk_page_buffer(walk, 0), *second = walk_page_buffer(walk, 1);

    if (walk_read(walk, 0, first) == -1 || walk_read(walk, 1, second) == -1 || check_kind(walk, first, second) == -1)
        return -1;
    metas[0] = walk_meta_decode(first);
    metas[1] = walk_meta_decode(second);
    walk->read_metas = true;
    walk->txnids[0] = metas[0].txnid;
    walk->txnids[1] = metas[1].txnid;
    return 0;
}

/* A snapshot that its reader has pinned; the other page may be written to just now. */
static int pick_pinned(struct walk *walk, const struct walk_meta metas[WALK_META_PAGES])
{
    unsigned number = walk->options->txnid % 2;

    walk->meta = metas[number];
    if (walk->meta.txnid != walk->options->txnid)
        return err_set(walk->err, ERR_RETRY, ESTALE, "transaction %llu is no longer in a meta page",
                       (unsigned long long)walk->options->txnid);
    return check_page(walk, &walk->meta, number);
}

static int pick_newest(struct walk *walk, const struct walk_meta metas[WALK_META_PAGES])
{
    uint64_t first = metas[0].txnid, second = metas[1].txnid;
    const struct walk_meta *older;
    uint64_t freed;

    if (check_page(walk, &metas[0], 0) == -1 || check_page(walk, &metas[1], 1) == -1)
        return -1;
    if (first + 1 != second && second + 1 != first && (first != 0 || second != 0))
        return walk_damage(walk, "the meta pages' transactions, %llu and %llu, do not follow each other",
                           (unsigned long long)first, (unsigned long long)second);
    walk->meta = metas[first < second];
    older = &metas[first >= second];
    freed = last_freed(walk, older);
    if (freed > walk->meta.txnid)
        walk->report->newer_txnid = freed;
    return 0;
}

int walk_metas(struct walk *walk)
{
    struct walk_meta metas[WALK_META_PAGES];

    if (read_metas(walk, metas) == -1)
        return -1;
    if ((walk->options->txnid == 0 ? pick_newest(walk, metas) : pick_pinned(walk, metas)) == -1)
        return -1;
    walk->report->txnid = walk->meta.txnid;
    walk->report->map_bytes = walk->meta.map_bytes;
    walk->report->touched_pages = walk->meta.last_page + 1;
    return check_snapshot(walk);
}

bool walk_metas_moved(struct walk *walk)
{
    uint8_t page[WALK_HEAD_BYTES + 136];

    for (unsigned i = 0; walk->read_metas && i < WALK_META_PAGES; i++) {
        if (pread(walk->fd, page, sizeof(page), (off_t)(i * SPOOL_PAGE_BYTES)) != (ssize_t)sizeof(page))
            return false;
        if (walk_meta_decode(page).txnid != walk->txnids[i])
            return true;
    }
    return false;
}
