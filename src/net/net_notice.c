/*
 * net_notice.c - counting between log lines.
 */
#include "net_notice.h"

#include "bounds.h"
#include "clock.h"

uint64_t net_notice_count(struct net_notice *notice, uint64_t now_ns)
{
    uint64_t count = ++notice->count;

    if (notice->said_ns != 0 && now_ns - notice->said_ns < NET_NOTICE_MS * NS_PER_MS)
        return 0;
    notice->said_ns = now_ns;
    notice->count = 0;
    return count;
}
