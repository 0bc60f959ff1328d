/*
 * flush_pace.h - when so many spans more may be sent, by a rate.  Pure: no clock.
 */
#ifndef TRACESPOOL_FLUSH_PACE_H
#define TRACESPOOL_FLUSH_PACE_H

#include <stdint.h>

/* As {0}, nothing has been sent. */
struct flush_pace {
    uint64_t free_ns; /* monotonic: what was sent is paid for by then */
};

/*
 * `spans` are about to be sent, at `rate` a second (0: any).  Returns when
 * that may be, at once if the rate has not been used up: what was sent before
 * has to be paid for first.  Time in which nothing was sent is not saved up.
 */
uint64_t flush_pace_take(struct flush_pace *pace, uint64_t rate, uint64_t spans, uint64_t now_ns);

#endif
