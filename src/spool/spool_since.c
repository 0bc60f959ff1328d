/*
 * spool_since.c - where the records of a time begin.
 *
 * Any thread of any process; one short read transaction, of as many headers as
 * a binary search takes.  Records are not quite in the order of their times
 * (spool_order.h), so the search believes marked ones only.  What it cannot tell
 * makes its answer lower, never higher: the caller looks at the times of all
 * that come from there on.
 */
#include "bounds.h"
#include "spool_internal.h"
#include "spool_order.h"
#include "spool_parts.h"
#include "spool_state.h"

#define SEQ_BYTES 8

/* 0: *head is the first marked one of a few records from `from` on; MDB_NOTFOUND. */
static int find_marked(struct spool_parts_reader *reader, uint64_t from, struct spool_part *head)
{
    uint8_t prefix[SEQ_BYTES];
    bool damaged;
    int rc;

    for (unsigned i = 0; i < SPOOL_ORDER_TRIES; i++) {
        spool_key_put_u64(prefix, from);
        if ((rc = spool_parts_seek(reader, prefix)) != 0 || (rc = spool_parts_head(reader, head, &damaged)) != 0)
            return rc;
        if (head->in_order)
            return 0;
        from = head->seq + 1;
    }
    return MDB_NOTFOUND;
}

static int search(struct spool_parts_reader *reader, uint64_t since_ns, uint64_t end, uint64_t *seq)
{
    struct spool_part head;

    while (*seq < end) {
        uint64_t middle = *seq + (end - *seq) / 2;
        int rc = find_marked(reader, middle, &head);

        if (rc != 0 && rc != MDB_NOTFOUND)
            return rc;
        if (rc == 0 && head.seq < end && spool_order_is_before(head.received_ns, since_ns))
            *seq = head.seq + 1;
        else
            end = middle;
    }
    return 0;
}

static int find(MDB_txn *txn, const struct spool *spool, uint64_t since_ns, uint64_t *seq)
{
    static const uint8_t first[SEQ_BYTES];
    struct spool_counters counters;
    struct spool_parts_reader reader;
    int rc;

    if ((rc = spool_state_get_counters(txn, spool, &counters)) != 0 ||
        (rc = spool_parts_open(&reader, txn, spool->records, SEQ_BYTES)) != 0)
        return rc;
    rc = spool_parts_seek(&reader, first);
    if (rc == 0) {
        *seq = spool_parts_seq(&reader);
        /* What an older tracespool has left may be of any time. */
        if (since_ns > 0 && counters.order.from_seq != 0 && counters.order.from_seq <= *seq)
            rc = search(&reader, since_ns, counters.next_seq, seq);
    } else if (rc == MDB_NOTFOUND) {
        *seq = counters.next_seq;
        rc = 0;
    }
    spool_parts_close(&reader);
    return rc;
}

int spool_find_since(struct spool *spool, uint64_t since_ns, uint64_t *seq, struct err *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(spool->env, NULL, MDB_RDONLY, &txn);

    if (rc == 0) {
        rc = find(txn, spool, since_ns, seq);
        mdb_txn_abort(txn);
    }
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot read spool %s", spool->path);
}
