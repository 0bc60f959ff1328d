/*
 * spool_walk_page.c - taking a page of LMDB's apart, without trusting it.
 *
 * Pure; any thread.  LMDB itself checks almost nothing of this: an offset or a
 * size that is off makes it read or move memory outside of the page.
 */
#include "spool_walk_page.h"

#include <string.h>

#include "spool_record.h"

#define NODE_HEAD_BYTES 8U
#define SLOT_BYTES 2U
#define KEY_BYTES_MAX 511U /* LMDB's, as it is built */
#define CHILD_BYTES 0U     /* a branch's node has its child in its head */
#define BIG_BYTES 8U       /* the number of the page where the data are */

uint16_t walk_get_u16(const uint8_t *in)
{
    return (uint16_t)(in[0] | in[1] << 8);
}

struct walk_db walk_db_decode(const uint8_t *in)
{
    return (struct walk_db){
        .pad = spool_get_u32(in),
        .flags = walk_get_u16(in + 4),
        .depth = walk_get_u16(in + 6),
        .branch_pages = spool_get_u64(in + 8),
        .leaf_pages = spool_get_u64(in + 16),
        .overflow_pages = spool_get_u64(in + 24),
        .entries = spool_get_u64(in + 32),
        .root = spool_get_u64(in + 40),
    };
}

struct walk_meta walk_meta_decode(const uint8_t *page)
{
    const uint8_t *in = page + WALK_HEAD_BYTES;

    return (struct walk_meta){
        .number = spool_get_u64(page),
        .flags = walk_get_u16(page + 10),
        .magic = spool_get_u32(in),
        .version = spool_get_u32(in + 4),
        .map_bytes = spool_get_u64(in + 16),
        .free = walk_db_decode(in + 24),
        .main = walk_db_decode(in + 24 + WALK_DB_BYTES),
        .last_page = spool_get_u64(in + 24 + 2 * WALK_DB_BYTES),
        .txnid = spool_get_u64(in + 32 + 2 * WALK_DB_BYTES),
    };
}

bool walk_page_is_branch(const uint8_t *page)
{
    return walk_get_u16(page + 10) == WALK_BRANCH;
}

unsigned walk_page_count(const uint8_t *page)
{
    return (walk_get_u16(page + 12) - (unsigned)WALK_HEAD_BYTES) / SLOT_BYTES;
}

static const uint8_t *node_at(const uint8_t *page, unsigned index)
{
    return page + walk_get_u16(page + WALK_HEAD_BYTES + (size_t)SLOT_BYTES * index);
}

/* What a node's data take in the page. */
static uint64_t data_bytes_here(const uint8_t *node, bool branch)
{
    if (branch)
        return CHILD_BYTES;
    return (walk_get_u16(node + 4) & WALK_BIGDATA) != 0 ? BIG_BYTES : spool_get_u32(node);
}

/* Marks the two-byte units of a node as taken; false when one is already. */
static bool mark(uint8_t *taken, unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++) {
        if ((taken[i / 8] & 1U << i % 8) != 0)
            return false;
        taken[i / 8] |= (uint8_t)(1U << i % 8);
    }
    return true;
}

static const char *nodes_fault(const uint8_t *page, unsigned upper, bool branch)
{
    uint8_t taken[SPOOL_PAGE_BYTES / 16] = {0};
    unsigned count = walk_page_count(page);
    uint64_t sum = 0;

    for (unsigned i = 0; i < count; i++) {
        const uint8_t *node = node_at(page, i);
        unsigned offset = (unsigned)(node - page);
        uint64_t bytes;

        if (offset < upper || offset % 2 != 0 || offset > SPOOL_PAGE_BYTES - NODE_HEAD_BYTES)
            return "a node lies outside of the page";
        if (walk_get_u16(node + 6) > KEY_BYTES_MAX || (walk_get_u16(node + 6) == 0 && !(branch && i == 0)))
            return "a key has an impossible length";
        bytes = NODE_HEAD_BYTES + walk_get_u16(node + 6) + data_bytes_here(node, branch);
        bytes += bytes % 2;
        if (bytes > SPOOL_PAGE_BYTES - offset)
            return "a node reaches out of the page";
        if (!mark(taken, offset / 2, (unsigned)(offset + bytes) / 2))
            return "two nodes overlap";
        sum += bytes;
    }
    return sum == SPOOL_PAGE_BYTES - upper ? NULL : "the nodes do not fill their part of the page";
}

const char *walk_page_fault(const uint8_t *page, uint64_t number)
{
    unsigned flags = walk_get_u16(page + 10), lower = walk_get_u16(page + 12), upper = walk_get_u16(page + 14);

    if (spool_get_u64(page) != number)
        return "it carries another page's number";
    if (flags != WALK_BRANCH && flags != WALK_LEAF)
        return "it is neither a branch nor a leaf";
    if (lower <= WALK_HEAD_BYTES || lower % 2 != 0 || lower > upper || upper > SPOOL_PAGE_BYTES)
        return "its bounds are impossible";
    return nodes_fault(page, upper, flags == WALK_BRANCH);
}

struct walk_node walk_page_node(const uint8_t *page, unsigned index)
{
    const uint8_t *node = node_at(page, index);
    unsigned key_bytes = walk_get_u16(node + 6);

    return (struct walk_node){
        .key = slice_of(node + NODE_HEAD_BYTES, key_bytes),
        .flags = walk_get_u16(node + 4),
        .data_bytes = spool_get_u32(node),
        .data = node + NODE_HEAD_BYTES + key_bytes,
        .child = spool_get_u32(node) | (uint64_t)walk_get_u16(node + 4) << 32,
    };
}

uint64_t walk_overflow_pages(uint64_t data_bytes)
{
    return (WALK_HEAD_BYTES - 1 + data_bytes) / SPOOL_PAGE_BYTES + 1;
}
