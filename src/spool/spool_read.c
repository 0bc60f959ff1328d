/*
 * spool_read.c - reading records.
 *
 * Any thread of any process.  A call works in steps; each step is one read
 * transaction that copies out at most SPOOL_READ_STEP_BYTES, because pages
 * freed while a reader looks cannot be used again until it is gone.  Between
 * steps the world may move: a record that is no longer pending is not
 * returned, and one that is pending cannot go away.
 *
 * Damage is an answer (`damaged`), not an error.  Errors are LMDB's: no reader
 * slot (ERR_BUSY), or a broken tree (ERR_FATAL).
 */
#include <errno.h>

#include "metrics.h"
#include "spool_internal.h"
#include "spool_parts.h"
#include "spool_pending.h"
#include "spool_state.h"

#define SEQ_BYTES 8

/* One step: a read transaction and a cursor on the records. */
struct step {
    MDB_txn *txn;
    struct spool_parts_reader reader;
    uint64_t next_seq;
};

static int step_begin(struct step *step, const struct spool *spool)
{
    struct spool_counters counters;
    int rc = mdb_txn_begin(spool->env, NULL, MDB_RDONLY, &step->txn);

    if (rc != 0)
        return rc;
    if ((rc = spool_state_get_counters(step->txn, spool, &counters)) == 0 &&
        (rc = spool_parts_open(&step->reader, step->txn, spool->records, SEQ_BYTES)) == 0) {
        step->next_seq = counters.next_seq;
        return 0;
    }
    mdb_txn_abort(step->txn);
    return rc;
}

static void step_end(struct step *step)
{
    spool_parts_close(&step->reader);
    mdb_txn_abort(step->txn);
}

static int seek(struct step *step, uint64_t seq)
{
    uint8_t prefix[SEQ_BYTES];

    spool_key_put_u64(prefix, seq);
    return spool_parts_seek(&step->reader, prefix);
}

