/*
 * sink_restore_internal.h - what the files that restore documents share.
 */
#ifndef TRACESPOOL_SINK_RESTORE_INTERNAL_H
#define TRACESPOOL_SINK_RESTORE_INTERNAL_H

#include <bson/bson.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "slice.h"

struct sink_restore {
    struct buf *out;
    struct buf key;              /* a key being turned back */
    const bson_iter_t *trace_id; /* the document's: its spans do not repeat it */
    unsigned depth;              /* AnyValues that are open */
    const char *wrong_member;    /* after a failure; points into the document */
    const char *wrong;           /* what it is */
};

/*
 * A member of a document as a field of a message.  `put` appends field
 * `number` from the member `at` of `holder`, or nothing for what protobuf
 * leaves out.  -1 when the member is not what it has to be.
 */
struct sink_restore_member {
    const char *key;
    uint32_t number;
    int (*put)(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder);
};

/* All members of `holder`, a document, by a table in the order of the field numbers, which ends with a NULL key. */
int sink_restore_members(struct sink_restore *restore, const bson_iter_t *holder,
                         const struct sink_restore_member *members);

/* A message of these members; is_optional: none when it would be empty. */
int sink_restore_message(struct sink_restore *restore, uint32_t number, const bson_iter_t *holder,
                         const struct sink_restore_member *members, bool is_optional);

/* The same for each document of an array. */
int sink_restore_messages(struct sink_restore *restore, uint32_t number, const bson_iter_t *array,
                          const struct sink_restore_member *members);

/* Remembers what is wrong; -1. */
int sink_restore_wrong(struct sink_restore *restore, const bson_iter_t *at, const char *what);

/* The member of a document that is called `key`. */
bool sink_restore_find(bson_iter_t *found, const bson_iter_t *holder, const char *key);

/* --- the kinds of members -------------------------------------------------- */

int sink_restore_text(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder);
int sink_restore_hex(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder);
int sink_restore_enum(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder);
int sink_restore_count(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder);
int sink_restore_flags(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder);
int sink_restore_time(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder);
int sink_restore_texts(struct sink_restore *restore, uint32_t number, const bson_iter_t *at, const bson_iter_t *holder);

/* A count as sink_out_count writes it: 32-bit where it fits, else 64-bit. */
bool sink_restore_read_count(const bson_iter_t *at, uint32_t *count);

/* `attributes` with the `names` of their holder: sink_restore_value.c. */
int sink_restore_attributes(struct sink_restore *restore, uint32_t number, const bson_iter_t *at,
                            const bson_iter_t *holder);

/* --- sink_restore_span.c ---------------------------------------------------- */

int sink_restore_span(struct sink_restore *restore, uint32_t number, const bson_iter_t *span);

extern const struct sink_restore_member sink_restore_resource[];
extern const struct sink_restore_member sink_restore_scope[];

#endif
