/*
 * net_quota.h - how many connections there may be, over all listeners.
 *
 * Any thread.  A listener takes one for each connection that it accepts; who
 * has the connection in the end gives it back, after closing it.
 */
#ifndef TRACESPOOL_NET_QUOTA_H
#define TRACESPOOL_NET_QUOTA_H

#include <stdatomic.h>
#include <stdbool.h>

struct net_quota {
    unsigned max; /* set once */
    atomic_uint used;
};

void net_quota_init(struct net_quota *quota, unsigned max);
bool net_quota_take(struct net_quota *quota); /* false: at the bound */
void net_quota_release(struct net_quota *quota);
unsigned net_quota_used(const struct net_quota *quota);

#endif
