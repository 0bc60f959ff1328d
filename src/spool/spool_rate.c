/*
 * spool_rate.c - rates from two marks, as spool_pace.c has the pace of a drain.
 *
 * Pure.  A mark is made when something changes, SPOOL_PACE_MS after the last
 * one.  Where nothing changes no mark is made, so old marks say that it is
 * quiet; the pause before what comes next then has no part in its rate.  The
 * marks begin anew also when a clock was set back.
 */
#include "spool_rate.h"

#include "bounds.h"
#include "clock.h"

#define MARK_NS (SPOOL_PACE_MS * NS_PER_MS)
#define PAUSE_NS (2 * MARK_NS)
#define QUIET_NS (3 * MARK_NS) /* after a mark, since what changed later than MARK_NS would have made one */

void spool_rate_note(struct spool_marks *marks, const struct spool_sums *before, uint64_t now_ns)
{
    if (now_ns < marks->next_ns || now_ns - marks->next_ns > PAUSE_NS) {
        *marks = (struct spool_marks){now_ns, *before, now_ns, *before};
    } else if (now_ns - marks->next_ns >= MARK_NS) {
        marks->from_ns = marks->next_ns;
        marks->from = marks->next;
        marks->next_ns = now_ns;
        marks->next = *before;
    }
}

bool spool_rate_recent(const struct spool_marks *marks, const struct spool_sums *sums, uint64_t now_ns,
                       struct spool_rate *rate)
{
    *rate = (struct spool_rate){0};
    if (marks->next_ns == 0) /* an older daemon made none */
        return sums->received_records == 0;
    if (now_ns < marks->next_ns || now_ns - marks->from_ns < SPOOL_PACE_MIN_MS * NS_PER_MS)
        return false;
    if (now_ns - marks->next_ns > QUIET_NS)
        return true;
    return spool_rate_between(&marks->from, sums, now_ns - marks->from_ns, rate);
}

bool spool_rate_between(const struct spool_sums *before, const struct spool_sums *after, uint64_t elapsed_ns,
                        struct spool_rate *rate)
{
    double seconds = (double)elapsed_ns / NS_PER_S;

    *rate = (struct spool_rate){0};
    if (elapsed_ns == 0 || after->received_records < before->received_records ||
        after->received_spans < before->received_spans || after->delivered_records < before->delivered_records ||
        after->delivered_spans < before->delivered_spans)
        return false;
    rate->received_records = (double)(after->received_records - before->received_records) / seconds;
    rate->received_spans = (double)(after->received_spans - before->received_spans) / seconds;
    rate->delivered_records = (double)(after->delivered_records - before->delivered_records) / seconds;
    rate->delivered_spans = (double)(after->delivered_spans - before->delivered_spans) / seconds;
    return true;
}
