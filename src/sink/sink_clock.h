/*
 * sink_clock.h - what time it is, by two clocks.
 */
#ifndef TRACESPOOL_SINK_CLOCK_H
#define TRACESPOOL_SINK_CLOCK_H

#include <stdint.h>

#include "err.h"

struct sink_link;

/* Wall clock, ns since 1970. */
struct sink_clock {
    uint64_t earlier_ns; /* ours or the primary's: a clock that is years ahead ends no day */
    uint64_t server_ns;  /* the primary's, which all daemons share; ours when it does not tell */
};

/* Asks the primary.  -1: ERR_RETRY, ERR_CONFIG.  Blocks. */
int sink_clock_ask(const struct sink_link *link, struct sink_clock *now, struct err *err);

#endif
