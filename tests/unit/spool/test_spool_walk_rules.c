/*
 * Each rule of the walk: a sound file in memory, one thing in it that is not,
 * and what the walk says of it.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_internal.h"
#include "spool_record.h"
#include "spool_walk.h"
#include "spool_walk_page.h"

#define RECORDS 1200 /* in leaves, under a branch; and LOOK_PAGES of spool_walk.c pages at least */
#define INLINE_BYTES 1000
#define META_TXNID 144
#define META_LAST_PAGE 136
#define META_MAIN_DB 88
#define META_FREE_DB 40
#define DB_FLAGS 4
#define DB_DEPTH 6
#define DB_LEAVES 16
#define DB_OVERFLOW 24
#define DB_ENTRIES 32

static uint8_t *sound; /* a spool's file */
static size_t sound_len;

/* --- finding one's way ------------------------------------------------------- */

static uint8_t *newest(uint8_t *file)
{
    uint64_t first = walk_meta_decode(file).txnid, second = walk_meta_decode(file + SPOOL_PAGE_BYTES).txnid;

    return file + (first < second ? SPOOL_PAGE_BYTES : 0);
}

static uint8_t *page_of(uint8_t *file, uint64_t number)
{
    return file + number * SPOOL_PAGE_BYTES;
}

static uint8_t *node_of(uint8_t *page, unsigned index)
{
    return page + walk_get_u16(page + WALK_HEAD_BYTES + 2UL * index);
}

/* Where the database's head is: in a leaf of the main one. */
static uint8_t *db_of(uint8_t *file, const char *name)
{
    uint8_t *page = page_of(file, walk_meta_decode(newest(file)).main.root);

    for (unsigned i = 0; i < walk_page_count(page); i++) {
        struct walk_node node = walk_page_node(page, i);

        if (slice_equal(node.key, slice_of_text(name)))
            return page + (node.data - page);
    }
    fail_msg("no database %s", name);
    return NULL;
}

static uint8_t *root_of(uint8_t *file, const char *name)
{
    return page_of(file, walk_db_decode(db_of(file, name)).root);
}

static uint8_t *leaf_of_records(uint8_t *file)
{
    uint8_t *page = root_of(file, "records");

    while (walk_page_is_branch(page))
        page = page_of(file, walk_page_node(page, 0).child);
    return page;
}

/* The last leaf of the free list. */
static uint8_t *free_leaf(uint8_t *file)
{
    uint8_t *page = page_of(file, walk_meta_decode(newest(file)).free.root);

    while (walk_page_is_branch(page))
        page = page_of(file, walk_page_node(page, walk_page_count(page) - 1).child);
    return page;
}

/* A list of at least two free pages, in a leaf or with `big` on pages of its own. */
static uint8_t *find_list(uint8_t *file, uint8_t *page, bool big)
{
    uint8_t *found = NULL;

    for (unsigned i = 0; i < walk_page_count(page) && found == NULL; i++) {
        struct walk_node node = walk_page_node(page, i);

        if (walk_page_is_branch(page))
            found = find_list(file, page_of(file, node.child), big);
        else if (big && (node.flags & WALK_BIGDATA) != 0)
            found = page_of(file, spool_get_u64(node.data));
        else if (!big && (node.flags & WALK_BIGDATA) == 0 && spool_get_u64(node.data) >= 2)
            found = page + (node.data - page);
    }
    return found;
}

static uint8_t *list_of(uint8_t *file, bool big)
{
    uint8_t *found = find_list(file, page_of(file, walk_meta_decode(newest(file)).free.root), big);

    assert_non_null(found);
    return found;
}