static int is_pending(const struct step *step, const struct spool *spool, uint64_t seq, bool *pending)
{
    struct spool_range range;
    int rc = spool_pending_find(step->txn, spool->pending, seq, &range);

    *pending = rc == 0 && range.first <= seq && seq < step->next_seq;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* The headers of the record under the cursor. */
static int read_head(struct step *step, const struct spool *spool, struct spool_part *head, struct spool_record *record)
{
    bool pending, damaged;
    int rc = spool_parts_head(&step->reader, head, &damaged);

    if (rc == 0)
        rc = is_pending(step, spool, head->seq, &pending);
    if (rc != 0)
        return rc;
    *record = (struct spool_record){
        .seq = head->seq,
        .received_ns = head->received_ns,
        .raw_bytes = head->raw_bytes,
        .stored_bytes = head->stored_bytes,
        .spans = head->spans,
        .codec = head->codec,
        .state = pending ? SPOOL_PENDING : SPOOL_DELIVERED,
        .damaged = damaged,
    };
    return 0;
}

/* Its payload as well.  ENOBUFS when the arena is full. */
static int read_payload(struct step *step, const struct spool_part *head, struct arena *arena,
                        struct spool_record *record)
{
    uint8_t *payload;
    int rc;

    if (!record->damaged) {
        payload = arena_alloc(arena, head->stored_bytes);
        if (payload == NULL)
            return ENOBUFS;
        rc = spool_parts_copy(&step->reader, head, payload, &record->damaged);
        if (rc != 0)
            return rc;
        if (!record->damaged)
            record->payload = slice_of(payload, head->stored_bytes);
    }
    if (record->damaged)
        metrics_add(METRIC_SPOOL_DAMAGED, 1);
    return 0;
}

static int read_error(struct err *err, int rc, const struct spool *spool, const struct spool_part *head)
{
    if (rc == ENOBUFS)
        return err_set(err, ERR_BUSY, rc, "no memory for record %llu of %llu bytes", (unsigned long long)head->seq,
                       (unsigned long long)head->stored_bytes);
    return spool_lmdb_error(err, rc, "cannot read spool %s", spool->path);
}

int spool_read(struct spool *spool, uint64_t seq, struct arena *arena, struct spool_record *record, struct err *err)
{
    struct spool_part head = {0};
    struct step step;
    bool found = false;
    int rc = step_begin(&step, spool);

    if (rc != 0)
        return read_error(err, rc, spool, &head);
    rc = seek(&step, seq);
    found = rc == 0 && spool_parts_seq(&step.reader) == seq;
    if (found && (rc = read_head(&step, spool, &head, record)) == 0)
        rc = read_payload(&step, &head, arena, record);
    step_end(&step);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return read_error(err, rc, spool, &head);
    return found ? 1 : 0;
}

/* --- pending --------------------------------------------------------------- */

/* What spool_read_pending has been asked for and has done. */
struct batch {
    struct spool *spool;
    struct arena *arena;
    struct spool_record *records;
    size_t max_records;
    size_t max_bytes;
    uint64_t from; /* the next to look at */
    size_t count;
    size_t bytes;
    bool complete;
};

/* Stands on the first pending record with seq >= from. */
static int seek_pending(struct step *step, const struct batch *batch)
{
    struct spool_range range;
    uint64_t from = batch->from;
    int rc;

    while ((rc = spool_pending_find(step->txn, batch->spool->pending, from, &range)) == 0) {
        if ((rc = seek(step, from > range.first ? from : range.first)) != 0)
            return rc;
        from = spool_parts_seq(&step->reader);
        if (from < range.end)
            return from < step->next_seq ? 0 : MDB_NOTFOUND;
    }
    return rc;
}

static bool fits(const struct batch *batch, const struct spool_part *head)
{
    return batch->count == 0 ||
           (batch->bytes <= batch->max_bytes && head->stored_bytes <= batch->max_bytes - batch->bytes);
}

static int read_one(struct batch *batch, struct step *step, struct spool_part *head)
{
    struct spool_record *record = &batch->records[batch->count];
    int rc = seek_pending(step, batch);

    if (rc == 0)
        rc = read_head(step, batch->spool, head, record);
    if (rc == 0 && !fits(batch, head))
        rc = MDB_NOTFOUND;
    if (rc == 0)
        rc = read_payload(step, head, batch->arena, record);
    if (rc == MDB_NOTFOUND || (rc == ENOBUFS && batch->count > 0)) {
        batch->complete = true;
        return 0;
    }
    if (rc == 0) {
        batch->count++;
        batch->bytes += record->stored_bytes;
        batch->from = record->seq + 1;
    }
    return rc;
}

int spool_read_pending(struct spool *spool, uint64_t from, size_t max_records, size_t max_bytes, struct arena *arena,
                       struct spool_record *records, size_t *count, struct err *err)
{
    struct batch batch = {
        .spool = spool,
        .arena = arena,
        .records = records,
        .max_records = max_records,
        .max_bytes = max_bytes,
        .from = from,
    };
    struct spool_part head = {0};
    struct step step;
    int rc = 0;

    *count = 0;
    while (rc == 0 && !batch.complete && batch.count < max_records) {
        size_t step_end_bytes = batch.bytes + SPOOL_READ_STEP_BYTES;

        if ((rc = step_begin(&step, spool)) != 0)
            break;
        do {
            rc = read_one(&batch, &step, &head);
        } while (rc == 0 && !batch.complete && batch.count < max_records && batch.bytes < step_end_bytes);
        step_end(&step);
    }
    if (rc != 0)
        return read_error(err, rc, spool, &head);
    *count = batch.count;
    return 0;
}

/* --- listing --------------------------------------------------------------- */

int spool_list(struct spool *spool, uint64_t from, size_t max_records, struct spool_record *records, size_t *count,
               struct err *err)
{
    struct spool_part head = {0};
    struct step step;
    int rc = step_begin(&step, spool);

    *count = 0;
    if (rc != 0)
        return read_error(err, rc, spool, &head);
    while (rc == 0 && *count < max_records && (rc = seek(&step, from)) == 0) {
        rc = read_head(&step, spool, &head, &records[*count]);
        if (rc == 0) {
            from = head.seq + 1;
            ++*count;
        }
    }
    step_end(&step);
    return rc == 0 || rc == MDB_NOTFOUND ? 0 : read_error(err, rc, spool, &head);
}
