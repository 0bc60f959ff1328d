/*
 * spool_salvage_index.h - where the parts are that a search has found: sorted, each once, in bounded memory.
 *
 * Not thread-safe.  When more parts are found than fit, those of the higher
 * seqs are let go and `end` comes down: they are for a further pass.
 */
#ifndef TRACESPOOL_SPOOL_SALVAGE_INDEX_H
#define TRACESPOOL_SPOOL_SALVAGE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct spool_salvage_part {
    uint64_t seq;
    uint64_t base;     /* hash of all that the parts of one record have in common, but their number */
    uint64_t checksum; /* of the payload, as the header says */
    uint64_t offset;   /* in the file, of the header */
    uint32_t count;    /* of parts: a record that was tried again in smaller ones has another */
    uint32_t index;
    uint32_t bytes;
    bool parked;
    bool damaged; /* the payload is not what its checksum says */
};

struct spool_salvage_index {
    struct spool_salvage_part *parts;
    size_t count;
    size_t capacity;
    size_t max;
    uint64_t begin; /* parts of the seqs begin .. end - 1 are taken */
    uint64_t end;
};

/* Takes no memory yet. */
void spool_salvage_index_init(struct spool_salvage_index *index, size_t max);
void spool_salvage_index_fini(struct spool_salvage_index *index);

/* Forgets all parts, for a pass over the seqs from `begin` on. */
void spool_salvage_index_begin(struct spool_salvage_index *index, uint64_t begin);

/* -1: ERR_BUSY, no memory, or one seq alone has more parts than fit. */
int spool_salvage_index_add(struct spool_salvage_index *index, const struct spool_salvage_part *part, struct err *err);

/*
 * Sorts: by seq, records before parked entries, then by base, count, index and
 * checksum; of copies one is kept, an intact one if there is.
 */
void spool_salvage_index_sort(struct spool_salvage_index *index);

/* Whether two parts are of one record or parked entry, and whether also of one division of it. */
bool spool_salvage_same_entry(const struct spool_salvage_part *a, const struct spool_salvage_part *b);
bool spool_salvage_same_division(const struct spool_salvage_part *a, const struct spool_salvage_part *b);

#endif
