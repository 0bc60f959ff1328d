/*
 * spool_check_parts.h - reading the values of one database, part by part, in bounded transactions.
 */
#ifndef TRACESPOOL_SPOOL_CHECK_PARTS_H
#define TRACESPOOL_SPOOL_CHECK_PARTS_H

#include "spool_check_internal.h"
#include "spool_record.h"

/* The entry (record or parked entry) that is being read; kept over the ends of transactions. */
struct spool_check_entry {
    uint8_t prefix[SPOOL_KEY_BYTES_MAX];
    uint64_t seq;
    uint32_t seen;  /* parts */
    uint64_t bytes; /* payload bytes in them */
    bool has_head;  /* an intact header was found */
    struct spool_part head;
    char wrong[ERR_TEXT_MAX]; /* the first thing that is; "" */
};

/* What the two databases do differently. */
struct spool_check_parts {
    struct spool_check *check;
    MDB_dbi dbi;
    size_t prefix_len;
    uint32_t magic;
    const char *progress;
    /* An intact part `part`, its payload; may set entry->wrong. */
    void (*part)(struct spool_check_parts *parts, const struct spool_part *part, struct slice payload);
    /* All parts of the entry have been seen. */
    int (*entry_end)(struct spool_check_parts *parts, MDB_txn *txn);

    struct spool_check_entry entry;
    bool in_entry;
    uint64_t next_seq;                     /* as this transaction has it */
    uint64_t done;                         /* entries */
    uint8_t last_key[SPOOL_KEY_BYTES_MAX]; /* where the last transaction stopped */
    uint64_t last_mark;                    /* what stood there */
    bool started;
};

int spool_check_parts_run(struct spool_check_parts *parts);

/* Notes what is wrong with the entry, unless something was noted before. */
void spool_check_parts_wrong(struct spool_check_parts *parts, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
