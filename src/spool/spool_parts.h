/*
 * spool_parts.h - an entry of several values under one key prefix, in `records` and in `parked`.
 *
 * Inside the caller's transaction.
 */
#ifndef TRACESPOOL_SPOOL_PARTS_H
#define TRACESPOOL_SPOOL_PARTS_H

#include "spool_internal.h"
#include "spool_record.h"

/* --- writing ------------------------------------------------------------ */

struct spool_parts_entry {
    MDB_dbi dbi;
    uint8_t prefix[SPOOL_KEY_BYTES_MAX]; /* the key without its part */
    size_t prefix_len;
    struct spool_part head; /* index, count, bytes and checksum are filled in for each part */
    struct slice payload;
    unsigned part_pages;      /* a part takes at most so many */
    const uint64_t *checksum; /* of the whole payload, when the caller has it; spares a pass if there is one part */
    unsigned flags;           /* MDB_APPEND or 0 */
};

int spool_parts_put(MDB_txn *txn, const struct spool_parts_entry *entry);

/*
 * 0 and *removed, which is 0 when there was no such entry.  MDB_CORRUPTED when
 * the head of a page of it has gone bad: nothing is removed then, and the
 * transaction can go on; the entry can be read but never removed.
 */
int spool_parts_delete(MDB_txn *txn, MDB_dbi dbi, const uint8_t *prefix, size_t prefix_len, unsigned *removed);

/* --- reading ------------------------------------------------------------ */

struct spool_parts_reader {
    MDB_cursor *cursor;
    size_t prefix_len;
    uint32_t magic;
    uint8_t prefix[SPOOL_KEY_BYTES_MAX]; /* of the entry it stands on */
    MDB_val key;
    MDB_val value;
};

/* prefix_len 8: records, 12: parked.  Close after 0. */
int spool_parts_open(struct spool_parts_reader *reader, MDB_txn *txn, MDB_dbi dbi, size_t prefix_len);
void spool_parts_close(struct spool_parts_reader *reader);

/* Stands on the first entry whose key is `prefix` or after it; MDB_NOTFOUND when there is none. */
int spool_parts_seek(struct spool_parts_reader *reader, const uint8_t *prefix);
int spool_parts_last(struct spool_parts_reader *reader);

/* Stands on the first part of the last entry whose key is before `prefix`; MDB_NOTFOUND when there is none. */
int spool_parts_before(struct spool_parts_reader *reader, const uint8_t *prefix);

uint64_t spool_parts_seq(const struct spool_parts_reader *reader);

/*
 * The numbers of the whole, from the first part, or when that is damaged from
 * another.  *damaged tells that the first part was; *head is then zero but for
 * its seq when no part is intact.
 */
int spool_parts_head(struct spool_parts_reader *reader, struct spool_part *head, bool *damaged);

/* Copies the payload, head->stored_bytes, to `out` and verifies every part of it. */
int spool_parts_copy(struct spool_parts_reader *reader, const struct spool_part *head, uint8_t *out, bool *damaged);

#endif
