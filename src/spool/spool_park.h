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
#include "spool_state.h"

#define SPOOL_PARK_FIXED_BYTES 32

/* Everything but seq, spans and received_ns, which the part's header has.  -1: ERR_BUSY out of memory or too large. */
int spool_park_encode(struct buf *out, const struct spool_parked *parked, struct err *err);

/* Stores `blob` (from spool_park_encode) under (seq, index) in place of what is there, in parts of `part_pages`. */
int spool_park_put(MDB_txn *txn, const struct spool *spool, const struct spool_parked *parked, struct slice blob,
                   unsigned part_pages, struct spool_counters *counters);

#endif