static void add_u16(uint8_t *at, int amount)
{
    unsigned value = walk_get_u16(at) + (unsigned)amount;

    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void add_u64(uint8_t *at, uint64_t amount)
{
    spool_put_u64(at, spool_get_u64(at) + amount);
}

/* --- what may be wrong --------------------------------------------------------- */

/* Of a meta page. */
static void no_meta(uint8_t *file)
{
    file[10] = 0;
}
static void other_meta_number(uint8_t *file)
{
    file[0] = 1;
}
static void no_magic(uint8_t *file)
{
    file[SPOOL_PAGE_BYTES + 16] ^= 1;
}
static void other_version(uint8_t *file)
{
    file[20] = 7;
}
static void other_page_size(uint8_t *file)
{
    file[META_FREE_DB + 1] = 0x20;
}
static void no_map(uint8_t *file)
{
    spool_put_u64(newest(file) + 32, 0);
}
static void huge_map(uint8_t *file)
{
    file[32 + 7] = 1;
}
static void free_flags(uint8_t *file)
{
    newest(file)[META_FREE_DB + DB_FLAGS] ^= 4;
}
static void main_flags(uint8_t *file)
{
    newest(file)[META_MAIN_DB + DB_FLAGS] ^= 4;
}
static void odd_on_even(uint8_t *file)
{
    add_u64(file + META_TXNID, 1);
}
static void ahead(uint8_t *file)
{
    add_u64(newest(file) + META_TXNID, 2);
}
static void end_beyond_map(uint8_t *file)
{
    newest(file)[META_LAST_PAGE + 4] = 1;
}
static void end_too_far(uint8_t *file)
{
    add_u64(newest(file) + META_LAST_PAGE, 65);
}
static void end_too_near(uint8_t *file)
{
    add_u64(newest(file) + META_LAST_PAGE, (uint64_t)-100);
}

/* Of a tree. */
static void page_number(uint8_t *file)
{
    leaf_of_records(file)[0] ^= 1;
}
static void page_flags(uint8_t *file)
{
    leaf_of_records(file)[10] |= WALK_OVERFLOW;
}
static void odd_lower(uint8_t *file)
{
    leaf_of_records(file)[12] |= 1;
}
static void high_upper(uint8_t *file)
{
    leaf_of_records(file)[15] = 0x20;
}
static void low_upper(uint8_t *file)
{
    add_u16(leaf_of_records(file) + 14, -2);
}
static void node_outside(uint8_t *file)
{
    add_u16(leaf_of_records(file) + WALK_HEAD_BYTES, -4000);
}
static void long_key(uint8_t *file)
{
    node_of(leaf_of_records(file), 0)[7] = 2;
}
static void no_key(uint8_t *file)
{
    node_of(leaf_of_records(file), 0)[6] = 0;
}
static void long_data(uint8_t *file)
{
    node_of(leaf_of_records(file), 0)[1] = 0x40;
}
static void overlap(uint8_t *file)
{
    uint8_t *page = leaf_of_records(file);

    memcpy(page + WALK_HEAD_BYTES, page + WALK_HEAD_BYTES + 2, 2);
}
static void swapped_keys(uint8_t *file)
{
    uint8_t *page = leaf_of_records(file), slot[2];

    memcpy(slot, page + WALK_HEAD_BYTES, 2);
    memcpy(page + WALK_HEAD_BYTES, page + WALK_HEAD_BYTES + 2, 2);
    memcpy(page + WALK_HEAD_BYTES + 2, slot, 2);
}
static void key_of_another(uint8_t *file)
{
    uint8_t *page = leaf_of_records(file);

    node_of(page, walk_page_count(page) - 1)[8] = 0xff;
}
static void key_below_parent(uint8_t *file)
{
    uint8_t *root = root_of(file, "records"), *page = page_of(file, walk_page_node(root, 1).child);

    while (walk_page_is_branch(page))
        page = page_of(file, walk_page_node(page, 0).child);
    node_of(page, 0)[8 + 6] = 0;
    node_of(page, 0)[8 + 7] = 1;
}
static void part_gone(uint8_t *file)
{
    node_of(leaf_of_records(file), 1)[8 + 11] = 5;
}
static void child_twice(uint8_t *file)
{
    uint8_t *root = root_of(file, "records");

    memcpy(node_of(root, 1), node_of(root, 0), 6);
}
static void child_is_meta(uint8_t *file)
{
    uint8_t *node = node_of(root_of(file, "records"), 0);

    memset(node, 0, 6);
    node[0] = 1;
}
static void child_far_away(uint8_t *file)
{
    node_of(root_of(file, "records"), 0)[4] = 1;
}
static void one_child(uint8_t *file)
{
    uint8_t *root = root_of(file, "records");
    uint64_t child = walk_page_node(root, 0).child;

    memset(root + 12, 0, SPOOL_PAGE_BYTES - 12);
    add_u16(root + 12, WALK_HEAD_BYTES + 2);
    add_u16(root + 14, SPOOL_PAGE_BYTES - 8);
    add_u16(root + WALK_HEAD_BYTES, SPOOL_PAGE_BYTES - 8);
    spool_put_u32(root + SPOOL_PAGE_BYTES - 8, (uint32_t)child);
}
static void too_deep(uint8_t *file)
{
    db_of(file, "records")[DB_DEPTH] += 1;
}
static void too_flat(uint8_t *file)
{
    db_of(file, "records")[DB_DEPTH] = 1;
}
static void endless(uint8_t *file)
{
    db_of(file, "records")[DB_DEPTH] = 40;
}
static void rootless(uint8_t *file)
{
    memset(db_of(file, "records") + 40, 0xff, 8);
}
static void leaves(uint8_t *file)
{
    add_u64(db_of(file, "records") + DB_LEAVES, 1);
}
static void entries(uint8_t *file)
{
    add_u64(db_of(file, "records") + DB_ENTRIES, 1);
}
static void values(uint8_t *file)
{
    add_u64(db_of(file, "records") + DB_OVERFLOW, 1);
}
static void db_flags(uint8_t *file)
{
    db_of(file, "records")[DB_FLAGS] = 4;
}
static void node_flags(uint8_t *file)
{
    node_of(leaf_of_records(file), 0)[4] = 4;
}
static void no_database(uint8_t *file)
{
    db_of(file, "pending")[-7 - 8 + 4] = 0;
}
static void value_elsewhere(uint8_t *file)
{
    uint8_t *root = root_of(file, "parked");

    assert_true((node_of(root, 0)[4] & WALK_BIGDATA) != 0);
    add_u64(node_of(root, 0) + 8 + SPOOL_PARKED_KEY_BYTES, (uint64_t)-1);
}

/* Of the list of free pages. */
static void free_later(uint8_t *file)
{
    uint8_t *page = free_leaf(file);

    node_of(page, walk_page_count(page) - 1)[8 + 6] = 1;
}
static void free_too_many(uint8_t *file)
{
    list_of(file, false)[1] = 1;
}
static void free_twice(uint8_t *file)
{
    memcpy(list_of(file, false) + 8, list_of(file, false) + 16, 8);
}
static void free_in_use(uint8_t *file)
{
    spool_put_u64(list_of(file, false) + 8, walk_db_decode(db_of(file, "records")).root);
}
static void free_order(uint8_t *file)
{
    uint8_t *list = list_of(file, false), number[8];

    memcpy(number, list + 8, 8);
    memcpy(list + 8, list + 16, 8);
    memcpy(list + 16, number, 8);
}
static void free_no_list(uint8_t *file)
{
    node_of(free_leaf(file), 0)[4] |= WALK_SUBDATA;
}
static void free_big_number(uint8_t *file)
{
    list_of(file, true)[0] ^= 1;
}
static void free_big_pages(uint8_t *file)
{
    list_of(file, true)[12] = 0;
}

static const struct {
    const char *name;
    void (*spoil)(uint8_t *file);
    const char *text;
} rules[] = {
    {"no meta page", no_meta, "page 0 (meta): it is no meta page"},
    {"a meta page's number", other_meta_number, "page 0 (meta): it is no meta page"},
    {"magic", no_magic, "page 1 (meta): it has no magic or an impossible version"},
    {"version", other_version, "page 0 (meta): it has no magic or an impossible version"},
    {"page size", other_page_size, "page 0 (meta): it has an impossible page size"},
    {"no map size", no_map, "(meta): it has an impossible map size"},
    {"huge map size", huge_map, "page 0 (meta): it has an impossible map size"},
    {"the free list's flags", free_flags, "(meta): it has impossible flags"},
    {"the main database's flags", main_flags, "(meta): it has impossible flags"},
    {"a transaction's parity", odd_on_even, "page 0 (meta): it has a transaction that belongs to the other meta page"},
    {"a transaction ahead", ahead, "do not follow each other"},
    {"last page beyond the map", end_beyond_map, "is not in the map"},
    {"last page too far", end_too_far, "but nothing is known of any after"},
    {"last page too near", end_too_near, "is not in the file's range of "},
    {"page number", page_number, "(records): it carries another page's number"},
    {"page flags", page_flags, "(records): it is neither a branch nor a leaf"},
    {"odd lower bound", odd_lower, "(records): its bounds are impossible"},
    {"high upper bound", high_upper, "(records): its bounds are impossible"},
    {"low upper bound", low_upper, "(records): the nodes do not fill their part of the page"},
    {"node outside", node_outside, "(records): a node lies outside of the page"},
    {"long key", long_key, "(records): a key has an impossible length"},
    {"no key", no_key, "(records): a key has an impossible length"},
    {"long data", long_data, "(records): a node reaches out of the page"},
    {"overlapping nodes", overlap, "(records): two nodes overlap"},
    {"keys out of order", swapped_keys, "(records): key 1 is not above the one before it"},
    {"key above the parent's bound", key_of_another, "(records): its last key belongs to another page"},
    {"key below the parent's bound", key_below_parent, "(records): key 0 is not above the one before it"},
    {"missing part", part_gone, "(records): a part has gone"},
    {"child twice", child_twice, "is in use or free elsewhere as well"},
    {"meta page as child", child_is_meta, "records: page 1 is not in the file's range of "},
    {"child far away", child_far_away, "is not in the file's range of "},
    {"one child", one_child, "(records): it is a branch with one child"},
    {"too deep", too_deep, "(records): it is a leaf above the lowest level"},
    {"too flat", too_flat, "(records): it is a branch on the lowest level"},
    {"endless", endless, "records: a tree of 40 levels cannot be"},
    {"no root", rootless, "levels cannot be"},
    {"leaves", leaves, " leaves and says that it has "},
    {"entries", entries, " entries and says that it has "},
    {"pages of values", values, " pages of values and says that it has "},
    {"a database's flags", db_flags, "records: it has impossible flags"},
    {"an entry's flags", node_flags, "(records): an entry of an impossible kind"},
    {"no database", no_database, "main: an entry is no database"},
    {"value elsewhere", value_elsewhere, "is in use or free elsewhere as well"},
    {"free by a later transaction", free_later, "(free list): transaction "},
    {"more free than there is room", free_too_many, "lists more pages than there is room for"},
    {"free twice", free_twice, "is in use or free elsewhere as well"},
    {"free and in use", free_in_use, "is in use or free elsewhere as well"},
    {"free out of order", free_order, "are out of order"},
    {"free list that is none", free_no_list, "(free list): an entry is no list of pages"},
    {"long list's number", free_big_number, "(free list): it is not the value that it should be"},
    {"long list's pages", free_big_pages, "(free list): it is not the value that it should be"},
};

/* --- the walk -------------------------------------------------------------------- */

static int walk_bytes(const uint8_t *bytes, size_t len, const struct spool_walk_options *options,
                      struct spool_walk_report *report, struct err *err)
{
    int fd = memfd_create("walk", 0), rc;

    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, bytes, len), len);
    rc = spool_walk(fd, options, report, err);
    close(fd);
    return rc;
}

