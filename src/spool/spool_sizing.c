/*
 * spool_sizing.c - what records take in the spool's file, by LMDB's rules.
 *
 * Pure.  A value that leaves no room for a second one in its page of the tree
 * gets pages of its own, and the tree keeps the key and a page number.  Others
 * lie in the tree, as many in a page as fit: records are appended, so pages of
 * the tree are full.  The tree's upper levels are a two-hundredth of it and are
 * left out.
 */
#include "spool_sizing.h"

#include "bounds.h"
#include "spool_record.h"
#include "spool_space.h"

#define PAGE_HEADER_BYTES 16
#define NODE_HEADER_BYTES 8
#define NODE_SLOT_BYTES 2
#define PAGE_BODY_BYTES (SPOOL_PAGE_BYTES - PAGE_HEADER_BYTES)
#define NODE_MAX_BYTES (PAGE_BODY_BYTES / 2 - NODE_SLOT_BYTES) /* me_nodemax in mdb.c: two keys a page at least */
#define SIZE_STEP_BYTES (1UL << 20)

/* A node's share of its page. */
static uint64_t node_bytes(uint64_t bytes)
{
    return SPOOL_PAGE_BYTES / (PAGE_BODY_BYTES / (bytes + NODE_SLOT_BYTES));
}

static uint64_t value_bytes(uint64_t bytes)
{
    uint64_t node = NODE_HEADER_BYTES + SPOOL_RECORD_KEY_BYTES;

    if (node + bytes <= NODE_MAX_BYTES)
        return node_bytes(node + bytes);
    return (PAGE_HEADER_BYTES + bytes + SPOOL_PAGE_BYTES - 1) / SPOOL_PAGE_BYTES * SPOOL_PAGE_BYTES +
           node_bytes(node + sizeof(uint64_t));
}

uint64_t spool_sizing_record_bytes(uint64_t stored_bytes)
{
    uint64_t most = spool_part_bytes_max(SPOOL_PART_PAGES);
    uint64_t whole = spool_part_count(stored_bytes, (uint32_t)most) - 1;

    return whole * value_bytes(SPOOL_PART_HEADER_BYTES + most) +
           value_bytes(SPOOL_PART_HEADER_BYTES + stored_bytes - whole * most);
}

uint64_t spool_sizing_room_bytes(uint64_t size_bytes)
{
    return spool_layout_of(size_bytes, SPOOL_PAGE_BYTES).limit_pages * SPOOL_PAGE_BYTES;
}

uint64_t spool_sizing_size_bytes(uint64_t room_bytes)
{
    uint64_t low = SPOOL_SIZE_MIN_BYTES / SIZE_STEP_BYTES, high = SPOOL_SIZE_MAX_BYTES / SIZE_STEP_BYTES;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (spool_sizing_room_bytes(middle * SIZE_STEP_BYTES) < room_bytes)
            low = middle + 1;
        else
            high = middle;
    }
    return low * SIZE_STEP_BYTES;
}
