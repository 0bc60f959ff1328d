/*
 * otlp_walk.h - the bounded walk that stands before every decode.  For this folder.
 */
#ifndef TRACESPOOL_OTLP_WALK_H
#define TRACESPOOL_OTLP_WALK_H

#include "err.h"
#include "otlp_schema.h"
#include "otlp_validity.h"
#include "slice.h"

struct otlp_walk_totals {
    uint32_t counts[OTLP_SCHEMA_KINDS]; /* messages of each kind */
    uint32_t depth;                     /* AnyValues within one another, at most */
    uint32_t by_validity[OTLP_VALIDITY_COUNT];
    uint64_t decoded_bytes; /* what decoding the request takes of an arena, or more: arena.used_bytes */
};

/*
 * 0 when every message in `request` decodes (otlp_decode.h), within the bounds
 * that otlp_index.h names.
 * -1: ERR_POISON, code EBADMSG when it is malformed, ERANGE past a bound.
 * Pure, any thread, no allocation.
 */
int otlp_walk(struct otlp_walk_totals *totals, struct slice request, struct err *err);

#endif
