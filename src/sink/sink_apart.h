/*
 * sink_apart.h - which fragments were taken apart, noted in MongoDB, so that
 * none of them is stored whole beside its spans.
 */
#ifndef TRACESPOOL_SINK_APART_H
#define TRACESPOOL_SINK_APART_H

#include "sink_mongo_internal.h"

/*
 * Before a share is inserted: those of its fragments that were taken apart
 * before are marked as such, and refused.  -1: ERR_RETRY, ERR_OVERLOAD,
 * ERR_CONFIG.  Blocks.
 */
int sink_apart_mark(struct sink_session *session, const struct sink_share *share, struct err *err);

/*
 * When every fragment of a share has its verdict: one that was refused and is
 * there already is stored before; the others of several spans are noted, before
 * anybody is told that they are to be taken apart.  -1 as above.  Blocks.
 */
int sink_apart_note(struct sink_session *session, const struct sink_share *share, struct err *err);

/* Drops the notes of a day; 0 also when there are none.  -1: ERR_RETRY, ERR_CONFIG.  Blocks. */
int sink_apart_drop(const struct sink_link *link, uint32_t day, struct err *err);

#endif
