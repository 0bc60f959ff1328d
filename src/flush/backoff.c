/*
 * backoff.c - full jitter with a floor.
 *
 * The floor keeps a fast failure (connection refused) from becoming a busy
 * loop when the draw is near zero.
 */
#include "backoff.h"

#include "bounds.h"

/* FLUSH_BACKOFF_MIN_MS doubled this often has passed FLUSH_BACKOFF_MAX_MS; shifting further would overflow. */
#define DOUBLINGS_MAX 20

static_assert(((uint64_t)FLUSH_BACKOFF_MIN_MS << DOUBLINGS_MAX) > FLUSH_BACKOFF_MAX_MS, "the ceiling is reached");

uint64_t backoff_ms(uint64_t attempt, uint64_t random)
{
    uint64_t doublings = attempt < DOUBLINGS_MAX ? attempt : DOUBLINGS_MAX;
    uint64_t ceiling = (uint64_t)FLUSH_BACKOFF_MIN_MS << doublings;

    if (ceiling > FLUSH_BACKOFF_MAX_MS)
        ceiling = FLUSH_BACKOFF_MAX_MS;
    return FLUSH_BACKOFF_MIN_MS + random % (ceiling - FLUSH_BACKOFF_MIN_MS + 1);
}
