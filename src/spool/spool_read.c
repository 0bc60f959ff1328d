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

/* The headers of the record under the cursor. */
static int read_head(struct step *step, const struct spool *spool, struct spool_part *head, struct spool_record *record)
{
    enum spool_record_state state;
    bool damaged;
    int rc = spool_parts_head(&step->reader, head, &damaged);

    if (rc == 0)
        rc = spool_pending_state(step->txn, spool, head->seq, &state);
    if (rc != 0)
        return rc;
    *record = (struct spool_record){
        .seq = head->seq,
        .received_ns = head->received_ns,
        .raw_bytes = head->raw_bytes,
        .stored_bytes = head->stored_bytes,
        .spans = head->spans,
        .codec = head->codec,
        .state = state,
        .damaged = damaged,
    };
    return 0;
}

/* Its payload as well, unless there is no arena.  ENOBUFS when the arena is full. */
static int read_payload(struct step *step, const struct spool_part *head, struct arena *arena,
                        struct spool_record *record)
{
    uint8_t *payload;
    int rc;

    if (arena == NULL)
        return 0;
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
    const struct spool_want *want;
    struct arena *arena;
    struct spool_record *records;
    struct spool_range open; /* where the next record may be: what is not taken, from the end that was asked for */
    bool placed;             /* `open` has been narrowed down to the first record's surroundings */
    size_t count;
    size_t bytes;
    bool complete;
};

/* The taken range that holds `seq`, or NULL. */
static const struct spool_range *taken_at(const struct spool_want *want, uint64_t seq)
{
    for (size_t i = 0; i < want->taken_count; i++) {
        if (want->taken[i].first <= seq && seq < want->taken[i].end)
            return &want->taken[i];
    }
    return NULL;
}

/* Narrows `open` around `seq`, which is not taken, so that it ends where others' records begin. */
static void place(struct batch *batch, uint64_t seq)
{
    const struct spool_want *want = batch->want;

    for (size_t i = 0; i < want->taken_count; i++) {
        if (want->taken[i].end <= seq && want->taken[i].end > batch->open.first)
            batch->open.first = want->taken[i].end;
        if (want->taken[i].first > seq && want->taken[i].first < batch->open.end)
            batch->open.end = want->taken[i].first;
    }
    batch->placed = true;
}

/* Stands on the first pending record with seq >= from; *seq is its number. */
static int seek_pending_up(struct step *step, const struct spool *spool, uint64_t from, uint64_t *seq)
{
    struct spool_range range;
    int rc;

    for (*seq = from; (rc = spool_pending_find(step->txn, spool->pending, *seq, &range)) == 0;) {
        if ((rc = seek(step, *seq > range.first ? *seq : range.first)) != 0)
            return rc;
        *seq = spool_parts_seq(&step->reader);
        if (*seq < range.end)
            return *seq < step->next_seq ? 0 : MDB_NOTFOUND;
    }
    return rc;
}

/* The same with the last one that has seq < end. */
static int seek_pending_down(struct step *step, const struct spool *spool, uint64_t end, uint64_t *seq)
{
    uint8_t prefix[SEQ_BYTES];
    struct spool_range range;
    int rc;

    while (end > 1) {
        rc = spool_pending_find_before(step->txn, spool->pending, end - 1, &range);
        if (rc != 0)
            return rc;
        spool_key_put_u64(prefix, end < range.end ? end : range.end);
        if ((rc = spool_parts_before(&step->reader, prefix)) != 0)
            return rc;
        *seq = spool_parts_seq(&step->reader);
        if (*seq >= range.first)
            return 0;
        end = range.first;
    }
    return MDB_NOTFOUND;
}

/* Stands on the next record to be returned. */
static int seek_pending(struct step *step, struct batch *batch)
{
    const struct spool_range *taken;
    uint64_t seq;
    int rc;

    for (;;) {
        rc = batch->want->end == SPOOL_OLDEST ? seek_pending_up(step, batch->spool, batch->open.first, &seq)
                                              : seek_pending_down(step, batch->spool, batch->open.end, &seq);
        if (rc != 0)
            return rc;
        if (seq < batch->open.first || seq >= batch->open.end)
            return MDB_NOTFOUND;
        if (batch->placed || (taken = taken_at(batch->want, seq)) == NULL)
            break;
        if (batch->want->end == SPOOL_OLDEST)
            batch->open.first = taken->end;
        else
            batch->open.end = taken->first;
    }
    if (!batch->placed)
        place(batch, seq);
    return 0;
}

static bool fits(const struct batch *batch, const struct spool_part *head)
{
    size_t most = batch->want->max_bytes;

    return batch->count == 0 || (batch->bytes <= most && head->stored_bytes <= most - batch->bytes);
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
        if (batch->want->end == SPOOL_OLDEST)
            batch->open.first = record->seq + 1;
        else
            batch->open.end = record->seq;
    }
    return rc;
}

static void turn_around(struct spool_record *records, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct spool_record record = records[i];

        records[i] = records[count - 1 - i];
        records[count - 1 - i] = record;
    }
}

int spool_read_pending(struct spool *spool, const struct spool_want *want, struct arena *arena,
                       struct spool_record *records, size_t *count, struct err *err)
{
    struct batch batch = {
        .spool = spool,
        .want = want,
        .arena = arena,
        .records = records,
        .open = {.first = 1, .end = SPOOL_SEQ_OPEN},
    };
    struct spool_part head = {0};
    struct step step;
    int rc = 0;

    *count = 0;
    while (rc == 0 && !batch.complete && batch.count < want->max_records) {
        size_t step_end_bytes = batch.bytes + SPOOL_READ_STEP_BYTES;

        if ((rc = step_begin(&step, spool)) != 0)
            break;
        do {
            rc = read_one(&batch, &step, &head);
        } while (rc == 0 && !batch.complete && batch.count < want->max_records && batch.bytes < step_end_bytes);
        step_end(&step);
    }
    if (rc != 0)
        return read_error(err, rc, spool, &head);
    if (want->end == SPOOL_NEWEST)
        turn_around(records, batch.count);
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
