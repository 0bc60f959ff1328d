/*
 * spool_image.c - see the header.
 */
#include "spool_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_record.h"
#include "spool_walk_page.h"

#define SECTOR 512
#define META_BYTES 152 /* of a meta page, what LMDB writes */
#define OPEN_RECORDS 100

uint64_t image_random(uint64_t *state)
{
    *state += 0x9E3779B97F4A7C15ULL;
    uint64_t x = *state;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

size_t image_len(uint64_t seq)
{
    if (seq % 29 == 0)
        return 150000 + (size_t)(seq * 7919 % 250000);
    return (size_t)(seq * 104729 % (seq % 3 == 0 ? 1500 : 9000)) + 1;
}

size_t image_parked_len(uint64_t seq)
{
    return seq % 2 == 0 ? 300 : 20000;
}

/* --- the base -------------------------------------------------------------- */

static void park(struct fixture *fixture, uint64_t seq, bool whole)
{
    static uint8_t payload[20000];
    struct spool_parked parked = {.seq = seq,
                                  .index = whole ? 0 : 3,
                                  .whole = whole,
                                  .reason = whole ? SPOOL_PARK_UNDECODABLE : SPOOL_PARK_REFUSED,
                                  .text = "why"};
    struct err err = {.text = ""};

    if (!whole) {
        fixture_fill(payload, IMAGE_PARKED_SEED + seq, sizeof(payload));
        parked.payload = slice_of(payload, image_parked_len(seq));
    }
    if ((whole ? spool_writer_park(fixture->writer, &parked, 1, &err)
               : spool_writer_park(fixture->writer, &parked, 1, &err)) == -1)
        fail_msg("park: %s", err.text);
}

static void fill(struct fixture *fixture)
{
    uint64_t delivered = 1;

    for (uint64_t seq = 1; seq <= IMAGE_RECORDS; seq++) {
        struct err err;

        while (fixture_try_put(fixture, seq, image_len(seq), &err) == 0) {
            fixture_deliver(fixture, delivered, seq);
            delivered = seq;
        }
        if (seq - delivered > OPEN_RECORDS) {
            fixture_deliver(fixture, delivered, seq - OPEN_RECORDS / 2);
            delivered = seq - OPEN_RECORDS / 2;
        }
        if (seq % 200 == 0)
            park(fixture, seq, true);
        else if (seq % 150 == 0)
            park(fixture, seq, false);
    }
    fixture_deliver(fixture, IMAGE_RECORDS - 20, IMAGE_RECORDS - 10); /* a gap */
}

static void note_records(struct image *image, struct spool *spool)
{
    struct spool_record record;
    size_t count = 1;
    struct err err;

    for (uint64_t seq = 1; seq <= IMAGE_RECORDS; seq = record.seq + 1) {
        assert_int_equal(spool_list(spool, seq, 1, &record, &count, &err), 0);
        if (count == 0)
            break;
        image->kept[record.seq] = true;
        image->states[record.seq] = record.state;
    }
}

static size_t read_whole(const char *directory, const char *name, uint8_t **out)
{
    char path[128];
    struct stat st;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    fd = open(path, O_RDONLY);
    assert_int_equal(fstat(fd, &st), 0);
    *out = malloc((size_t)st.st_size);
    assert_non_null(*out);
    assert_int_equal(read(fd, *out, (size_t)st.st_size), st.st_size);
    close(fd);
    return (size_t)st.st_size;
}

/* --- which pages are what --------------------------------------------------- */

static void note_page(struct image *image, enum image_kind kind, uint64_t number)
{
    image->pages[kind][image->count[kind]++] = number;
}

static void note_part(struct image *image, const struct walk_node *node)
{
    bool big = (node->flags & WALK_BIGDATA) != 0;
    const uint8_t *data =
        big ? image->bytes + spool_get_u64(node->data) * SPOOL_PAGE_BYTES + WALK_HEAD_BYTES : node->data;
    bool parked = node->key.len == SPOOL_PARKED_KEY_BYTES;

    if (node->key.len != SPOOL_RECORD_KEY_BYTES && !parked)
        return;
    image->parts[image->part_count++] = (struct image_part){.seq = spool_key_get_u64(node->key.data),
                                                            .parked = parked,
                                                            .at = (size_t)(data - image->bytes),
                                                            .len = node->data_bytes};
}

static void note_tree(struct image *image, uint64_t number, bool names)
{
    const uint8_t *page = image->bytes + number * SPOOL_PAGE_BYTES;

    assert_null(walk_page_fault(page, number));
    note_page(image, IMAGE_TREE, number);
    for (unsigned i = 0; i < walk_page_count(page); i++) {
        struct walk_node node = walk_page_node(page, i);

        if (walk_page_is_branch(page))
            note_tree(image, node.child, names);
        else if (names && walk_db_decode(node.data).depth > 0)
            note_tree(image, walk_db_decode(node.data).root, false);
        else if (!names)
            note_part(image, &node);
        if (!walk_page_is_branch(page) && (node.flags & WALK_BIGDATA) != 0)
            note_page(image, IMAGE_VALUE, spool_get_u64(node.data));
    }
}

static void note_pages(struct image *image)
{
    struct walk_meta metas[] = {walk_meta_decode(image->bytes), walk_meta_decode(image->bytes + SPOOL_PAGE_BYTES)};
    const struct walk_meta *meta = &metas[metas[0].txnid < metas[1].txnid];

    for (unsigned kind = 0; kind < IMAGE_KINDS; kind++) {
        image->pages[kind] = calloc(image->len / SPOOL_PAGE_BYTES, sizeof(uint64_t));
        assert_non_null(image->pages[kind]);
    }
    image->parts = calloc(image->len / 64, sizeof(*image->parts));
    assert_non_null(image->parts);
    note_page(image, IMAGE_META, 0);
    note_page(image, IMAGE_META, 1);
    note_tree(image, meta->main.root, true);
    note_tree(image, meta->free.root, false);
    for (uint64_t page = 2; page <= meta->last_page; page++)
        note_page(image, IMAGE_OTHER, page);
}

void image_make(struct image *image)
{
    struct fixture fixture;
    uint8_t *lock;

    *image = (struct image){.len = 0};
    fixture_init(&fixture, IMAGE_SIZE);
    fixture_open(&fixture);
    fill(&fixture);
    note_records(image, fixture.spool);
    image->parked = fixture_stat(fixture.spool).parked_entries;
    assert_true(fixture_stat(fixture.spool).evicted_records > 0);
    fixture_close(&fixture);
    image->len = read_whole(fixture.path, "data.mdb", &image->bytes);
    assert_true(read_whole(fixture.path, "lock.mdb", &lock) >= sizeof(image->lock));
    memcpy(image->lock, lock, sizeof(image->lock));
    free(lock);
    note_pages(image);
    fixture_fini(&fixture);
}

void image_free(struct image *image)
{
    for (unsigned kind = 0; kind < IMAGE_KINDS; kind++)
        free(image->pages[kind]);
    free(image->parts);
    free(image->bytes);
}

/* --- damage ---------------------------------------------------------------- */

static enum image_kind pick_kind(uint64_t *random)
{
    static const enum image_kind kinds[] = {IMAGE_META, IMAGE_TREE,  IMAGE_TREE,  IMAGE_TREE,
                                            IMAGE_TREE, IMAGE_VALUE, IMAGE_VALUE, IMAGE_OTHER};

    return kinds[image_random(random) % (sizeof(kinds) / sizeof(kinds[0]))];
}

/* A branch's or a leaf's head, an offset, or the head or the key of a node. */
static size_t pick_in_structure(const uint8_t *page, uint64_t *random)
{
    unsigned index = (unsigned)(image_random(random) % walk_page_count(page));
    struct walk_node node = walk_page_node(page, index);

    switch (image_random(random) % 3) {
    case 0:
        return (size_t)(image_random(random) % WALK_HEAD_BYTES);
    case 1:
        return WALK_HEAD_BYTES + 2UL * index;
    default:
        return (size_t)(node.key.data - page) - 8 + (size_t)(image_random(random) % (8 + node.key.len));
    }
}

static size_t pick_byte(const struct image *image, enum image_kind kind, uint64_t *random)
{
    size_t page = (size_t)image->pages[kind][image_random(random) % image->count[kind]];

    /* A leaf is mostly data: every other time something that LMDB looks at. */
    if (kind == IMAGE_TREE && image_random(random) % 2 == 0)
        return page * SPOOL_PAGE_BYTES + pick_in_structure(image->bytes + page * SPOOL_PAGE_BYTES, random);
    size_t most = kind == IMAGE_META    ? META_BYTES
                  : kind == IMAGE_VALUE ? WALK_HEAD_BYTES + SPOOL_PART_HEADER_BYTES
                                        : SPOOL_PAGE_BYTES;

    return page * SPOOL_PAGE_BYTES + (size_t)(image_random(random) % most);
}

static void flip_bits(const struct image *image, struct image_damage *damage, uint64_t *random)
{
    enum image_kind kind = pick_kind(random);

    damage->count = 1 + (unsigned)(image_random(random) % 8);
    for (unsigned i = 0; i < damage->count; i++) {
        damage->spots[i].at = pick_byte(image, kind, random);
        damage->spots[i].len = 1;
        damage->spots[i].bytes[0] = (uint8_t)(image->bytes[damage->spots[i].at] ^ 1U << image_random(random) % 8);
    }
    snprintf(damage->text, sizeof(damage->text), "%u bits flipped, kind %u, the first at byte %zu", damage->count, kind,
             damage->spots[0].at);
}

static void spoil_sector(const struct image *image, struct image_damage *damage, bool zero, uint64_t *random)
{
    enum image_kind kind = pick_kind(random);
    size_t at = pick_byte(image, kind, random) / SECTOR * SECTOR;

    damage->count = 1;
    damage->spots[0].at = at;
    damage->spots[0].len = SECTOR;
    for (size_t i = 0; i < SECTOR; i++)
        damage->spots[0].bytes[i] = zero ? 0 : (uint8_t)image_random(random);
    snprintf(damage->text, sizeof(damage->text), "a sector %s, kind %u, at byte %zu", zero ? "zeroed" : "garbled", kind,
             at);
}

bool image_is_untouched(const struct image_part *part, const struct image_damage *damage)
{
    if (part->at + part->len > damage->len)
        return false;
    for (unsigned i = 0; i < damage->count; i++) {
        if (damage->spots[i].at < part->at + part->len && part->at < damage->spots[i].at + damage->spots[i].len)
            return false;
    }
    return true;
}

void image_damage(const struct image *image, struct image_damage *damage, uint64_t number, uint64_t *random)
{
    unsigned dice = (unsigned)(image_random(random) % 20);

    damage->len = image->len;
    damage->count = 0;
    if (number == 0) {
        snprintf(damage->text, sizeof(damage->text), "no damage");
    } else if (dice < 12) {
        flip_bits(image, damage, random);
    } else if (dice < 19) {
        spoil_sector(image, damage, dice < 16, random);
    } else {
        damage->len = (size_t)(image_random(random) % image->len);
        snprintf(damage->text, sizeof(damage->text), "cut to %zu bytes", damage->len);
    }
}

static void write_file(const char *directory, const char *name, const uint8_t *bytes, size_t len,
                       const struct image_damage *damage)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, bytes, len), len);
    for (unsigned i = 0; damage != NULL && i < damage->count; i++)
        assert_int_equal(pwrite(fd, damage->spots[i].bytes, damage->spots[i].len, (off_t)damage->spots[i].at),
                         damage->spots[i].len);
    close(fd);
}

void image_write(const struct image *image, const struct image_damage *damage, const char *path)
{
    write_file(path, "data.mdb", image->bytes, damage == NULL ? image->len : damage->len, damage);
    write_file(path, "lock.mdb", image->lock, sizeof(image->lock), NULL);
}
