/*
 * flush_refused.c - what the sink refuses: one bad span does not take its
 * neighbours along.
 *
 * The spans of refused fragments go again as fragments of one, those of
 * several fragments together, since a write costs a round trip and a sync at
 * the sink whatever it holds.  What is refused alone is parked, many spans in
 * one transaction, for the same reason.
 *
 * What fails (memory, the writer is stopping) ends the delivery of the batch,
 * which begins again: what was stored is found as stored before, and what was
 * parked is parked again under its key.
 */
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "flush_internal.h"
#include "log.h"
#include "metrics.h"

bool flush_count_verdict(const struct otlp_fragment *fragment, const struct sink_verdict *verdict)
{
    if (verdict->outcome == SINK_REFUSED)
        return true; /* its spans are counted one by one */
    metrics_add(verdict->outcome == SINK_STORED ? METRIC_FLUSH_STORED : METRIC_FLUSH_STORED_BEFORE, 1);
    metrics_add(METRIC_FLUSH_SPANS, fragment->span_count);
    return false;
}

/* --- parking ------------------------------------------------------------------ */

/* Spans that are parked together; their requests are one after the other in the batch's buffer. */
struct parking {
    struct flush_thread *thread;
    struct spool_parked entries[FLUSH_PARK_MAX];
    size_t ends[FLUSH_PARK_MAX];
    size_t count;
    size_t quoted_at; /* of the first one's text (sink.h) */
};

/* What a text quotes of a span is in the entry, for whoever may see spans. */
static void log_parked(const struct parking *parking)
{
    const struct spool_parked *first = &parking->entries[0];
    int length = (int)(parking->quoted_at > 0 ? parking->quoted_at : strlen(first->text));

    if (parking->count == 1)
        log_warn("flush.parked", "span %u of batch %llu is parked: MongoDB refused it with code %d: %.*s", first->index,
                 (unsigned long long)first->seq, first->code, length, first->text);
    else
        log_warn("flush.parked",
                 "%zu spans are parked, the first is span %u of batch %llu: MongoDB refused it with code %d: %.*s",
                 parking->count, first->index, (unsigned long long)first->seq, first->code, length, first->text);
}

static int park_all(struct parking *parking, struct err *err)
{
    struct buf *requests = &parking->thread->batch.inflated;
    size_t begin = 0;

    if (parking->count == 0)
        return 0;
    for (size_t i = 0; i < parking->count; i++) { /* only now, as the buffer moves when it grows */
        parking->entries[i].payload = slice_of(requests->data + begin, parking->ends[i] - begin);
        begin = parking->ends[i];
    }
    if (spool_writer_park(parking->thread->flusher->writer, parking->entries, parking->count, err) != 0)
        return err_prefix(err, "park %zu spans of batch %llu and others", parking->count,
                          (unsigned long long)parking->entries[0].seq);
    fault_point("flush.parked");
    log_parked(parking);
    metrics_add(METRIC_FLUSH_PARKED, parking->count);
    buf_clear(requests);
    parking->count = 0;
    return 0;
}

/* `verdict` stays where it is until park_all. */
static int park(struct parking *parking, const struct otlp_fragment *single, uint64_t seq,
                const struct sink_verdict *verdict, struct err *err)
{
    struct buf *requests = &parking->thread->batch.inflated;

    if ((parking->count == FLUSH_PARK_MAX || requests->len >= FLUSH_PARK_BYTES) && park_all(parking, err) != 0)
        return -1;
    if (otlp_fragment_encode(requests, single) != 0)
        return err_set(err, ERR_BUSY, 0, "out of memory for a span to be parked");
    if (parking->count == 0)
        parking->quoted_at = verdict->quoted_at;
    parking->ends[parking->count] = requests->len;
    parking->entries[parking->count++] = (struct spool_parked){.seq = seq,
                                                               .index = single->spans[0],
                                                               .reason = SPOOL_PARK_REFUSED,
                                                               .code = verdict->code,
                                                               .attempts = 1,
                                                               .spans = 1,
                                                               .parked_ns = clock_wall_ns(),
                                                               .received_ns = single->received_ns,
                                                               .text = verdict->text};
    return 0;
}

/* --- spans one by one ----------------------------------------------------------- */

/* Spans of refused fragments, each on its own: at most what one write takes. */
struct singles {
    struct otlp_fragment *fragments; /* in the batch's arena */
    uint64_t *seqs;
    size_t count;
};

static int write_singles(struct parking *parking, struct singles *singles, struct err *err)
{
    struct flush_thread *thread = parking->thread;

    if (singles->count == 0)
        return 0;
    if (flush_write(thread, singles->fragments, singles->count, err) != 0)
        return -1;
    for (size_t i = 0; i < singles->count; i++)
        if (flush_count_verdict(&singles->fragments[i], &thread->verdicts[i]) &&
            park(parking, &singles->fragments[i], singles->seqs[i], &thread->verdicts[i], err) != 0)
            return -1;
    singles->count = 0;
    return park_all(parking, err); /* the next write overwrites the verdicts */
}

static int add_spans(struct parking *parking, struct singles *singles, const struct flush_refusal *refusal,
                     struct err *err)
{
    struct arena *arena = &parking->thread->batch.arena;

    for (uint32_t i = 0; i < refusal->fragment->span_count; i++) {
        if (singles->count == parking->thread->settings.batch_documents && write_singles(parking, singles, err) != 0)
            return -1;
        if (otlp_fragment_single(&singles->fragments[singles->count], arena, refusal->fragment, i, err) != 0)
            return -1;
        singles->seqs[singles->count++] = refusal->seq;
    }
    return 0;
}

/* Those of one span have been refused alone. */
static int park_refused_alone(struct parking *parking, const struct flush_refusal *refused, size_t count,
                              struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (refused[i].fragment->span_count == 1 &&
            park(parking, refused[i].fragment, refused[i].seq, &refused[i].verdict, err) != 0)
            return -1;
    return park_all(parking, err);
}

int flush_refused(struct flush_thread *thread, const struct flush_refusal *refused, size_t count, struct err *err)
{
    size_t most = thread->settings.batch_documents;
    struct parking parking = {.thread = thread};
    struct singles singles = {.fragments = arena_calloc(&thread->batch.arena, most, sizeof(*singles.fragments)),
                              .seqs = arena_calloc(&thread->batch.arena, most, sizeof(*singles.seqs))};

    if (singles.fragments == NULL || singles.seqs == NULL)
        return err_set(err, ERR_BUSY, 0, "out of memory for fragments of one span");
    buf_clear(&thread->batch.inflated);
    if (park_refused_alone(&parking, refused, count, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (refused[i].fragment->span_count > 1 && add_spans(&parking, &singles, &refused[i], err) != 0)
            return -1;
    return write_singles(&parking, &singles, err);
}