static uint8_t *copy_sound(void)
{
    uint8_t *file = malloc(sound_len);

    assert_non_null(file);
    memcpy(file, sound, sound_len);
    return file;
}

static const struct spool_walk_options at_once;

static struct err spoiled(void (*spoil)(uint8_t *file), struct spool_walk_report *report)
{
    struct err err = {.text = ""};
    uint8_t *file = copy_sound();

    spoil(file);
    if (walk_bytes(file, sound_len, &at_once, report, &err) == 0)
        err.class = ERR_NONE;
    free(file);
    return err;
}

static void test_walk_finds_what_each_rule_is_for(void **state)
{
    struct spool_walk_report report;
    struct err err;
    bool failed = false;

    (void)state;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        err = spoiled(rules[i].spoil, &report);
        if (err.class != ERR_FATAL || err.code != SPOOL_DAMAGED || strstr(err.text, rules[i].text) == NULL) {
            print_message("%s: class %s, '%s'\n", rules[i].name, err_class_name(err.class), err.text);
            failed = true;
        }
    }
    assert_false(failed);
}

static void go_back(uint8_t *file)
{
    add_u64(newest(file) + META_TXNID, (uint64_t)-2);
}

static void test_walk_of_a_transaction_that_went_back_tells_the_newer_one(void **state)
{
    uint64_t txnid = walk_meta_decode(newest(sound)).txnid;
    struct spool_walk_report report;
    struct err err = spoiled(go_back, &report);

    (void)state;
    assert_int_equal(err.class, ERR_NONE);
    assert_int_equal(report.txnid, txnid - 1);
    assert_int_equal(report.newer_txnid, txnid);
}

