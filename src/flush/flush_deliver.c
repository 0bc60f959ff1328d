/*
 * flush_deliver.c - one batch from fragments to verdicts.
 *
 * Happy path: write, all stored, subtract the records.  A refused fragment of several spans goes again as fragments of one, so that
 * one bad span does not take its neighbours along; what is refused alone is
 * parked.  Parking is durable before the record is subtracted: a crash in
 * between parks it again under the same key.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "flush_internal.h"
#include "log.h"
#include "metrics.h"

static void count_verdict(const struct otlp_fragment *fragment, const struct sink_verdict *verdict)
{
    if (verdict->outcome == SINK_REFUSED)
        return; /* its spans are counted one by one */
    metrics_add(verdict->outcome == SINK_STORED ? METRIC_FLUSH_STORED : METRIC_FLUSH_STORED_BEFORE, 1);
    metrics_add(METRIC_FLUSH_SPANS, fragment->span_count);
}

/* A fragment of one span that was refused. */
static int park_span(struct flush_thread *thread, const struct otlp_fragment *single, uint64_t seq,
                     const struct sink_verdict *verdict, struct err *err)
{
    struct buf *request = &thread->batch.inflated;
    struct spool_parked parked = {.seq = seq,
                                  .index = single->spans[0],
                                  .reason = SPOOL_PARK_REFUSED,
                                  .code = verdict->code,
                                  .attempts = 1,
                                  .spans = 1,
                                  .parked_ns = clock_wall_ns(),
                                  .received_ns = single->received_ns,
                                  .text = verdict->text};

    buf_clear(request);
    if (otlp_fragment_encode(request, single) != 0)
        return err_set(err, ERR_BUSY, 0, "out of memory for a span to be parked");
    parked.payload = buf_slice(request);
    if (spool_writer_park(thread->flusher->writer, &parked, err) != 0)
        return err_prefix(err, "park span %u of batch %llu", parked.index, (unsigned long long)seq);
    fault_point("flush.parked");
    log_warn("flush.parked", "span %u of batch %llu is parked: MongoDB refused it with code %d: %s", parked.index,
             (unsigned long long)seq, verdict->code, verdict->text);
    metrics_add(METRIC_FLUSH_PARKED, 1);
    return 0;
}

/* The spans [first, first + count) of a refused fragment, each on its own. */
static int write_singles(struct flush_thread *thread, const struct otlp_fragment *fragment, uint32_t first,
                         uint32_t count, uint64_t seq, struct err *err)
{
    struct otlp_fragment *singles = arena_calloc(&thread->batch.arena, count, sizeof(*singles));

    if (singles == NULL)
        return err_set(err, ERR_BUSY, 0, "out of memory for %u fragments of one span", count);
    for (uint32_t i = 0; i < count; i++) {
        if (otlp_fragment_single(&singles[i], &thread->batch.arena, fragment, first + i, err) != 0)
            return -1;
    }
    if (flush_write(thread, singles, count, err) != 0)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        const struct sink_verdict *verdict = &thread->verdicts[i];

        count_verdict(&singles[i], verdict);
        if (verdict->outcome == SINK_REFUSED && park_span(thread, &singles[i], seq, verdict, err) != 0)
            return -1;
    }
    return 0;
}

static int handle_refused(struct flush_thread *thread, const struct otlp_fragment *fragment, uint64_t seq,
                          const struct sink_verdict *verdict, struct err *err)
{
    uint32_t step = (uint32_t)thread->flusher->options.batch_documents;

    if (fragment->span_count == 1)
        return park_span(thread, fragment, seq, verdict, err);
    for (uint32_t first = 0; first < fragment->span_count; first += step) {
        uint32_t left = fragment->span_count - first;

        if (write_singles(thread, fragment, first, left < step ? left : step, seq, err) != 0)
            return -1;
    }
    return 0;
}

struct refusal {
    size_t at; /* in the batch */
    struct sink_verdict verdict;
};

/*
 * Counts the verdicts on fragments [first, first + count) and lists the
 * refused ones in the batch's arena: writing them again overwrites the
 * thread's verdicts.  *refused_count 0 when there are none.
 */
static int list_refused(struct flush_thread *thread, size_t first, size_t count, struct refusal **refused,
                        size_t *refused_count, struct err *err)
{
    struct flush_batch *batch = &thread->batch;
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        count_verdict(&batch->fragments[first + i], &thread->verdicts[i]);
        n += thread->verdicts[i].outcome == SINK_REFUSED;
    }
    *refused_count = n;
    if (n == 0)
        return 0;
    *refused = arena_calloc(&batch->arena, n, sizeof(**refused));
    if (*refused == NULL)
        return err_set(err, ERR_BUSY, 0, "out of memory for %zu refused fragments", n);
    n = 0;
    for (size_t i = 0; i < count; i++) {
        if (thread->verdicts[i].outcome == SINK_REFUSED)
            (*refused)[n++] = (struct refusal){.at = first + i, .verdict = thread->verdicts[i]};
    }
    return 0;
}

/* Fragments [first, first + count): at most what one write takes. */
static int write_slice(struct flush_thread *thread, size_t first, size_t count, struct err *err)
{
    struct flush_batch *batch = &thread->batch;
    struct refusal *refused = NULL;
    size_t refused_count;

    if (flush_write(thread, batch->fragments + first, count, err) != 0)
        return -1;
    if (list_refused(thread, first, count, &refused, &refused_count, err) != 0)
        return -1;
    for (size_t n = 0; n < refused_count; n++) {
        size_t at = refused[n].at;

        if (handle_refused(thread, &batch->fragments[at], batch->origins[at], &refused[n].verdict, err) != 0)
            return -1;
    }
    return 0;
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
    size_t step = thread->flusher->options.batch_documents;

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

    if (spool_writer_park(thread->flusher->writer, &parked, err) != 0)
        return err_prefix(err, "park batch %llu", (unsigned long long)record->seq);
    log_error("flush.parked", "batch %llu is parked whole: %s", (unsigned long long)record->seq, why->text);
    metrics_add(METRIC_FLUSH_PARKED, 1);
    return 0;
}
