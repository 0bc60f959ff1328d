/*
 * backoff.h - how long to wait before the next try.  Pure: no clock, no
 * random source of its own.
 */
#ifndef TRACESPOOL_BACKOFF_H
#define TRACESPOOL_BACKOFF_H

#include <stdint.h>

/*
 * Full jitter (a uniform wait below an exponentially growing ceiling): many
 * daemons that lost the same MongoDB must not come back in step.  `attempt`
 * counts failures in a row from 1; `random` is 64 random bits.
 * Returns milliseconds, FLUSH_BACKOFF_MIN_MS .. FLUSH_BACKOFF_MAX_MS.
 */
uint64_t backoff_ms(uint64_t attempt, uint64_t random);

#endif
