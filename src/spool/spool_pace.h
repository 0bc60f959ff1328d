/*
 * spool_pace.h - how fast what is pending becomes less, and when it will be
 * gone.  Pure: the caller has the clock, and keeps the marks with the counters.
 */
#ifndef TRACESPOOL_SPOOL_PACE_H
#define TRACESPOOL_SPOOL_PACE_H

#include <stdint.h>

/* Two moments at which something was delivered, and the pending spans then.  All zero: none yet. */
struct spool_pace {
    uint64_t from_ns; /* wall clock; the pace is measured from here */
    uint64_t from_spans;
    uint64_t next_ns; /* becomes `from` when it is old enough */
    uint64_t next_spans;
};

/* Something was delivered, and so many spans are still pending. */
void spool_pace_note(struct spool_pace *pace, uint64_t pending_spans, uint64_t now_ns);

/* Until nothing is pending, if it goes on like this; 0 when that is not known, or when it does not become less. */
uint64_t spool_pace_left_ns(const struct spool_pace *pace, uint64_t pending_spans, uint64_t now_ns);

#endif
