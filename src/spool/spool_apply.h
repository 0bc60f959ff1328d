/*
 * spool_apply.h - what is done inside one transaction.  The writer's thread.
 */
#ifndef TRACESPOOL_SPOOL_APPLY_H
#define TRACESPOOL_SPOOL_APPLY_H

#include "spool_commit.h"

/* One transaction's work; adopted by the struct spool_commit when it is durable. */
struct spool_work {
    struct spool_commit *commit;
    struct spool *spool;
    MDB_txn *txn;
    struct spool_counters counters;
    uint64_t start_pages;
    uint64_t written_pages;
    uint64_t wanted_pages;
    uint64_t missing_pages;
    uint64_t stored_bytes;    /* of new records */
    uint64_t taken_bytes;     /* the same, as they lie in the file */
    uint64_t delivered_bytes; /* room that deliveries of this transaction give back */
    bool refusing;
    bool expired_more;
    bool changed;
};

/* What a transaction is to do. */
struct spool_plan {
    struct spool_group *group; /* NULL: nothing but the house */
    bool with_ops;
    unsigned part_pages; /* 0: without the puts */
    uint64_t room_pages; /* to free if history allows, for what comes next */
    bool always;         /* commit even if nothing changed, so that freed pages age */
    bool clean;          /* the last transaction */
};

/* Does all of the plan in work->txn.  0, or LMDB's code: the transaction is to be aborted. */
int spool_apply_plan(struct spool_work *work, const struct spool_plan *plan);

#endif