/* --- not ours ---------------------------------------------------------------------- */

static void newer_lmdb(uint8_t *file)
{
    file[20] = 2;
    file[SPOOL_PAGE_BYTES + 20] = 2;
}
static void larger_pages(uint8_t *file)
{
    other_page_size(file);
    file[META_FREE_DB] = 0;
    memcpy(file + 8192, file, SPOOL_PAGE_BYTES);
}
static void of_32_bits(uint8_t *file)
{
    memcpy(file + 12, file + 16, 4);
    memcpy(file + SPOOL_PAGE_BYTES + 12, file + 16, 4);
}
static void of_another_byte_order(uint8_t *file)
{
    const uint8_t magic[] = {0xBE, 0xEF, 0xC0, 0xDE};

    memcpy(file + 16, magic, 4);
    memcpy(file + SPOOL_PAGE_BYTES + 16, magic, 4);
}
static void other_names(uint8_t *file)
{
    uint8_t *page = page_of(file, walk_meta_decode(newest(file)).main.root);

    for (unsigned i = 0; i < walk_page_count(page); i++)
        node_of(page, i)[8 + walk_page_node(page, i).key.len - 1] = '.';
}

static void test_walk_of_another_lmdb_file_is_a_matter_of_configuration(void **state)
{
    static const struct {
        void (*spoil)(uint8_t *file);
        const char *text;
    } others[] = {
        {newer_lmdb, "it has version 2 of LMDB's format, this one knows 1"},
        {larger_pages, "its pages have 8192 bytes, this machine's have 4096"},
        {of_32_bits, "it was made by an LMDB of 32 bits"},
        {of_another_byte_order, "it was made on a machine of another byte order"},
        {other_names, "it is an LMDB environment, but not a spool"},
    };
    struct spool_walk_report report;

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct err err = spoiled(others[i].spoil, &report);

        assert_int_equal(err.class, ERR_CONFIG);
        assert_string_equal(err.text, others[i].text);
    }
}

