/*
 * spool_queue.h - what waits for the writer, in the order in which it came.
 *
 * Not thread-safe: the writer's lock is around every call.
 */
#ifndef TRACESPOOL_SPOOL_QUEUE_H
#define TRACESPOOL_SPOOL_QUEUE_H

#include "spool_commit.h"

struct spool_queue {
    struct spool_put *first_put, **last_put;
    struct spool_op *first_op, **last_op;
    size_t put_bytes;
    size_t put_count;
};

void spool_queue_init(struct spool_queue *queue);
bool spool_queue_is_empty(const struct spool_queue *queue);

/* Whether a put of so many bytes is within the bounds; one of any size is when no bytes wait. */
bool spool_queue_takes(const struct spool_queue *queue, size_t payload_bytes);

void spool_queue_add_put(struct spool_queue *queue, struct spool_put *put);

/* Not bounded here: an operation's caller waits for it, so there are no more than threads. */
void spool_queue_add_op(struct spool_queue *queue, struct spool_op *op);

/* Moves the next group out: at least one of each kind that waits, and no more than a group's bounds. */
void spool_queue_gather(struct spool_queue *queue, const struct spool_commit *commit, struct spool_group *group);

#endif
