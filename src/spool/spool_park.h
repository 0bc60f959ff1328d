/*
 * spool_park.h - parked entries as they are stored.
 *
 * The entry's parts carry, as their payload, a fixed head of
 * SPOOL_PARK_FIXED_BYTES, the reason's text and then the parked bytes.
 */
#ifndef TRACESPOOL_SPOOL_PARK_H
#define TRACESPOOL_SPOOL_PARK_H

#include "buf.h"
#include "spool_internal.h"
#include "spool_parts.h"
#include "spool_state.h"

#define SPOOL_PARK_FIXED_BYTES 32

/* Everything but seq, spans and received_ns, which the part's header has.  -1: ERR_BUSY out of memory or too large. */
int spool_park_encode(struct buf *out, const struct spool_parked *parked, struct err *err);

/* Stores `blob` (from spool_park_encode) under (seq, index) in place of what is there, in parts of `part_pages`. */
int spool_park_put(MDB_txn *txn, const struct spool *spool, const struct spool_parked *parked, struct slice blob,
                   unsigned part_pages, struct spool_counters *counters);

#define SPOOL_PARK_PREFIX_BYTES 12

void spool_park_encode_prefix(uint8_t prefix[SPOOL_PARK_PREFIX_BYTES], uint64_t seq, uint32_t index);

/*
 * The entry under the cursor of a reader on `parked`, its bytes in the arena;
 * one that is damaged itself says so in its reason and text and has no bytes.
 * ENOBUFS when the arena is full.
 */
int spool_park_read(struct spool_parts_reader *reader, struct arena *arena, struct spool_parked *parked);

int spool_park_exists(MDB_txn *txn, const struct spool *spool, uint64_t seq, uint32_t index, bool *exists);

/* Whether the entry under the cursor stands for a whole record; false when it is damaged. */
bool spool_park_is_whole(const struct spool_parts_reader *reader);

/* Removes the entry, if it is there. */
int spool_park_remove(MDB_txn *txn, const struct spool *spool, uint64_t seq, uint32_t index,
                      struct spool_counters *counters);

/*
 * Fills everything but seq, spans and received_ns from a whole payload, which stays the caller's and must stay where
 * it is.  parked->index is what it must say.  0 and *damaged; ENOBUFS when the arena has no room for the text.
 */
int spool_park_decode(struct spool_parked *parked, struct slice blob, struct arena *arena, bool *damaged);

#endif