/* --- files and time ------------------------------------------------------------------ */

static void test_walk_of_a_short_file_and_of_one_that_cannot_be_read(void **state)
{
    uint64_t used = (walk_meta_decode(newest(sound)).last_page + 1) * SPOOL_PAGE_BYTES;
    static const size_t lens[] = {0, 100, 4096, 8191};
    struct spool_walk_report report;
    struct err err;
    int fd;

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        assert_int_equal(walk_bytes(sound, lens[i], &at_once, &report, &err), -1);
        assert_int_equal(err.code, SPOOL_DAMAGED);
        assert_non_null(strstr(err.text, "lies beyond the end of the file, which has "));
    }
    assert_int_equal(walk_bytes(sound, used, &at_once, &report, &err), 0);
    fd = open("/tmp", O_RDONLY);
    assert_int_equal(spool_walk(fd, &at_once, &report, &err), -1);
    close(fd);
    assert_int_equal(err.code, SPOOL_DAMAGED);
    assert_string_equal(err.text, "page 0 cannot be read: Is a directory");
}

/* The payload is not read by the walk; who reads it through the map would get SIGBUS. */
static void test_walk_of_a_value_beyond_the_end_of_the_file(void **state)
{
    uint8_t *file = copy_sound(), *root = root_of(file, "parked"), *meta = newest(file);
    uint64_t end = spool_get_u64(meta + META_LAST_PAGE) + 1;
    struct spool_walk_report report;
    struct err err;

    (void)state;
    assert_true((node_of(root, 0)[4] & WALK_BIGDATA) != 0);
    assert_true((end + 40) * SPOOL_PAGE_BYTES <= sound_len);
    spool_put_u64(node_of(root, 0) + 8 + SPOOL_PARKED_KEY_BYTES, end);
    add_u64(meta + META_LAST_PAGE, 40);
    assert_int_equal(walk_bytes(file, sound_len, &at_once, &report, &err), 0);
    assert_int_equal(walk_bytes(file, end * SPOOL_PAGE_BYTES, &at_once, &report, &err), -1);
    assert_int_equal(err.code, SPOOL_DAMAGED);
    assert_non_null(strstr(err.text, "(parked): a value lies beyond the end of the file, which has "));
    free(file);
}

static unsigned progresses;

static void count_progress(void *context, uint64_t done_pages, uint64_t expected_pages)
{
    (void)context;
    assert_true(done_pages <= expected_pages);
    progresses++;
}

