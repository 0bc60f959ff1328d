/*
 * spool_queue.c - two lists, and taking a group from them.
 *
 * Operations are taken first: a delivery makes room.  Puts are bounded by the
 * pages that they take and not by their bytes, since it is pages that the
 * headroom is made of (spool_space.c).
 */
#include "spool_queue.h"

void spool_queue_init(struct spool_queue *queue)
{
    *queue = (struct spool_queue){.last_put = &queue->first_put, .last_op = &queue->first_op};
}

bool spool_queue_is_empty(const struct spool_queue *queue)
{
    return queue->first_put == NULL && queue->first_op == NULL;
}

bool spool_queue_takes(const struct spool_queue *queue, size_t payload_bytes)
{
    return queue->put_count < SPOOL_QUEUE_COUNT_MAX &&
           (queue->put_bytes == 0 || queue->put_bytes + payload_bytes <= SPOOL_QUEUE_BYTES_MAX);
}

void spool_queue_add_put(struct spool_queue *queue, struct spool_put *put)
{
    put->next = NULL;
    *queue->last_put = put;
    queue->last_put = &put->next;
    queue->put_bytes += put->payload.len;
    queue->put_count++;
}

void spool_queue_add_op(struct spool_queue *queue, struct spool_op *op)
{
    op->next = NULL;
    *queue->last_op = op;
    queue->last_op = &op->next;
}

static void take_put(struct spool_queue *queue, struct spool_put *put)
{
    queue->first_put = put->next;
    if (put->next == NULL)
        queue->last_put = &queue->first_put;
    put->next = NULL;
    queue->put_bytes -= put->payload.len;
    queue->put_count--;
}

static void take_op(struct spool_queue *queue, struct spool_op *op)
{
    queue->first_op = op->next;
    if (op->next == NULL)
        queue->last_op = &queue->first_op;
    op->next = NULL;
}

static size_t gather_ops(struct spool_queue *queue, const struct spool_commit *commit, struct spool_group *group)
{
    struct spool_op **end = &group->ops, *op;
    size_t count = 0;

    while ((op = queue->first_op) != NULL && count < SPOOL_GROUP_COUNT_MAX - 1) {
        uint64_t pages = op->kind == SPOOL_OP_PARK ? spool_commit_pages(commit, op->blob.len) : 0;

        if (group->ops != NULL && group->op_pages + pages > commit->layout.group_pages)
            break;
        take_op(queue, op);
        *end = op;
        end = &op->next;
        group->op_pages += pages;
        count++;
    }
    return count;
}

void spool_queue_gather(struct spool_queue *queue, const struct spool_commit *commit, struct spool_group *group)
{
    struct spool_put **end, *put;
    size_t count;

    *group = (struct spool_group){.ops = NULL};
    count = gather_ops(queue, commit, group);
    end = &group->puts;
    while ((put = queue->first_put) != NULL && count < SPOOL_GROUP_COUNT_MAX) {
        uint64_t pages = spool_commit_pages(commit, put->payload.len);

        if (group->puts != NULL && group->put_pages + pages > commit->layout.group_pages)
            break;
        take_put(queue, put);
        *end = put;
        end = &put->next;
        group->put_pages += pages;
        count++;
    }
}
