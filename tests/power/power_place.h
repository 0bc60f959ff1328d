/*
 * power_place.h - the directory in which images are laid down, one after the other.
 */
#ifndef TRACESPOOL_POWER_PLACE_H
#define TRACESPOOL_POWER_PLACE_H

#include "power_image.h"

struct power_place;

/* These die when the disk or memory is short. */
struct power_place *power_place_new(uint64_t size_bytes); /* of the largest image */
void power_place_free(struct power_place *place);

/* As after a reboot: the file, and no lock file. */
void power_place_lay(struct power_place *place, const struct power_image *image);

/* Removes what is there; to be called when data.mdb may not be the file any more that was laid down. */
void power_place_renew(struct power_place *place);

const char *power_place_path(const struct power_place *place); /* the directory */
const char *power_place_file(const struct power_place *place); /* its data.mdb */

/* Saves the image for a look at it; `path` is where. */
void power_place_keep(const struct power_image *image, uint64_t seed, size_t number, char *path, size_t size);

/* Says errno and dies. */
void power_must(bool condition, const char *what);

#endif
