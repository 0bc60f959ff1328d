/*
 * spool_pace.c - the pace of a drain from two marks.
 *
 * Pure.  A mark is made at a delivery, SPOOL_PACE_MS after the last one, so the
 * pace is that of the last one to three of these.  Measured is what is pending
 * and not what is delivered: new spans come meanwhile and are delivered too.
 * After a pause, which an outage is, the marks begin anew: what was before it
 * says nothing.  The same after a clock was set back.
 */
#include "spool_pace.h"

#include "bounds.h"
#include "clock.h"

#define MARK_NS (SPOOL_PACE_MS * NS_PER_MS)
#define PAUSE_NS (2 * MARK_NS)
#define STALE_NS (2 * PAUSE_NS)

void spool_pace_note(struct spool_pace *pace, uint64_t pending_spans, uint64_t now_ns)
{
    if (now_ns < pace->next_ns || now_ns - pace->next_ns > PAUSE_NS) {
        *pace = (struct spool_pace){now_ns, pending_spans, now_ns, pending_spans};
    } else if (now_ns - pace->next_ns >= MARK_NS) {
        pace->from_ns = pace->next_ns;
        pace->from_spans = pace->next_spans;
        pace->next_ns = now_ns;
        pace->next_spans = pending_spans;
    }
}

uint64_t spool_pace_left_ns(const struct spool_pace *pace, uint64_t pending_spans, uint64_t now_ns)
{
    uint64_t elapsed_ns = now_ns > pace->from_ns ? now_ns - pace->from_ns : 0;

    if (elapsed_ns < SPOOL_PACE_MIN_MS * NS_PER_MS || elapsed_ns > STALE_NS || pace->from_spans <= pending_spans)
        return 0;
    return (uint64_t)((double)elapsed_ns * (double)pending_spans / (double)(pace->from_spans - pending_spans));
}
