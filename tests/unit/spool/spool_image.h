/*
 * spool_image.h - a spool's file to be damaged: what is in it, and damage of every kind.
 *
 * The records of the base are known from their seqs alone: the bytes of record
 * N come from seed N and have image_len(N) bytes.
 */
#ifndef TRACESPOOL_SPOOL_IMAGE_H
#define TRACESPOOL_SPOOL_IMAGE_H

#include "spool_fixture.h"

#define IMAGE_SIZE (16UL << 20)
#define IMAGE_RECORDS 1500 /* put; the ring has turned by then */
#define IMAGE_PARKED_SEED 1000000

enum image_kind { IMAGE_META, IMAGE_TREE, IMAGE_VALUE, IMAGE_OTHER, IMAGE_KINDS };

struct image {
    uint8_t *bytes; /* of data.mdb */
    size_t len;
    uint8_t lock[256];            /* how lock.mdb begins */
    uint64_t *pages[IMAGE_KINDS]; /* live branches and leaves; first pages of live values; all others */
    size_t count[IMAGE_KINDS];
    enum spool_record_state states[IMAGE_RECORDS + 1];
    bool kept[IMAGE_RECORDS + 1]; /* there is such a record */
    uint64_t parked;              /* entries */
    struct image_part *parts;     /* of all that is kept and parked, by where they lie */
    size_t part_count;
};

struct image_part {
    uint64_t seq;
    bool parked;
    size_t at;
    size_t len;
};

/* One damage: bytes from `at` on, as they are afterwards; or the file's new length. */
struct image_damage {
    size_t len; /* of the file */
    unsigned count;
    struct {
        size_t at;
        size_t len;
        uint8_t bytes[512];
    } spots[8];
    char text[160];
};

uint64_t image_random(uint64_t *state);

size_t image_len(uint64_t seq);
size_t image_parked_len(uint64_t seq);

/* Builds the base in a directory of its own, which is gone afterwards. */
void image_make(struct image *image);
void image_free(struct image *image);

/* Whether the part is in the damaged file as it was. */
bool image_is_untouched(const struct image_part *part, const struct image_damage *damage);

/* `damage` number 0 is none. */
void image_damage(const struct image *image, struct image_damage *damage, uint64_t number, uint64_t *random);

/* Writes data.mdb and lock.mdb into `path`, damaged unless `damage` is NULL. */
void image_write(const struct image *image, const struct image_damage *damage, const char *path);

#endif
