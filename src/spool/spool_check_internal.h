/*
 * spool_check_internal.h - what the parts of a check share.
 */
#ifndef TRACESPOOL_SPOOL_CHECK_INTERNAL_H
#define TRACESPOOL_SPOOL_CHECK_INTERNAL_H

#include "spool_check.h"
#include "spool_internal.h"

struct spool_check {
    const struct spool_check_to *to;
    struct spool_check_report *report;
    const char *path;
    struct spool *spool; /* once the structure is known to be sound */
    uint8_t *value;      /* one part, as it is on disk */

    /* counted, to be compared with `state` */
    uint64_t pending_spans;
    uint64_t pending_bytes;
    uint64_t held_spans;
    uint64_t expected_records; /* for progress */
    bool headless;             /* a record has no intact header: its spans and bytes are not known */
};

void spool_check_find(struct spool_check *check, enum spool_check_kind kind, uint64_t seq, bool known,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Each in read transactions of its own.  LMDB's code. */
int spool_check_records(struct spool_check *check);
int spool_check_parked(struct spool_check *check);
int spool_check_sets(struct spool_check *check);

#endif
