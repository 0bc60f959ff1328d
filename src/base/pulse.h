/*
 * pulse.h - whether the threads that matter get their work done.
 *
 * A thread says when it begins a piece of work and when it waits for the next.
 * One that is at the same piece for longer than its bound is stuck: the
 * process is alive and of no use.  Waiting for work is never that.
 */
#ifndef TRACESPOOL_PULSE_H
#define TRACESPOOL_PULSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"

struct pulse {
    /* set once */
    const char *name; /* "spool writer"; a literal */
    uint64_t bound_ns;

    struct pulse *next; /* under pulse.c's lock */

    _Atomic uint64_t busy_since_ns; /* monotonic; 0: it waits */
};

/* Before the thread's first work; it waits.  `pulse` stays where it is until pulse_stop.  Any thread. */
void pulse_start(struct pulse *pulse, const char *name, uint64_t bound_ms);
void pulse_stop(struct pulse *pulse); /* never started, and zeroed, is allowed */

/* The thread itself. */
static inline void pulse_busy(struct pulse *pulse)
{
    atomic_store_explicit(&pulse->busy_since_ns, clock_mono_ns(), memory_order_relaxed);
}

static inline void pulse_idle(struct pulse *pulse)
{
    atomic_store_explicit(&pulse->busy_since_ns, 0, memory_order_relaxed);
}

/* Whether a thread is stuck at `now_ns` (monotonic); then `text` says which and for how long.  Any thread. */
bool pulse_find_stuck(uint64_t now_ns, char *text, size_t size);

#endif
