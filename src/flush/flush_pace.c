/*
 * flush_pace.c - a bucket without depth: each write waits for those before it.
 */
#include "flush_pace.h"

#include "clock.h"

uint64_t flush_pace_take(struct flush_pace *pace, uint64_t rate, uint64_t spans, uint64_t now_ns)
{
    uint64_t at_ns = pace->free_ns > now_ns ? pace->free_ns : now_ns;

    if (rate == 0)
        return now_ns;
    pace->free_ns = at_ns + spans * NS_PER_S / rate;
    return at_ns;
}
