/*
 * spool_space.c - page accounting and the file's blocks.
 *
 * Space is counted in pages: a value that does not fit half a page takes whole
 * pages of its own, so bytes would be off by up to a page a part.
 *
 * The headroom.  LMDB gives out the pages that transaction N freed in N + 2 at
 * the earliest, so while N + 1 runs there are taken: what was used when N
 * began, what N wrote, and what N + 1 writes.  With at most limit_pages used
 * when N began and a group in each, two groups must lie beyond the limit; 1 MiB
 * on top is for the tree and free-list pages that transactions copy.  For a
 * large spool that is little, and a ring packed to the last percent leaves no
 * runs of SPOOL_PART_PAGES: so it is never less than size / 16.  Measured with
 * records of 3 kB to 2 MiB: from 256 MiB up gigabytes go round without one
 * MDB_MAP_FULL; in a spool of 48 MiB one group in four meets it and is written
 * in smaller parts.  Deliveries, parking and eviction take what they need from
 * the same headroom while records are refused.
 */
#include "spool_space.h"

#include <errno.h>
#include <fcntl.h>

#include "bounds.h"
#include "fault.h"
#include "log.h"
#include "spool_record.h"

#define LMDB_PAGE_HEADER_BYTES 16
#define LMDB_NODE_BYTES 10 /* node header and its slot in the page's index */
#define LMDB_FREE_DBI 0
#define LMDB_MAIN_DBI 1
#define LMDB_META_PAGES 2

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

struct spool_layout spool_layout_of(uint64_t size_bytes, uint64_t page_bytes)
{
    struct spool_layout layout = {.size_pages = size_bytes / page_bytes};
    uint64_t headroom_pages;

    layout.group_pages = smaller(SPOOL_GROUP_BYTES_MAX / page_bytes, layout.size_pages / SPOOL_GROUP_SHARE);
    headroom_pages = larger(layout.size_pages / SPOOL_HEADROOM_SHARE,
                            2 * layout.group_pages + SPOOL_HEADROOM_MIN_BYTES / page_bytes);
    layout.limit_pages = layout.size_pages - headroom_pages;
    layout.reopen_pages = layout.group_pages;
    layout.record_pages = layout.limit_pages / SPOOL_RECORD_SHARE;
    return layout;
}

uint64_t spool_layout_entry_pages(uint64_t payload_bytes, unsigned part_pages, uint64_t page_bytes)
{
    uint32_t most = spool_part_bytes_max(part_pages);
    uint64_t count = spool_part_count(payload_bytes, most);
    uint64_t last_bytes = payload_bytes - (count - 1) * most + SPOOL_PART_HEADER_BYTES;
    uint64_t full_pages = ((uint64_t)part_pages * SPOOL_PAGE_BYTES + page_bytes - 1) / page_bytes;
    uint64_t last_pages = (last_bytes + LMDB_PAGE_HEADER_BYTES + page_bytes - 1) / page_bytes;
    /* Nodes: a key and a page number for each part.  Twice, as a page of the tree may be half full. */
    uint64_t tree_bytes = 2 * count * (SPOOL_KEY_BYTES_MAX + LMDB_NODE_BYTES + sizeof(uint64_t));

    return (count - 1) * full_pages + last_pages + (tree_bytes + page_bytes - 1) / page_bytes;
}

int spool_space_used(MDB_txn *txn, const struct spool *spool, uint64_t *pages)
{
    const MDB_dbi all[] = {LMDB_FREE_DBI, LMDB_MAIN_DBI, spool->records, spool->pending,
                           spool->held,   spool->parked, spool->state};
    uint64_t used = LMDB_META_PAGES;
    MDB_stat stat;
    int rc;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if ((rc = mdb_stat(txn, all[i], &stat)) != 0)
            return rc;
        used += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    }
    *pages = used;
    return 0;
}

uint64_t spool_space_touched(const struct spool *spool)
{
    MDB_envinfo info;

    mdb_env_info(spool->env, &info);
    return info.me_last_pgno + 1;
}

static int allocate(const struct spool *spool, uint64_t end_bytes)
{
    int fd, rc = fault_point("spool.grow");

    if (rc != 0)
        return rc;
    mdb_env_get_fd(spool->env, &fd);
    while (fallocate(fd, 0, (off_t)spool->allocated_bytes, (off_t)(end_bytes - spool->allocated_bytes)) == -1) {
        if (errno != EINTR)
            return errno;
    }
    fault_point("spool.grown");
    return 0;
}

int spool_space_grow(struct spool *spool, uint64_t pages, struct err *err)
{
    uint64_t end_bytes = smaller(pages * spool->page_bytes, spool->size_bytes);
    uint64_t step_bytes =
        smaller((end_bytes + SPOOL_GROW_BYTES - 1) / SPOOL_GROW_BYTES * SPOOL_GROW_BYTES, spool->size_bytes);
    int rc;

    if (end_bytes <= spool->allocated_bytes)
        return 0;
    rc = allocate(spool, step_bytes);
    if (rc != 0 && rc != EOPNOTSUPP && step_bytes > end_bytes) {
        step_bytes = end_bytes;
        rc = allocate(spool, step_bytes);
    }
    if (rc == EOPNOTSUPP) {
        log_warn("spool.cannot_allocate",
                 "%s: the file system cannot allocate ahead; set spool.reserve or watch its room", spool->path);
        step_bytes = UINT64_MAX;
        rc = 0;
    }
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot extend %s/data.mdb", spool->path);
    spool->allocated_bytes = step_bytes;
    return 0;
}
