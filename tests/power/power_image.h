/*
 * power_image.h - the file as a power loss may leave it.
 *
 * An image is everything that was synced when the power went, and of what was
 * written and not synced any part: each sector of 512 bytes is there or not,
 * each change of the length as well.  What is under way through a descriptor
 * that was opened O_DSYNC is not synced until it has returned, and then is by
 * itself, whatever was written before it.
 */
#ifndef TRACESPOOL_POWER_IMAGE_H
#define TRACESPOOL_POWER_IMAGE_H

#include "power_log.h"
#include "power_model.h"

/* Syncs that are taken for not made, to see that the judge finds out. */
enum power_defect { POWER_NO_DEFECT, POWER_WITHOUT_DATA_SYNC, POWER_WITHOUT_META_SYNC };

struct power_image {
    uint8_t *bytes; /* `size_bytes` of the spool */
    uint64_t length;
    bool exists;
    char text[96]; /* what it is, for messages */
};

struct power_builder;

struct power_builder *power_builder_new(struct power_log *log, uint64_t size_bytes, enum power_defect defect);
void power_builder_free(struct power_builder *builder);

/*
 * The power goes after the first `cut` entries; cuts only go forward.  The
 * image and the model are the builder's, until the next call.
 */
const struct power_image *power_builder_cut(struct power_builder *builder, size_t cut, uint64_t *random);
const struct power_model *power_builder_model(const struct power_builder *builder);

/* How much was written and is not synced. */
size_t power_builder_unsynced(const struct power_builder *builder);

#endif
