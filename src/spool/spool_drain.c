/*
 * spool_drain.c - an exponentially weighted mean of the room that deliveries
 * give back.
 *
 * Pure.  Each note weighs what came before by smooth / (smooth + elapsed), so
 * that notes may come at any distance: in the middle of a second, as commits
 * do, or once in it, as the idle writer's ticks do.  After SPOOL_DRAIN_SMOOTH_MS
 * of a steady rate about half of it is seen.  That errs towards long waits when
 * MongoDB has just come back, and the next answer corrects it.
 */
#include "spool_drain.h"

#include <assert.h>

#include "bounds.h"
#include "clock.h"

#define SMOOTH_S ((double)SPOOL_DRAIN_SMOOTH_MS / 1000)

void spool_drain_init(struct spool_drain *drain, uint64_t now_ns)
{
    *drain = (struct spool_drain){.noted_ns = now_ns};
}

void spool_drain_note(struct spool_drain *drain, uint64_t bytes, uint64_t now_ns)
{
    double elapsed_s;

    assert(now_ns >= drain->noted_ns); /* the monotonic clock's word */
    elapsed_s = (double)(now_ns - drain->noted_ns) / (double)NS_PER_S;
    drain->bytes_per_s = (drain->bytes_per_s * SMOOTH_S + (double)bytes) / (SMOOTH_S + elapsed_s);
    drain->noted_ns = now_ns;
}

uint64_t spool_drain_wait_ms(const struct spool_drain *drain, uint64_t missing_bytes)
{
    double missing_ms = (double)missing_bytes * 1000;

    if (missing_ms <= drain->bytes_per_s * SPOOL_RETRY_MIN_MS)
        return SPOOL_RETRY_MIN_MS;
    /* Asked before it is divided: the rate may be 0. */
    if (missing_ms >= drain->bytes_per_s * SPOOL_RETRY_MAX_MS)
        return SPOOL_RETRY_MAX_MS;
    return (uint64_t)(missing_ms / drain->bytes_per_s);
}
