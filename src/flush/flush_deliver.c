/*
 * flush_deliver.c - one batch from fragments to verdicts.
 *
 * Happy path: write, all stored, subtract the records.  What is refused goes to
 * flush_refused.c, and is parked durably before its record is subtracted: a
 * crash in between parks it again under the same key.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "flush_internal.h"
#include "log.h"
#include "metrics.h"

/*
 * Counts the verdicts on fragments [first, first + count) and lists the
 * refused ones in the batch's arena: writing again overwrites the thread's
 * verdicts.  *refused_count 0 when there are none.
 */
static int list_refused(struct flush_thread *thread, size_t first, size_t count, struct flush_refusal **refused,
                        size_t *refused_count, struct err *err)
{
    struct flush_batch *batch = &thread->batch;
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += flush_count_verdict(&batch->fragments[first + i], &thread->verdicts[i]);
    *refused_count = n;
    if (n == 0)
        return 0;
    *refused = arena_calloc(&batch->arena, n, sizeof(**refused));
    if (*refused == NULL)
        return err_set(err, ERR_BUSY, 0, "out of memory for %zu refused fragments", n);
    n = 0;
    for (size_t i = 0; i < count; i++) {
        if (thread->verdicts[i].outcome == SINK_REFUSED)
            (*refused)[n++] = (struct flush_refusal){.fragment = &batch->fragments[first + i],
                                                     .seq = batch->origins[first + i],
                                                     .verdict = thread->verdicts[i]};
    }
    return 0;
}

/* Fragments [first, first + count): at most what one write takes. */
static int write_slice(struct flush_thread *thread, size_t first, size_t count, struct err *err)
{
    struct flush_refusal *refused = NULL;
    size_t refused_count;

    if (flush_write(thread, thread->batch.fragments + first, count, err) != 0 ||
        list_refused(thread, first, count, &refused, &refused_count, err) != 0)
        return -1;
    return refused_count == 0 ? 0 : flush_refused(thread, refused, refused_count, err);
}

/*
 * MongoDB has the batch.  When the spool has no page for the note (a reader that
 * stopped pins them all) it is made later; the spool's own log says that it is
 * full, and writing the batch again would be work for nothing.
 */
static int note_delivered(struct flush_thread *thread, struct err *err)
{
    const struct flush_batch *batch = &thread->batch;

    for (uint64_t attempts = 1;; attempts++) {
        if (spool_writer_delivered(thread->flusher->writer, batch->seqs, batch->seq_count, err) == 0)
            return 0;
        if (err->class != ERR_BUSY || err->code == ECANCELED || !flush_wait_for_spool(thread, attempts))
            return -1;
    }
}

int flush_deliver(struct flush_thread *thread, struct err *err)
{
    struct flush_batch *batch = &thread->batch;
    size_t step = thread->settings.batch_documents;

    for (size_t first = 0; first < batch->count; first += step) {
        size_t left = batch->count - first;

        if (write_slice(thread, first, left < step ? left : step, err) != 0)
            return -1;
    }
    fault_point("flush.written");
    if (note_delivered(thread, err) != 0)
        return err_prefix(err, "note %zu delivered batches", batch->seq_count);
    fault_point("flush.delivered");
    return 0;
}

int flush_park_record(struct flush_thread *thread, const struct spool_record *record, const struct err *why,
                      struct err *err)
{
    struct spool_parked parked = {.seq = record->seq,
                                  .whole = true,
                                  .reason = record->damaged ? SPOOL_PARK_DAMAGED : SPOOL_PARK_UNDECODABLE,
                                  .spans = record->spans,
                                  .parked_ns = clock_wall_ns(),
                                  .received_ns = record->received_ns,
                                  .text = why->text};

    if (spool_writer_park(thread->flusher->writer, &parked, 1, err) != 0)
        return err_prefix(err, "park batch %llu", (unsigned long long)record->seq);
    log_error("flush.parked", "batch %llu is parked whole: %s", (unsigned long long)record->seq, why->text);
    metrics_add(METRIC_FLUSH_PARKED, 1);
    return 0;
}
