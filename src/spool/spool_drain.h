/*
 * spool_drain.h - how fast deliveries make room, and how long a sender should
 * stay away.  Pure: the caller has the clock.
 */
#ifndef TRACESPOOL_SPOOL_DRAIN_H
#define TRACESPOOL_SPOOL_DRAIN_H

#include <stdint.h>

struct spool_drain {
    double bytes_per_s; /* smoothed */
    uint64_t noted_ns;  /* when it was last noted, monotonic */
};

/* Nothing is known: a rate of 0. */
void spool_drain_init(struct spool_drain *drain, uint64_t now_ns);

/* `bytes` of room (0 is allowed) were given back since the last note.  A clock that stands still does no harm. */
void spool_drain_note(struct spool_drain *drain, uint64_t bytes, uint64_t now_ns);

/*
 * Until `missing_bytes` more will probably be given back at this rate, between
 * SPOOL_RETRY_MIN_MS (nothing is missing) and SPOOL_RETRY_MAX_MS (also when
 * nothing drains).
 */
uint64_t spool_drain_wait_ms(const struct spool_drain *drain, uint64_t missing_bytes);

#endif
