/*
 * spool_walk_page.h - a page of LMDB's data file, taken apart.  Pure: bytes in, values out.
 *
 * Format version 1, 64 bits, little-endian:
 *   page   0 number u64 | 8 pad u16 | 10 flags u16 | 12 lower u16, 14 upper u16, or 12 pages u32
 *   meta   after the page's head: 0 magic u32 | 4 version u32 | 8 address u64 | 16 map size u64
 *          24 free list's database | 72 main database | 120 last page u64 | 128 transaction u64
 *   db     0 pad u32 | 4 flags u16 | 6 depth u16 | 8 branch, 16 leaf, 24 overflow pages, 32 entries, 40 root: u64
 *   node   0 low u16 | 2 high u16 | 4 flags u16 | 6 key bytes u16 | key | data
 * A page's head is followed by the offsets of its nodes, u16 each, up to
 * `lower`; the nodes lie from `upper` to the page's end, each of an even
 * length, with no gap.
 */
#ifndef TRACESPOOL_SPOOL_WALK_PAGE_H
#define TRACESPOOL_SPOOL_WALK_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "slice.h"

#define WALK_HEAD_BYTES 16UL
#define WALK_META_PAGES 2UL
#define WALK_NO_PAGE UINT64_MAX /* the root of an empty tree */

#define WALK_BRANCH 0x01U /* page flags */
#define WALK_LEAF 0x02U
#define WALK_OVERFLOW 0x04U
#define WALK_META 0x08U

#define WALK_BIGDATA 0x01U /* node flags */
#define WALK_SUBDATA 0x02U

#define WALK_DB_BYTES 48UL
#define WALK_INTEGERKEY 0x08U /* a database's flag; the free list has it */

#define WALK_MAGIC 0xBEEFC0DEU
#define WALK_VERSION 1U

struct walk_db {
    uint32_t pad; /* the free list's: the page size */
    uint16_t flags;
    uint16_t depth;
    uint64_t branch_pages;
    uint64_t leaf_pages;
    uint64_t overflow_pages;
    uint64_t entries;
    uint64_t root;
};

struct walk_meta {
    uint64_t number; /* of its page, as it says */
    uint16_t flags;
    uint32_t magic;
    uint32_t version;
    uint64_t map_bytes;
    struct walk_db free;
    struct walk_db main;
    uint64_t last_page;
    uint64_t txnid;
};

struct walk_node {
    struct slice key;
    uint16_t flags;      /* leaf */
    uint32_t data_bytes; /* leaf */
    const uint8_t *data; /* leaf: the data, or with WALK_BIGDATA the number of their page */
    uint64_t child;      /* branch */
};

uint16_t walk_get_u16(const uint8_t *in);

struct walk_db walk_db_decode(const uint8_t *in);
struct walk_meta walk_meta_decode(const uint8_t *page);

/* What is wrong with a branch or leaf page that should be `number`; NULL when nothing is.  Keys are not compared. */
const char *walk_page_fault(const uint8_t *page, uint64_t number);

/* Of a page without a fault. */
bool walk_page_is_branch(const uint8_t *page);
unsigned walk_page_count(const uint8_t *page);
struct walk_node walk_page_node(const uint8_t *page, unsigned index);

/* Pages that a value takes on pages of its own. */
uint64_t walk_overflow_pages(uint64_t data_bytes);

#endif
