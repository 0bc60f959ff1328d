/*
 * spool_evict.c - finding and removing history.
 *
 * The writer's thread, in its transaction.  Pending records are stepped over a
 * range at a time, so a search costs as many steps as there are ranges.
 */
#include "spool_evict.h"

#include <assert.h>

#include "spool_parts.h"
#include "spool_pending.h"

#define SEQ_BYTES 8

int spool_evict_find(MDB_txn *txn, const struct spool *spool, uint64_t *seq, uint64_t *received_ns)
{
    struct spool_parts_reader reader;
    struct spool_range range = {0};
    struct spool_part head;
    uint8_t prefix[SEQ_BYTES];
    bool damaged;
    int rc = spool_parts_open(&reader, txn, spool->records, SEQ_BYTES);

    if (rc != 0)
        return rc;
    for (*seq = 1;; *seq = range.end) {
        spool_key_put_u64(prefix, *seq);
        if ((rc = spool_parts_seek(&reader, prefix)) != 0)
            break;
        *seq = spool_parts_seq(&reader);
        rc = spool_pending_find(txn, spool->pending, *seq, &range);
        if (rc != 0 || *seq < range.first) {
            if (rc == 0 && (rc = spool_parts_head(&reader, &head, &damaged)) == 0)
                *received_ns = head.received_ns;
            break;
        }
        if (range.end == SPOOL_SEQ_OPEN) {
            rc = MDB_NOTFOUND;
            break;
        }
    }
    spool_parts_close(&reader);
    return rc;
}

int spool_evict_remove(MDB_txn *txn, const struct spool *spool, uint64_t seq, struct spool_counters *counters)
{
    uint8_t prefix[SEQ_BYTES];
    unsigned removed;
    int rc;

    spool_key_put_u64(prefix, seq);
    rc = spool_parts_delete(txn, spool->records, prefix, SEQ_BYTES, &removed);
    if (rc != 0)
        return rc;
    assert(removed > 0);
    if (counters->held_records > 0)
        counters->held_records--;
    counters->evicted_records++;
    return 0;
}
