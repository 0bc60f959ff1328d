/*
 * net_notice.h - a trouble that may come a thousand times a second is logged
 * once in NET_NOTICE_MS, with how often it came.
 *
 * One thread.  Zeroed is ready.
 */
#ifndef TRACESPOOL_NET_NOTICE_H
#define TRACESPOOL_NET_NOTICE_H

#include <stdint.h>

struct net_notice {
    uint64_t said_ns; /* monotonic; 0: never */
    uint64_t count;   /* since then */
};

/* One more.  How many there were since the last line when a line is due now, else 0. */
uint64_t net_notice_count(struct net_notice *notice, uint64_t now_ns);

#endif
