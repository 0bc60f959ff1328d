/*
 * spool_walk.c - the walk as a whole.
 *
 * Any thread.  Both meta pages; the main database, which names the others; each
 * of these; the list of free pages.  Every page is noted in a bitmap, the one
 * thing here whose size follows the file's (32 kB a GiB), so none is used twice
 * and none is both used and free.
 *
 * A page in neither is room that is lost, and no harm: LMDB's own documentation
 * speaks of leaks.  But a good many of them at the file's end mean that the
 * number of the last page has gone bad, and then there might be no page left
 * to write.
 *
 * The first thing that is wrong ends the walk.  When somebody has committed
 * meanwhile, what looked wrong may just have been written over: ERR_RETRY.
 */
#include "spool_walk_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "spool_record.h"

#define LOOK_PAGES 256    /* between two looks at the clock */
#define TAIL_PAGES_MAX 64 /* lost at the file's end */
#define BUFFERS (SPOOL_WALK_DEPTH_MAX + 1)
#define RANGE_KEY_BYTES 8
#define PART_KEY_BYTES 4
#define NAMED_MAX (SPOOL_WALK_DATABASES_MAX - 2)

/* A spool's databases.  A key of another length is never written, and would be fatal where it is met. */
static const struct {
    const char *name;
    size_t key_bytes; /* 0: any */
    bool parts;       /* the key ends with the number of a part, u32, most significant byte first */
} known[] = {
    {"records", SPOOL_RECORD_KEY_BYTES, true},
    {"pending", RANGE_KEY_BYTES, false},
    {"held", RANGE_KEY_BYTES, false},
    {"parked", SPOOL_PARKED_KEY_BYTES, true},
    {"state", 0, false},
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

/* The databases that the main one names. */
struct names {
    unsigned count;
    unsigned known; /* of them, a spool's */
    bool strange;   /* there is an entry that is no database */
    struct {
        char name[STATE_NAME_MAX];
        struct walk_db db;
    } all[NAMED_MAX];
};

/* The key before. */
struct parts {
    bool any;
    uint8_t before[SPOOL_KEY_BYTES_MAX];
};

/* --- for the other files --------------------------------------------------- */

int walk_damage(struct walk *walk, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return err_set(walk->err, ERR_FATAL, SPOOL_DAMAGED, "%s", text);
}

/* Now and then: whether there is time left. */
static int look_around(struct walk *walk)
{
    const struct spool_walk_options *options = walk->options;

    if (++walk->report->read_pages % LOOK_PAGES != 0)
        return 0;
    if (options->progress != NULL)
        options->progress(options->context, walk->report->read_pages, walk->expected_pages);
    if (options->deadline_ns != 0 && clock_mono_ns() > options->deadline_ns)
        return err_set(walk->err, ERR_BUSY, ETIMEDOUT, "the walk took too long");
    return 0;
}

int walk_read(struct walk *walk, uint64_t page, uint8_t *out)
{
    size_t done = 0;
    ssize_t bytes = 1;

    while (done < SPOOL_PAGE_BYTES && bytes > 0) {
        bytes = pread(walk->fd, out + done, SPOOL_PAGE_BYTES - done, (off_t)(page * SPOOL_PAGE_BYTES + done));
        if (bytes == -1 && errno == EINTR)
            bytes = 1;
        else if (bytes > 0)
            done += (size_t)bytes;
    }
    if (bytes == -1)
        return walk_damage(walk, "page %llu cannot be read: %s", (unsigned long long)page, strerror(errno));
    if (done < SPOOL_PAGE_BYTES)
        return walk_damage(walk, "page %llu lies beyond the end of the file, which has %llu", (unsigned long long)page,
                           (unsigned long long)walk->report->file_pages);
    return look_around(walk);
}

int walk_take(struct walk *walk, uint64_t first, uint64_t count, const char *name)
{
    uint64_t end = walk->meta.last_page + 1;

    if (first < WALK_META_PAGES || first >= end || count > end - first)
        return walk_damage(walk, "%s: page %llu is not in the file's range of %llu", name, (unsigned long long)first,
                           (unsigned long long)end);
    for (uint64_t page = first; page < first + count; page++) {
        if ((walk->taken[page / 8] & 1U << page % 8) != 0)
            return walk_damage(walk, "%s: page %llu is in use or free elsewhere as well", name,
                               (unsigned long long)page);
        walk->taken[page / 8] |= (uint8_t)(1U << page % 8);
    }
    return 0;
}

uint8_t *walk_page_buffer(const struct walk *walk, unsigned level)
{
    assert(level < BUFFERS);
    return walk->pages + (size_t)level * SPOOL_PAGE_BYTES;
}

/* --- the databases --------------------------------------------------------- */

static size_t find_known(const char *name)
{
    size_t i = 0;

    while (i < KNOWN && strcmp(known[i].name, name) != 0)
        i++;
    return i;
}

static int name_entry(struct walk_tree *tree, uint64_t number, const struct walk_node *node)
{
    struct names *names = tree->context;

    (void)number;
    if (node->flags != WALK_SUBDATA || node->data_bytes != WALK_DB_BYTES || node->key.len >= STATE_NAME_MAX ||
        memchr(node->key.data, '\0', node->key.len) != NULL || names->count == NAMED_MAX) {
        names->strange = true;
        return 0;
    }
    memcpy(names->all[names->count].name, node->key.data, node->key.len);
    names->all[names->count].db = walk_db_decode(node->data);
    if (find_known(names->all[names->count].name) < KNOWN)
        names->known++;
    names->count++;
    return 0;
}

/* Keys of entries in parts: 0, 1, 2, ... under each prefix.  A key that has gone bad would hide a record. */
static bool follows(struct parts *parts, struct slice key)
{
    size_t prefix_len = key.len - PART_KEY_BYTES;
    uint32_t part = spool_key_get_u32(key.data + prefix_len);
    bool same = parts->any && memcmp(parts->before, key.data, prefix_len) == 0;
    uint32_t expected = same ? spool_key_get_u32(parts->before + prefix_len) + 1 : 0;

    memcpy(parts->before, key.data, key.len);
    parts->any = true;
    return part == expected;
}

static int named_entry(struct walk_tree *tree, uint64_t number, const struct walk_node *node)
{
    size_t i = find_known(tree->name);

    if ((node->flags & ~WALK_BIGDATA) != 0)
        return walk_damage(tree->walk, "page %llu (%s): an entry of an impossible kind", (unsigned long long)number,
                           tree->name);
    if (i < KNOWN && known[i].key_bytes != 0 && known[i].key_bytes != node->key.len)
        return walk_damage(tree->walk, "page %llu (%s): a key of an impossible length", (unsigned long long)number,
                           tree->name);
    if (i < KNOWN && known[i].parts && !follows(tree->context, node->key))
        return walk_damage(tree->walk, "page %llu (%s): a part has gone", (unsigned long long)number, tree->name);
    return 0;
}

/* A spool has at least its own databases; none of them means somebody else's file, all of them gone means damage. */
static int walk_main(struct walk *walk, struct names *names)
{
    struct walk_tree tree = {
        .walk = walk, .name = "main", .db = walk->meta.main, .entry = name_entry, .context = names};

    if (walk_tree(&tree) == -1)
        return -1;
    if (tree.entries > 0 && names->known == 0)
        return err_set(walk->err, ERR_CONFIG, 0, "it is an LMDB environment, but not a spool");
    if (names->strange)
        return walk_damage(walk, "main: an entry is no database");
    return 0;
}

static int walk_named(struct walk *walk, const struct names *names)
{
    for (unsigned i = 0; i < names->count; i++)
        walk->expected_pages += names->all[i].db.branch_pages + names->all[i].db.leaf_pages;
    for (unsigned i = 0; i < names->count; i++) {
        struct parts parts = {.any = false};
        struct walk_tree tree = {
            .walk = walk, .name = names->all[i].name, .db = names->all[i].db, .entry = named_entry, .context = &parts};

        if (tree.db.flags != 0)
            return walk_damage(walk, "%s: it has impossible flags", tree.name);
        if (walk_tree(&tree) == -1)
            return -1;
    }
    return 0;
}

/* --- all of it ------------------------------------------------------------- */

static int count_pages(struct walk *walk)
{
    struct spool_walk_report *report = walk->report;
    uint64_t tail = report->touched_pages;

    report->used_pages = WALK_META_PAGES;
    for (unsigned i = 0; i < report->database_count; i++)
        report->used_pages +=
            report->databases[i].branch_pages + report->databases[i].leaf_pages + report->databases[i].overflow_pages;
    report->lost_pages = report->touched_pages - report->used_pages - report->free_pages;
    while (tail > WALK_META_PAGES && (walk->taken[(tail - 1) / 8] & 1U << (tail - 1) % 8) == 0)
        tail--;
    if (report->touched_pages - tail > TAIL_PAGES_MAX)
        return walk_damage(walk, "the last page should be %llu, but nothing is known of any after %llu",
                           (unsigned long long)walk->meta.last_page, (unsigned long long)tail - 1);
    return 0;
}

static int walk_file(struct walk *walk)
{
    struct names names = {.count = 0};
    struct stat st;

    if (fstat(walk->fd, &st) == -1)
        return walk_damage(walk, "it cannot be looked at: %s", strerror(errno));
    walk->report->file_pages = (uint64_t)st.st_size / SPOOL_PAGE_BYTES;
    if (walk_metas(walk) == -1)
        return -1;
    walk->expected_pages = WALK_META_PAGES + walk->meta.main.branch_pages + walk->meta.main.leaf_pages +
                           walk->meta.free.branch_pages + walk->meta.free.leaf_pages + walk->meta.free.overflow_pages;
    walk->taken = calloc(walk->meta.last_page / 8 + 1, 1);
    if (walk->taken == NULL)
        return err_set(walk->err, ERR_BUSY, ENOMEM, "out of memory");
    if (walk_main(walk, &names) == -1 || walk_named(walk, &names) == -1 || walk_free_list(walk) == -1)
        return -1;
    return count_pages(walk);
}

int spool_walk(int fd, const struct spool_walk_options *options, struct spool_walk_report *report, struct err *err)
{
    struct err own;
    struct walk walk = {.fd = fd, .options = options, .report = report, .err = err != NULL ? err : &own};
    int rc;

    *report = (struct spool_walk_report){.txnid = 0};
    walk.pages = malloc(BUFFERS * SPOOL_PAGE_BYTES);
    if (walk.pages == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory");
    rc = walk_file(&walk);
    if (rc == -1 && walk.err->class == ERR_FATAL && options->txnid == 0 && walk_metas_moved(&walk))
        err_set(walk.err, ERR_RETRY, ESTALE, "the file was written to meanwhile");
    free(walk.taken);
    free(walk.pages);
    return rc;
}
