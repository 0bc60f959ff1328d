/*
 * sink_keys.h - the names under which attributes are stored.  Pure.
 *
 * Top level (the attributes of a resource, scope, span, event or link): `.`
 * becomes `_`, so that MongoDB can query and index the key.  A reader turns
 * every `_` back into `.`; where that would not give the original, the pair
 * (stored, original) belongs into the document `names`.
 *
 * Nested (keys of a map inside a value): as they came, except that `%` is
 * written `%25`, NUL `%00`, a leading `$` `%24`, an empty key `%`, and the
 * n-th occurrence of the same key gets `%#n` appended.
 *
 * docs/mongodb.md has both rules from the reader's side.
 */
#ifndef TRACESPOOL_SINK_KEYS_H
#define TRACESPOOL_SINK_KEYS_H

#include <stdbool.h>

#include "arena.h"
#include "slice.h"

struct sink_keys_slot;

/* The keys that one document has so far. */
struct sink_keys {
    struct arena *arena;
    struct sink_keys_slot *slots;
    size_t mask;
    size_t room; /* keys that may still be added */
};

/* For at most `count` keys.  0, or -1 when the arena is full.  Nothing to free. */
int sink_keys_init(struct sink_keys *keys, struct arena *arena, size_t count);

/*
 * The free name for `original` (well-formed UTF-8), which is taken from then
 * on.  `*stored` lives as long as the arena and `original` do, holds no NUL
 * and is not empty.  *named: the reader's rule does not give `original`.
 * 0, or -1 when the arena is full.
 */
int sink_keys_top(struct sink_keys *keys, struct slice original, struct slice *stored, bool *named);
int sink_keys_nested(struct sink_keys *keys, struct slice original, struct slice *stored);

#endif
