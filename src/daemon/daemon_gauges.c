/*
 * daemon_gauges.c - read when somebody asks, so that nobody counts for nobody.
 *
 * The admin's thread.  The spool does not know metrics' names, nor the admin
 * endpoint the spool: they meet here.
 */
#include "daemon_gauges.h"

#include "clock.h"
#include "log.h"
#include "metrics.h"

static uint64_t age_s(uint64_t since_ns)
{
    uint64_t now = clock_wall_ns();

    /* A wall clock that was set back must not make an age of centuries. */
    return since_ns == 0 || since_ns > now ? 0 : (now - since_ns) / NS_PER_S;
}

void daemon_gauges_refresh(struct spool *spool)
{
    struct spool_stat stat;
    struct err err;

    if (spool_stat(spool, &stat, &err) != 0) {
        log_warn("admin.stat_failed", "%s", err.text);
        return;
    }
    metrics_set(METRIC_SPOOL_SIZE_BYTES, stat.size_bytes);
    metrics_set(METRIC_SPOOL_USED_BYTES, stat.used_bytes);
    metrics_set(METRIC_SPOOL_PENDING_RECORDS, stat.pending_records);
    metrics_set(METRIC_SPOOL_PENDING_SPANS, stat.pending_spans);
    metrics_set(METRIC_SPOOL_PENDING_BYTES, stat.pending_bytes);
    metrics_set(METRIC_SPOOL_OLDEST_PENDING_SECONDS, age_s(stat.oldest_pending_ns));
    metrics_set(METRIC_SPOOL_PARKED, stat.parked_entries);
}
