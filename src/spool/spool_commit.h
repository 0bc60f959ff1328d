/*
 * spool_commit.h - applying a group of operations in one transaction.  The writer's thread.
 */
#ifndef TRACESPOOL_SPOOL_COMMIT_H
#define TRACESPOOL_SPOOL_COMMIT_H

#include <pthread.h>

#include "buf.h"
#include "spool_drain.h"
#include "spool_internal.h"
#include "spool_space.h"
#include "spool_state.h"
#include "spool_writer.h"

enum spool_op_kind { SPOOL_OP_DELIVERED, SPOOL_OP_PARK, SPOOL_OP_NOTE_DELIVERY };

/* A blocking operation: it lives on its caller's stack, who waits for `told`. */
struct spool_op {
    enum spool_op_kind kind;
    const uint64_t *seqs;
    size_t seq_count;
    const struct spool_parked *parked;
    struct slice blob; /* from spool_park_encode */
    const struct spool_delivery *delivery;
    struct spool_op *next;

    /* under the writer's lock */
    pthread_cond_t cond;
    bool told;
    bool failed;
    struct err failure;
};

/* What is committed together.  A put that was refused has seq 0 afterwards. */
struct spool_group {
    struct spool_op *ops;
    struct spool_put *puts;
    uint64_t put_pages; /* not less than the puts take */
    uint64_t op_pages;
    bool ops_done; /* durable */
};

struct spool_commit {
    struct spool *spool;
    struct spool_layout layout;
    struct spool_counters counters; /* as committed */
    uint64_t capacity_pages;        /* what may be filled: the size, or the file while the disk is full */
    uint64_t limit_pages;           /* records are admitted while so many are used: capacity less headroom */
    struct err disk;                /* why the file cannot grow; ERR_NONE while it can */
    uint64_t high_pages;            /* that the next transaction cannot use: see spool_space.c */
    uint64_t wanted_pages;          /* the largest record refused since the spool was full */
    uint64_t missing_pages;         /* that have to be delivered before a full spool admits again */
    uint64_t hold_until_ns;         /* no room before this, monotonic */
    struct spool_drain drain;       /* how fast that goes */
    bool refusing;
    uint64_t looked_ns;      /* when `refusing` was last looked at, monotonic */
    uint64_t dropped_before; /* dropped records when the present dropping began */
    uint64_t dropped_ns;     /* when something was dropped last, monotonic */
    bool dropping;
    bool expired_more; /* there is more history to remove at once */
    bool started;      /* changes of `refusing` are logged */
};

/* Reads what is on disk, takes the clean-stop mark off.  -1: ERR_FATAL, ERR_BUSY. */
int spool_commit_init(struct spool_commit *commit, struct spool *spool, struct err *err);

/*
 * Commits the group.  0: what is durable is told by ops_done and each put's
 * seq; *refusal says why the rest was not done, and nothing of that is on disk.
 * -1: ERR_FATAL, durability is in doubt.
 */
int spool_commit_group(struct spool_commit *commit, struct spool_group *group, struct err *refusal, struct err *err);

/* Removes history that is too old, looks whether a full spool has room again.  -1: ERR_FATAL. */
int spool_commit_tick(struct spool_commit *commit, struct err *err);

/* How long a sender that is refused now should stay away: see spool_writer_retry_ms. */
uint64_t spool_commit_retry_ms(const struct spool_commit *commit);

/* Marks a clean stop.  -1: ERR_FATAL; no room for the mark is not an error. */
int spool_commit_clean(struct spool_commit *commit, struct err *err);

/* How large a part may be at first: one page while the file cannot grow, as LMDB has such pages without growing it. */
unsigned spool_commit_part_pages(const struct spool_commit *commit);

/* Pages that a put takes, as groups are bounded by. */
uint64_t spool_commit_pages(const struct spool_commit *commit, uint64_t payload_bytes);

#endif
