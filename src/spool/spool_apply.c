/*
 * spool_apply.c - the work of one transaction.
 *
 * The writer's thread.  In this order: deliveries, parking and notes; removal
 * of history that is too old; the puts, each after removing as much of the
 * oldest history as it needs; the look whether a full spool has room again.
 *
 * A put for which there is no room is refused, and that is no failure.  Any
 * other code of LMDB's goes to the caller, who aborts: see spool_commit.c.
 */
#include "spool_apply.h"

#include <assert.h>
#include <errno.h>

#include "clock.h"
#include "fault.h"
#include "spool_append.h"
#include "spool_evict.h"
#include "spool_park.h"
#include "spool_parts.h"
#include "spool_pending.h"
#include "spool_sizing.h"

#define SEQ_BYTES 8

/* --- operations ------------------------------------------------------------ */

/* Reads the head of a pending record; *found false when `seq` is not pending or has no record. */
static int find_pending(struct spool_work *work, struct spool_parts_reader *reader, uint64_t seq,
                        struct spool_part *head, bool *found)
{
    uint8_t prefix[SEQ_BYTES];
    bool damaged;
    int rc;

    *found = false;
    if (seq == 0 || seq >= work->counters.next_seq)
        return 0;
    rc = spool_pending_holds(work->txn, work->spool->pending, seq, found);
    if (rc != 0 || !*found)
        return rc;
    spool_key_put_u64(prefix, seq);
    rc = spool_parts_seek(reader, prefix);
    *found = rc == 0 && spool_parts_seq(reader) == seq;
    if (*found)
        return spool_parts_head(reader, head, &damaged);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* The room that a record gives back: LMDB puts a value of more than half a page on pages of its own. */
static uint64_t room_of(const struct spool_work *work, const struct spool_part *head)
{
    uint64_t page_bytes = work->spool->page_bytes;

    if (head->stored_bytes < page_bytes / 2)
        return head->stored_bytes;
    return (head->stored_bytes + page_bytes - 1) / page_bytes * page_bytes;
}

static int deliver_one(struct spool_work *work, struct spool_parts_reader *reader, uint64_t seq)
{
    struct spool_part head;
    bool found;
    int rc = find_pending(work, reader, seq, &head, &found);

    if (rc != 0 || !found)
        return rc;
    spool_counters_leave_pending(&work->counters, &head);
    work->counters.delivered_records++;
    work->counters.delivered_spans += head.spans;
    work->delivered_bytes += room_of(work, &head);
    work->changed = true;
    return spool_pending_subtract(work->txn, work->spool->pending, (struct spool_range){seq, seq + 1});
}

static int apply_delivered(struct spool_work *work, const struct spool_op *op)
{
    struct spool_parts_reader reader;
    int rc = fault_point("spool.delivered");

    if (rc == 0)
        rc = spool_parts_open(&reader, work->txn, work->spool->records, SEQ_BYTES);
    if (rc != 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < op->seq_count; i++)
        rc = deliver_one(work, &reader, op->seqs[i]);
    spool_parts_close(&reader);
    spool_pace_note(&work->counters.pace, work->counters.pending_spans, clock_wall_ns());
    return rc;
}

static int park(struct spool_work *work, const struct spool_op *op)
{
    work->changed = true;
    return spool_park_put(work->txn, work->spool, op->parked, op->blob, spool_commit_part_pages(work->commit),
                          &work->counters);
}

/* The record stays where it is, as held.  When an operator took it away meanwhile there is nothing to park. */
static int park_whole(struct spool_work *work, const struct spool_op *op)
{
    struct spool_range range = {.first = op->parked->seq, .end = op->parked->seq + 1};
    struct spool_parts_reader reader;
    struct spool_part head;
    bool found;
    int rc = spool_parts_open(&reader, work->txn, work->spool->records, SEQ_BYTES);

    if (rc != 0)
        return rc;
    rc = find_pending(work, &reader, op->parked->seq, &head, &found);
    spool_parts_close(&reader);
    if (rc != 0 || !found)
        return rc;
    spool_counters_leave_pending(&work->counters, &head);
    spool_counters_enter_held(&work->counters, &head);
    if ((rc = spool_pending_subtract(work->txn, work->spool->pending, range)) != 0 ||
        (rc = spool_pending_add(work->txn, work->spool->held, range)) != 0)
        return rc;
    fault_point("spool.hold"); /* held, and not parked yet */
    return park(work, op);
}

static int apply_op(struct spool_work *work, const struct spool_op *op)
{
    int rc;

    switch (op->kind) {
    case SPOOL_OP_DELIVERED:
        return apply_delivered(work, op);
    case SPOOL_OP_PARK:
        rc = fault_point("spool.park");
        if (rc != 0)
            return rc;
        return op->parked->whole ? park_whole(work, op) : park(work, op);
    case SPOOL_OP_NOTE_DELIVERY:
        fault_point("spool.note");
        work->changed = true;
        return spool_state_put_delivery(work->txn, work->spool, op->delivery);
    }
    assert(!"an operation of no kind");
    return EINVAL;
}

/* --- room ------------------------------------------------------------------ */

/* Removes the oldest history until `pages` more would be within the limit.  MDB_NOTFOUND when there is not enough. */
static int make_room(struct spool_work *work, uint64_t pages)
{
    return spool_evict_until(work->txn, work->spool, work->commit->limit_pages, pages, &work->counters, &work->changed);
}

/* The same for a new record, for which the oldest that waits may have to go as well. */
static int make_room_for_put(struct spool_work *work, uint64_t pages)
{
    int rc = make_room(work, pages);

    if (rc != MDB_NOTFOUND || !work->spool->drop_oldest)
        return rc;
    return spool_evict_drop_until(work->txn, work->spool, work->commit->limit_pages, pages, &work->counters,
                                  &work->changed);
}

/* Removes delivered records that are older than history_ns, a bounded number of them. */
static int expire(struct spool_work *work)
{
    uint64_t now_ns = clock_wall_ns(), history_ns = work->spool->history_ns, seq, received_ns;
    int rc;

    if (history_ns >= now_ns)
        return 0;
    for (unsigned i = 0; i < SPOOL_EXPIRE_RECORDS_MAX; i++) {
        rc = spool_evict_find(work->txn, work->spool, &seq, &received_ns);
        if (rc != 0 || received_ns > now_ns - history_ns)
            return rc == MDB_NOTFOUND ? 0 : rc;
        if ((rc = spool_evict_remove(work->txn, work->spool, seq, &work->counters)) != 0)
            return rc;
        work->changed = true;
    }
    work->expired_more = true;
    return 0;
}

/* History was not enough: what deliveries have to make before a look finds `pages`. */
static int note_missing(struct spool_work *work, uint64_t pages)
{
    uint64_t used;
    int rc = spool_space_used(work->txn, work->spool, &used);

    if (rc == 0)
        work->missing_pages = used + pages > work->commit->limit_pages ? used + pages - work->commit->limit_pages : 0;
    return rc;
}

/* A full spool admits again when there is room for a good while, and for what it refused. */
static int look_for_room(struct spool_work *work)
{
    uint64_t pages = work->commit->layout.reopen_pages;
    int rc;

    if (!work->refusing || clock_mono_ns() < work->commit->hold_until_ns)
        return 0;
    if (pages < work->wanted_pages)
        pages = work->wanted_pages;
    /* A file that cannot grow may have no room for a record that its full size has room for. */
    if (pages > work->commit->limit_pages / SPOOL_RECORD_SHARE)
        pages = work->commit->limit_pages / SPOOL_RECORD_SHARE;
    /* Where the oldest may be dropped a put makes its own room. */
    rc = work->spool->drop_oldest ? 0 : make_room(work, pages);
    if (rc != 0)
        return rc == MDB_NOTFOUND ? note_missing(work, pages) : rc;
    work->refusing = false;
    work->wanted_pages = work->missing_pages = 0;
    return 0;
}

/* --- puts ------------------------------------------------------------------ */

static int append(struct spool_work *work, struct spool_put *put, unsigned pages_a_part)
{
    int rc = fault_point("spool.append");

    if (rc == 0)
        rc = spool_append(work->txn, work->spool, put, pages_a_part, &work->counters);
    if (rc != 0)
        return rc;
    work->stored_bytes += put->payload.len;
    work->taken_bytes += spool_sizing_record_bytes(put->payload.len);
    work->changed = true;
    return 0;
}

static int apply_put(struct spool_work *work, struct spool_put *put, unsigned pages_a_part)
{
    uint64_t pages = spool_layout_entry_pages(put->payload.len, pages_a_part, work->spool->page_bytes);
    int rc = make_room_for_put(work, pages);

    put->seq = 0;
    if (rc == MDB_NOTFOUND) {
        work->refusing = true;
        if (work->wanted_pages < pages && pages <= work->commit->layout.record_pages)
            work->wanted_pages = pages;
        return 0;
    }
    work->written_pages += pages;
    return rc == 0 ? append(work, put, pages_a_part) : rc;
}

/* --- all of it ------------------------------------------------------------- */

int spool_apply_plan(struct spool_work *work, const struct spool_plan *plan)
{
    int rc = spool_space_used(work->txn, work->spool, &work->start_pages);

    work->written_pages = SPOOL_TXN_SLACK_PAGES;
    if (plan->group != NULL && plan->with_ops) {
        work->written_pages += plan->group->op_pages;
        for (struct spool_op *op = plan->group->ops; rc == 0 && op != NULL; op = op->next)
            rc = apply_op(work, op);
    }
    if (rc == 0)
        rc = expire(work);
    if (rc == 0 && plan->room_pages > 0 && (rc = make_room(work, plan->room_pages)) == MDB_NOTFOUND)
        rc = 0;
    if (plan->group != NULL && plan->part_pages > 0) {
        for (struct spool_put *put = plan->group->puts; rc == 0 && put != NULL; put = put->next)
            rc = apply_put(work, put, plan->part_pages);
    }
    return rc == 0 ? look_for_room(work) : rc;
}
