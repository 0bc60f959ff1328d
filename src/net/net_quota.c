/*
 * net_quota.c - one atomic counter that never passes its bound, and the
 * gauge that shows it.
 */
#include "net_quota.h"

#include <assert.h>

#include "metrics.h"

void net_quota_init(struct net_quota *quota, unsigned max)
{
    assert(max > 0);
    quota->max = max;
    atomic_init(&quota->used, 0);
}

bool net_quota_take(struct net_quota *quota)
{
    unsigned used = atomic_load(&quota->used);

    do {
        if (used == quota->max)
            return false;
    } while (!atomic_compare_exchange_weak(&quota->used, &used, used + 1));
    metrics_add(METRIC_NET_OPEN, 1);
    return true;
}

void net_quota_release(struct net_quota *quota)
{
    unsigned before = atomic_fetch_sub(&quota->used, 1);

    assert(before > 0);
    (void)before;
    metrics_add(METRIC_NET_OPEN, (uint64_t)-1);
}

unsigned net_quota_used(const struct net_quota *quota)
{
    return atomic_load(&quota->used);
}
