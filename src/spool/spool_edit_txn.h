/*
 * spool_edit_txn.h - one transaction of an operator's command, for spool_edit*.c.
 */
#ifndef TRACESPOOL_SPOOL_EDIT_TXN_H
#define TRACESPOOL_SPOOL_EDIT_TXN_H

#include "spool_edit.h"
#include "spool_parts.h"
#include "spool_space.h"
#include "spool_state.h"

struct spool_edit_txn {
    struct spool *spool;
    MDB_txn *txn;
    struct spool_parts_reader records;
    struct spool_counters counters;
    struct spool_layout layout;
    bool writes;  /* else nothing is changed */
    bool changed; /* to be committed */
};

/*
 * Begins; with `dry_run` a read transaction.  `pages` is what it may write
 * besides the tree, for which the file is allocated.  After 0 it is to be ended.
 */
int spool_edit_begin(struct spool_edit_txn *edit, struct spool *spool, bool dry_run, uint64_t pages, struct err *err);

/* Commits what has changed if `rc` is 0, which is LMDB's code or ours; else aborts.  Returns 0, or -1 and `err`. */
int spool_edit_end(struct spool_edit_txn *edit, int rc, struct err *err);

/* The record's state. */
int spool_edit_state(const struct spool_edit_txn *edit, uint64_t seq, enum spool_record_state *state);

/* Moves a record between states; SPOOL_DELIVERED is neither pending nor held. */
int spool_edit_move(struct spool_edit_txn *edit, const struct spool_part *head, enum spool_record_state from,
                    enum spool_record_state to);

/* Removes the record from where it is, and itself. */
int spool_edit_remove(struct spool_edit_txn *edit, const struct spool_part *head, enum spool_record_state from);

#endif
