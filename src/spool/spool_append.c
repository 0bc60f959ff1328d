/*
 * spool_append.c - appending a record and counting it.
 *
 * Whoever writes, in its transaction.  The last pending range is open, so a
 * new record is pending without a write to `pending`.
 */
#include "spool_append.h"

#include "spool_parts.h"

#define SEQ_BYTES 8

int spool_append(MDB_txn *txn, const struct spool *spool, struct spool_put *put, unsigned part_pages,
                 struct spool_counters *counters)
{
    struct spool_parts_entry entry = {
        .dbi = spool->records,
        .prefix_len = SEQ_BYTES,
        .head = {.magic = SPOOL_MAGIC_RECORD,
                 .codec = put->codec,
                 .seq = counters->next_seq,
                 .received_ns = put->received_ns,
                 .raw_bytes = put->raw_bytes,
                 .stored_bytes = put->payload.len,
                 .spans = put->spans,
                 .in_order = spool_order_note(&counters->order, counters->next_seq, put->received_ns)},
        .payload = put->payload,
        .part_pages = part_pages,
        .checksum = &put->checksum,
        .flags = MDB_APPEND,
    };
    int rc;

    spool_key_put_u64(entry.prefix, entry.head.seq);
    if ((rc = spool_parts_put(txn, &entry)) != 0)
        return rc;
    put->seq = counters->next_seq++;
    counters->kept_records++;
    counters->received_records++;
    counters->received_spans += put->spans;
    spool_counters_enter_pending(counters, &entry.head);
    return 0;
}