static void test_walk_tells_its_progress_and_keeps_its_deadline(void **state)
{
    struct spool_walk_options options = {.progress = count_progress};
    struct spool_walk_report report;
    struct err err;

    (void)state;
    assert_int_equal(walk_bytes(sound, sound_len, &options, &report, &err), 0);
    assert_true(progresses > 0);
    options.deadline_ns = 1;
    assert_int_equal(walk_bytes(sound, sound_len, &options, &report, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(err.code, ETIMEDOUT);
}

static void test_walk_of_a_snapshot_that_is_gone_or_still_there(void **state)
{
    uint64_t txnid = walk_meta_decode(newest(sound)).txnid;
    struct spool_walk_options options = {.txnid = txnid - 1};
    struct spool_walk_report report;
    struct err err;

    (void)state;
    assert_int_equal(walk_bytes(sound, sound_len, &options, &report, &err), 0);
    assert_int_equal(report.txnid, txnid - 1);
    options.txnid = txnid - 2;
    assert_int_equal(walk_bytes(sound, sound_len, &options, &report, &err), -1);
    assert_int_equal(err.class, ERR_RETRY);
    assert_int_equal(err.code, ESTALE);
}

struct meanwhile {
    int fd;
    uint8_t txnid[8];
};

static void commit_meanwhile(void *context, uint64_t done_pages, uint64_t expected_pages)
{
    struct meanwhile *meanwhile = context;

    (void)done_pages;
    (void)expected_pages;
    spool_put_u64(meanwhile->txnid, 1000000);
    assert_int_equal(pwrite(meanwhile->fd, meanwhile->txnid, 8, META_TXNID), 8);
}

static void test_walk_of_what_is_written_meanwhile_judges_nothing(void **state)
{
    struct meanwhile meanwhile = {.fd = memfd_create("walk", 0)};
    struct spool_walk_options options = {.progress = commit_meanwhile, .context = &meanwhile};
    struct spool_walk_report report;
    uint8_t *file = copy_sound();
    struct err err;

    (void)state;
    free_in_use(file); /* found late */
    assert_int_equal(write(meanwhile.fd, file, sound_len), sound_len);
    assert_int_equal(spool_walk(meanwhile.fd, &options, &report, &err), -1);
    assert_int_equal(err.class, ERR_RETRY);
    assert_string_equal(err.text, "the file was written to meanwhile");
    close(meanwhile.fd);
    free(file);
}

/* --- the file that is spoiled ---------------------------------------------------------- */

static void park_something(struct fixture *fixture)
{
    uint8_t payload[9000] = {0};
    struct spool_parked parked = {
        .seq = 1, .index = 1, .reason = SPOOL_PARK_REFUSED, .text = "why", .payload = slice_of(payload, 9000)};
    struct err err;

    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
}

static bool has_no_history(void *context)
{
    return fixture_stat(context).history_records == 0;
}

/* Many records in leaves, and free lists of both kinds: short ones, and one that has pages of its own. */
static int make_sound(void **state)
{
    struct fixture fixture;
    struct stat st;
    char path[128];
    int fd;

    (void)state;
    fixture_init_fast(&fixture, 16UL << 20);
    fixture.options.history_ns = 0;
    fixture_open(&fixture);
    for (uint64_t i = 1; i <= 4; i++)
        fixture_put(&fixture, i, 1000000);
    for (uint64_t i = 1; i <= RECORDS; i++)
        fixture_put(&fixture, i, INLINE_BYTES);
    park_something(&fixture);
    fixture_deliver(&fixture, 1, 5);
    fixture_until(has_no_history, fixture.spool);
    fixture_close(&fixture);
    snprintf(path, sizeof(path), "%s/data.mdb", fixture.path);
    fd = open(path, O_RDONLY);
    assert_int_equal(fstat(fd, &st), 0);
    sound_len = (size_t)st.st_size;
    sound = malloc(sound_len);
    assert_non_null(sound);
    assert_int_equal(read(fd, sound, sound_len), sound_len);
    close(fd);
    fixture_fini(&fixture);
    return 0;
}

static int free_sound(void **state)
{
    (void)state;
    free(sound);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk_finds_what_each_rule_is_for),
        cmocka_unit_test(test_walk_of_a_transaction_that_went_back_tells_the_newer_one),
        cmocka_unit_test(test_walk_of_another_lmdb_file_is_a_matter_of_configuration),
        cmocka_unit_test(test_walk_of_a_short_file_and_of_one_that_cannot_be_read),
        cmocka_unit_test(test_walk_of_a_value_beyond_the_end_of_the_file),
        cmocka_unit_test(test_walk_tells_its_progress_and_keeps_its_deadline),
        cmocka_unit_test(test_walk_of_a_snapshot_that_is_gone_or_still_there),
        cmocka_unit_test(test_walk_of_what_is_written_meanwhile_judges_nothing),
    };

    return cmocka_run_group_tests(tests, make_sound, free_sound);
}
