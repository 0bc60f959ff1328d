/*
 * otlp_fragment_group.h - which spans of a request belong together.  For this folder.
 */
#ifndef TRACESPOOL_OTLP_FRAGMENT_GROUP_H
#define TRACESPOOL_OTLP_FRAGMENT_GROUP_H

#include "arena.h"
#include "err.h"
#include "otlp_index.h"

/* Group i is spans[ends[i - 1]] up to, not with, spans[ends[i]]; the first starts at 0. */
struct otlp_fragment_groups {
    uint32_t *spans; /* indexes of valid spans, group by group, ascending within a group */
    uint32_t *ends;
    uint32_t count;
};

/*
 * Groups the valid spans by resource and trace, in order of first appearance,
 * without the spans that repeat an earlier one of their group.  Everything
 * lives in `arena`.  -1: ERR_BUSY when the arena is full.
 */
int otlp_fragment_group(struct otlp_fragment_groups *groups, struct arena *arena, const struct otlp_index *index,
                        struct err *err);

/* Whether two scopes say the same. Their place in the request does not count, nor whether an empty one was sent. */
bool otlp_fragment_same_scope(const struct otlp_index *index, uint32_t a, uint32_t b);

#endif
