/*
 * flush_claim.c - claims: chosen under the lock, read without it.
 *
 * Runs on the flusher's threads.  Under the lock only headers are read, which
 * decides the range; copying out megabytes of payload under it would keep the
 * other threads waiting.  A record of the range that is no longer pending when
 * its payload is read was held or removed by an operator in between and is not
 * returned; one that has become pending in between is.
 *
 * A claim is left after its records are subtracted, and the next choice opens
 * its transaction under the lock, so it cannot see them as pending.
 */
#include "flush_claim.h"

#include <assert.h>

#include "bounds.h"

void flush_claim_init(struct flush_claims *claims, unsigned threads)
{
    *claims = (struct flush_claims){.threads = threads};
    pthread_mutex_init(&claims->lock, NULL);
}

void flush_claim_fini(struct flush_claims *claims)
{
    pthread_mutex_destroy(&claims->lock);
}

enum spool_end flush_claim_end(enum flush_order order, unsigned thread, unsigned threads, uint64_t turn)
{
    assert(thread < threads);
    switch (order) {
    case FLUSH_OLDEST_FIRST:
        return SPOOL_OLDEST;
    case FLUSH_NEWEST_FIRST:
        return SPOOL_NEWEST;
    case FLUSH_BOTH:
        break;
    }
    if (threads == 1)
        return turn % 2 == 0 ? SPOOL_NEWEST : SPOOL_OLDEST;
    return thread < (threads + 1) / 2 ? SPOOL_NEWEST : SPOOL_OLDEST;
}

/*
 * A claim that takes all of a small backlog, or the whole end of a large one,
 * leaves the other threads without work.
 */
static int share_out(const struct flush_claims *claims, struct spool *spool, struct spool_want *want, struct err *err)
{
    uint64_t records, spans, spans_each, share;

    if (claims->threads == 1)
        return 0;
    if (spool_stat_pending(spool, &records, &spans, err) != 0)
        return -1;
    spans_each = records > 0 ? spans / records : 0;
    share = spans / (FLUSH_CLAIM_SHARE * claims->threads);
    if (share < FLUSH_CLAIM_SPANS_MIN)
        share = FLUSH_CLAIM_SPANS_MIN;
    if (spans_each > 0 && share / spans_each < want->max_records)
        want->max_records = share / spans_each + 1;
    return 0;
}

static struct spool_want want_from(enum spool_end end)
{
    return (struct spool_want){
        .end = end,
        .max_records = FLUSH_RECORDS_MAX,
        .max_bytes = end == SPOOL_NEWEST ? FLUSH_READ_NEWEST_BYTES_MAX : FLUSH_READ_BYTES_MAX,
    };
}

/* The range that the thread now has in hand; empty when there is nothing to take. */
static int choose(struct flush_claims *claims, unsigned thread, enum spool_end end, struct spool *spool,
                  struct spool_record *records, struct spool_range *chosen, struct err *err)
{
    struct spool_range taken[FLUSH_THREADS_MAX];
    struct spool_want want = want_from(end);
    size_t count;
    int rc;

    *chosen = (struct spool_range){0};
    if (share_out(claims, spool, &want, err) != 0)
        return -1;
    want.taken = taken;
    pthread_mutex_lock(&claims->lock);
    assert(claims->ranges[thread].end == 0);
    for (unsigned i = 0; i < FLUSH_THREADS_MAX; i++) {
        if (claims->ranges[i].first < claims->ranges[i].end)
            taken[want.taken_count++] = claims->ranges[i];
    }
    rc = spool_read_pending(spool, &want, NULL, records, &count, err);
    if (rc == 0 && count > 0)
        *chosen = (struct spool_range){.first = records[0].seq, .end = records[count - 1].seq + 1};
    claims->ranges[thread] = *chosen;
    pthread_mutex_unlock(&claims->lock);
    return rc;
}

int flush_claim_take(struct flush_claims *claims, unsigned thread, enum spool_end end, struct spool *spool,
                     struct arena *arena, struct spool_record *records, size_t *count, struct err *err)
{
    struct spool_range chosen, others[2];
    struct spool_want want = want_from(end);
    int rc;

    want.taken = others;
    want.taken_count = 2;
    *count = 0;
    for (;;) {
        if (choose(claims, thread, end, spool, records, &chosen, err) != 0)
            return -1;
        if (chosen.end == 0)
            return 0;
        others[0] = (struct spool_range){.first = 0, .end = chosen.first};
        others[1] = (struct spool_range){.first = chosen.end, .end = SPOOL_SEQ_OPEN};
        rc = spool_read_pending(spool, &want, arena, records, count, err);
        if (rc == 0 && *count > 0)
            return 0;
        flush_claim_leave(claims, thread);
        if (rc != 0)
            return -1;
        /* An operator was quicker and took all of it: there may be others. */
    }
}

void flush_claim_leave(struct flush_claims *claims, unsigned thread)
{
    pthread_mutex_lock(&claims->lock);
    claims->ranges[thread] = (struct spool_range){0};
    pthread_mutex_unlock(&claims->lock);
}
