/*
 * spool_edit_txn.c - begin, change, commit: an operator's transaction.
 *
 * One thread of a process that is not the daemon.  LMDB's write lock keeps it
 * and the daemon's writer apart, and is given back by the kernel when the
 * process is killed; nothing of a transaction that did not commit is seen.
 * Each commit moves `generation`, by which the daemon notices.
 *
 * A full disk shows before anything is written, as for the daemon.
 */
#include "spool_edit_txn.h"

#include "fault.h"
#include "spool_evict.h"
#include "spool_pending.h"

#define SEQ_BYTES 8

static int begin(struct spool_edit_txn *edit)
{
    int rc = fault_point("spool.edit.begin");

    if (rc == 0)
        rc = mdb_txn_begin(edit->spool->env, NULL, edit->writes ? 0 : MDB_RDONLY, &edit->txn);
    if (rc != 0)
        return rc;
    rc = spool_state_get_counters(edit->txn, edit->spool, &edit->counters);
    /* The daemon was started with another size since: our map would reach where its own does not. */
    if (rc == 0 && edit->writes && edit->counters.size_bytes != edit->spool->size_bytes)
        rc = MDB_MAP_RESIZED;
    if (rc == 0 && (rc = spool_parts_open(&edit->records, edit->txn, edit->spool->records, SEQ_BYTES)) == 0)
        return 0;
    mdb_txn_abort(edit->txn);
    return rc;
}

int spool_edit_begin(struct spool_edit_txn *edit, struct spool *spool, bool dry_run, uint64_t pages, struct err *err)
{
    int rc;

    *edit = (struct spool_edit_txn){
        .spool = spool,
        .layout = spool_layout_of(spool->size_bytes, spool->page_bytes),
        .writes = !dry_run,
    };
    if (!dry_run && spool_space_grow(spool, spool_space_touched(spool) + pages + SPOOL_EDIT_SLACK_PAGES, err) == -1)
        return -1;
    rc = begin(edit);
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot begin a transaction in spool %s", spool->path);
}

static int commit(struct spool_edit_txn *edit)
{
    int rc;

    edit->counters.generation++;
    if ((rc = spool_state_put_counters(edit->txn, edit->spool, &edit->counters)) != 0 ||
        (rc = fault_point("spool.edit")) != 0) {
        mdb_txn_abort(edit->txn);
        return rc;
    }
    rc = mdb_txn_commit(edit->txn);
    if (rc == 0)
        fault_point("spool.edited");
    return rc;
}

int spool_edit_end(struct spool_edit_txn *edit, int rc, struct err *err)
{
    spool_parts_close(&edit->records);
    if (rc == 0 && edit->changed)
        rc = commit(edit);
    else
        mdb_txn_abort(edit->txn);
    if (rc == MDB_MAP_FULL)
        return err_set(err, ERR_BUSY, rc, "spool %s is full: delivery and `tracespool rm` make room",
                       edit->spool->path);
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot change spool %s", edit->spool->path);
}

int spool_edit_state(const struct spool_edit_txn *edit, uint64_t seq, enum spool_record_state *state)
{
    return spool_pending_state(edit->txn, edit->spool, seq, state);
}

static MDB_dbi set_of(const struct spool_edit_txn *edit, enum spool_record_state state)
{
    return state == SPOOL_PENDING ? edit->spool->pending : edit->spool->held;
}

static int leave(struct spool_edit_txn *edit, const struct spool_part *head, enum spool_record_state from)
{
    struct spool_range range = {.first = head->seq, .end = head->seq + 1};

    if (from == SPOOL_DELIVERED)
        return 0;
    if (from == SPOOL_PENDING)
        spool_counters_leave_pending(&edit->counters, head);
    else
        spool_counters_leave_held(&edit->counters, head);
    return spool_pending_subtract(edit->txn, set_of(edit, from), range);
}

static int enter(struct spool_edit_txn *edit, const struct spool_part *head, enum spool_record_state to)
{
    struct spool_range range = {.first = head->seq, .end = head->seq + 1};

    if (to == SPOOL_DELIVERED)
        return 0;
    if (to == SPOOL_PENDING)
        spool_counters_enter_pending(&edit->counters, head);
    else
        spool_counters_enter_held(&edit->counters, head);
    return spool_pending_add(edit->txn, set_of(edit, to), range);
}

int spool_edit_move(struct spool_edit_txn *edit, const struct spool_part *head, enum spool_record_state from,
                    enum spool_record_state to)
{
    int rc = leave(edit, head, from);

    edit->changed = true;
    return rc == 0 ? enter(edit, head, to) : rc;
}

int spool_edit_remove(struct spool_edit_txn *edit, const struct spool_part *head, enum spool_record_state from)
{
    int rc = leave(edit, head, from);

    edit->changed = true;
    if (rc == 0)
        rc = spool_evict_record(edit->txn, edit->spool, head->seq, &edit->counters);
    if (rc == 0)
        edit->counters.removed_records++;
    return rc;
}
