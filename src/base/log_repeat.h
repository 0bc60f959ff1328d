/*
 * log_repeat.h - which lines of an event that comes again and again are left
 * out.  Pure: the caller has the clock and the lock.
 *
 * An outage or a hostile client makes the same event thousands of times; the
 * first lines say all that there is to say, and the disk of the log is finite.
 */
#ifndef TRACESPOOL_LOG_REPEAT_H
#define TRACESPOOL_LOG_REPEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"

struct log_repeat_event {
    const char *name; /* a literal; NULL: free */
    uint64_t since_ns;
    unsigned written;  /* since then */
    uint64_t left_out; /* since the last that was written */
};

/* All zero: nothing yet. */
struct log_repeat {
    struct log_repeat_event events[LOG_EVENTS_MAX];
};

/*
 * Whether a line of `event` is to be written: at most LOG_REPEAT_BURST in
 * LOG_REPEAT_MS.  Then *left_out is how many before it were not.  An event
 * that has no place in the table any more is written always.
 */
bool log_repeat_pass(struct log_repeat *repeat, const char *event, uint64_t now_ns, uint64_t *left_out);

#endif
