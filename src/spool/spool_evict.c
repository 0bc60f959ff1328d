/*
 * spool_evict.c - finding and removing history.
 *
 * The writer's thread, in its transaction.  Pending and held records are stepped
 * over a range at a time, so a search costs as many steps as there are ranges.
 */
#include "spool_evict.h"

#include <assert.h>

#include "fault.h"
#include "log.h"
#include "spool_parts.h"
#include "spool_pending.h"
#include "spool_space.h"

#define SEQ_BYTES 8

/* The end of the range of pending or held records that `seq` is in, or 0 when it is in none. */
static int end_of_kept(MDB_txn *txn, const struct spool *spool, uint64_t seq, uint64_t *end)
{
    const MDB_dbi sets[] = {spool->pending, spool->held};
    struct spool_range range;
    int rc;

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        rc = spool_pending_find_before(txn, sets[i], seq, &range);
        if (rc != 0 && rc != MDB_NOTFOUND)
            return rc;
        if (rc == 0 && seq < range.end) {
            *end = range.end;
            return 0;
        }
    }
    *end = 0;
    return 0;
}

int spool_evict_find(MDB_txn *txn, const struct spool *spool, uint64_t *seq, uint64_t *received_ns)
{
    struct spool_parts_reader reader;
    struct spool_part head;
    uint8_t prefix[SEQ_BYTES];
    uint64_t end = 1;
    bool damaged;
    int rc = spool_parts_open(&reader, txn, spool->records, SEQ_BYTES);

    if (rc != 0)
        return rc;
    do {
        *seq = end;
        if (end == SPOOL_SEQ_OPEN) {
            rc = MDB_NOTFOUND;
            break;
        }
        spool_key_put_u64(prefix, *seq);
        if ((rc = spool_parts_seek(&reader, prefix)) != 0)
            break;
        *seq = spool_parts_seq(&reader);
        rc = end_of_kept(txn, spool, *seq, &end);
    } while (rc == 0 && end != 0);
    if (rc == 0 && (rc = spool_parts_head(&reader, &head, &damaged)) == 0)
        *received_ns = head.received_ns;
    spool_parts_close(&reader);
    return rc;
}

int spool_evict_record(MDB_txn *txn, const struct spool *spool, uint64_t seq, struct spool_counters *counters)
{
    uint8_t prefix[SEQ_BYTES];
    unsigned removed;
    int rc;

    spool_key_put_u64(prefix, seq);
    rc = spool_parts_delete(txn, spool->records, prefix, SEQ_BYTES, &removed);
    if (rc != 0)
        return rc;
    assert(removed > 0);
    if (counters->kept_records > 0)
        counters->kept_records--;
    return 0;
}

/*
 * A record that cannot be removed (spool_parts_delete) is held, so that it is
 * stepped over from now on: to stop here would mean to stop here again after
 * every start.
 */
static int hold_instead(MDB_txn *txn, const struct spool *spool, uint64_t seq, struct spool_counters *counters)
{
    struct spool_part head = {.spans = 0};
    int rc = spool_pending_add(txn, spool->held, (struct spool_range){seq, seq + 1});

    if (rc != 0)
        return rc;
    spool_counters_enter_held(counters, &head);
    log_error("spool.cannot_remove",
              "%s: record %llu is damaged where its pages are listed: it is held, and its room is lost until the spool "
              "is made anew",
              spool->path, (unsigned long long)seq);
    return 0;
}

int spool_evict_remove(MDB_txn *txn, const struct spool *spool, uint64_t seq, struct spool_counters *counters)
{
    int rc = fault_point("spool.evict");

    if (rc == 0)
        rc = spool_evict_record(txn, spool, seq, counters);
    if (rc == 0)
        counters->evicted_records++;
    return rc == MDB_CORRUPTED ? hold_instead(txn, spool, seq, counters) : rc;
}

/* --- room ------------------------------------------------------------------ */

/* Removes one record.  MDB_NOTFOUND when there is none that may go. */
typedef int remove_oldest(MDB_txn *txn, const struct spool *spool, struct spool_counters *counters);

static int remove_until(MDB_txn *txn, const struct spool *spool, uint64_t limit_pages, uint64_t pages,
                        remove_oldest *remove, unsigned most, struct spool_counters *counters, bool *changed)
{
    uint64_t used;
    int rc;

    for (unsigned i = 0; i < most; i++) {
        if ((rc = spool_space_used(txn, spool, &used)) != 0)
            return rc;
        if (used + pages <= limit_pages)
            return 0;
        if ((rc = remove(txn, spool, counters)) != 0)
            return rc;
        *changed = true;
    }
    return MDB_NOTFOUND;
}

static int remove_history(MDB_txn *txn, const struct spool *spool, struct spool_counters *counters)
{
    uint64_t seq, received_ns;
    int rc = spool_evict_find(txn, spool, &seq, &received_ns);

    return rc == 0 ? spool_evict_remove(txn, spool, seq, counters) : rc;
}

int spool_evict_until(MDB_txn *txn, const struct spool *spool, uint64_t limit_pages, uint64_t pages,
                      struct spool_counters *counters, bool *changed)
{
    return remove_until(txn, spool, limit_pages, pages, remove_history, SPOOL_EVICT_RECORDS_MAX, counters, changed);
}

/* --- dropping -------------------------------------------------------------- */

/* The oldest pending record's head. */
static int find_oldest_pending(MDB_txn *txn, const struct spool *spool, struct spool_part *head)
{
    struct spool_parts_reader reader;
    struct spool_range range;
    uint8_t prefix[SEQ_BYTES];
    bool damaged;
    int rc = spool_pending_find(txn, spool->pending, 1, &range);

    if (rc != 0 || (rc = spool_parts_open(&reader, txn, spool->records, SEQ_BYTES)) != 0)
        return rc;
    spool_key_put_u64(prefix, range.first);
    if ((rc = spool_parts_seek(&reader, prefix)) == 0)
        rc = spool_parts_head(&reader, head, &damaged);
    spool_parts_close(&reader);
    return rc;
}

static int drop_oldest(MDB_txn *txn, const struct spool *spool, struct spool_counters *counters)
{
    struct spool_part head;
    int rc = find_oldest_pending(txn, spool, &head);

    if (rc == 0)
        rc = fault_point("spool.drop");
    if (rc != 0)
        return rc;
    spool_counters_leave_pending(counters, &head);
    counters->dropped_records++;
    counters->dropped_spans += head.spans;
    rc = spool_pending_subtract(txn, spool->pending, (struct spool_range){head.seq, head.seq + 1});
    if (rc == 0)
        rc = spool_evict_record(txn, spool, head.seq, counters);
    return rc == MDB_CORRUPTED ? hold_instead(txn, spool, head.seq, counters) : rc;
}

int spool_evict_drop_until(MDB_txn *txn, const struct spool *spool, uint64_t limit_pages, uint64_t pages,
                           struct spool_counters *counters, bool *changed)
{
    return remove_until(txn, spool, limit_pages, pages, drop_oldest, SPOOL_DROP_RECORDS_MAX, counters, changed);
}
