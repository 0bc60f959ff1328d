/*
 * power_place.c - see the header.  The parent of the judges.
 *
 * The file stays from image to image and is mapped: only the pages that differ
 * from what the last judge left are written.
 */
#include "power_place.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bounds.h"

struct power_place {
    uint64_t size_bytes;
    char path[64];
    char file[96];
    char lock[96];
    int fd;
    uint8_t *map;
};

void power_must(bool condition, const char *what)
{
    if (condition)
        return;
    perror(what);
    abort();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    return ftw->level == 0 ? 0 : remove(path);
}

static void let_go(struct power_place *place)
{
    if (place->fd == -1)
        return;
    munmap(place->map, place->size_bytes);
    close(place->fd);
    place->fd = -1;
    power_must(nftw(place->path, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0, place->path);
}

void power_place_renew(struct power_place *place)
{
    let_go(place);
    place->fd = open(place->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    power_must(place->fd != -1, place->file);
    place->map = mmap(NULL, place->size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, place->fd, 0);
    power_must(place->map != MAP_FAILED, place->file);
}

struct power_place *power_place_new(uint64_t size_bytes)
{
    struct power_place *place = calloc(1, sizeof(*place));

    power_must(place != NULL, "place");
    place->size_bytes = size_bytes;
    place->fd = -1;
    snprintf(place->path, sizeof(place->path), "/tmp/tracespool-power-XXXXXX");
    power_must(mkdtemp(place->path) != NULL, place->path);
    snprintf(place->file, sizeof(place->file), "%s/data.mdb", place->path);
    snprintf(place->lock, sizeof(place->lock), "%s/lock.mdb", place->path);
    power_place_renew(place);
    return place;
}

void power_place_free(struct power_place *place)
{
    if (place == NULL)
        return;
    let_go(place);
    remove(place->path);
    free(place);
}

void power_place_lay(struct power_place *place, const struct power_image *image)
{
    power_must(ftruncate(place->fd, (off_t)image->length) == 0, place->file);
    for (uint64_t at = 0; at < image->length; at += SPOOL_PAGE_BYTES) {
        size_t bytes = image->length - at < SPOOL_PAGE_BYTES ? image->length - at : SPOOL_PAGE_BYTES;

        if (memcmp(place->map + at, image->bytes + at, bytes) != 0)
            memcpy(place->map + at, image->bytes + at, bytes);
    }
    unlink(place->lock);
    if (!image->exists)
        power_must(unlink(place->file) == 0, place->file);
}

const char *power_place_path(const struct power_place *place)
{
    return place->path;
}

const char *power_place_file(const struct power_place *place)
{
    return place->file;
}

void power_place_keep(const struct power_image *image, uint64_t seed, size_t number, char *path, size_t size)
{
    FILE *file;

    snprintf(path, size, "/tmp/tracespool-power-%llu-%zu.mdb", (unsigned long long)seed, number);
    file = fopen(path, "wb");
    power_must(file != NULL && fwrite(image->bytes, 1, image->length, file) == image->length && fclose(file) == 0,
               path);
}
