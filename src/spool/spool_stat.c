/*
 * spool_stat.c - the figures of the spool, for people and for metrics.
 *
 * Any thread of any process; one short read transaction.  Sums come from the
 * counters, times from three records: the first, the last, and the oldest that
 * is pending.  So the work is the same whatever the spool holds.
 */
#include <string.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "spool_aside.h"
#include "spool_internal.h"
#include "spool_pace.h"
#include "spool_parts.h"
#include "spool_pending.h"
#include "spool_space.h"
#include "spool_state.h"

#define SEQ_BYTES 8

const char *spool_record_state_name(enum spool_record_state state)
{
    switch (state) {
    case SPOOL_PENDING:
        return "pending";
    case SPOOL_DELIVERED:
        return "delivered";
    case SPOOL_HELD:
        return "held";
    }
    return "unknown";
}

const char *spool_delivery_state_name(enum spool_delivery_state state)
{
    switch (state) {
    case SPOOL_DELIVERY_STARTING:
        return "starting";
    case SPOOL_DELIVERY_FLOWING:
        return "flowing";
    case SPOOL_DELIVERY_BACKING_OFF:
        return "backing off";
    case SPOOL_DELIVERY_MISCONFIGURED:
        return "misconfigured";
    case SPOOL_DELIVERY_STORAGE_FULL:
        return "storage full";
    case SPOOL_DELIVERY_STATE_COUNT:
        break;
    }
    return "unknown";
}

static int received_here(struct spool_parts_reader *reader, uint64_t *received_ns)
{
    struct spool_part head;
    bool damaged;
    int rc = spool_parts_head(reader, &head, &damaged);

    if (rc == 0)
        *received_ns = head.received_ns;
    return rc;
}

static int received_from(struct spool_parts_reader *reader, uint64_t seq, uint64_t *received_ns)
{
    uint8_t prefix[SEQ_BYTES];
    int rc;

    spool_key_put_u64(prefix, seq);
    rc = spool_parts_seek(reader, prefix);
    return rc == 0 ? received_here(reader, received_ns) : rc;
}

static int stat_times(MDB_txn *txn, const struct spool *spool, struct spool_stat *stat)
{
    struct spool_parts_reader reader;
    struct spool_range range;
    int rc = spool_parts_open(&reader, txn, spool->records, SEQ_BYTES);

    if (rc != 0)
        return rc;
    if ((rc = received_from(&reader, 0, &stat->oldest_record_ns)) == 0 && (rc = spool_parts_last(&reader)) == 0)
        rc = received_here(&reader, &stat->newest_received_ns);
    if (rc == 0)
        rc = spool_pending_find(txn, spool->pending, 0, &range);
    if (rc == 0 && range.first < stat->next_seq)
        rc = received_from(&reader, range.first, &stat->oldest_pending_ns);
    spool_parts_close(&reader);
    return rc == MDB_NOTFOUND ? 0 : rc; /* an empty spool has no times */
}

static uint64_t history_records(const struct spool_counters *counters)
{
    uint64_t others = counters->pending_records + counters->held_records;

    return counters->kept_records > others ? counters->kept_records - others : 0;
}

static int stat_counters(MDB_txn *txn, const struct spool *spool, struct spool_stat *stat)
{
    struct spool_counters counters;
    uint64_t used_pages;
    int rc;

    if ((rc = spool_state_get_counters(txn, spool, &counters)) != 0 ||
        (rc = spool_space_used(txn, spool, &used_pages)) != 0)
        return rc;
    *stat = (struct spool_stat){
        .size_bytes = spool->readonly ? counters.size_bytes : spool->size_bytes,
        .used_bytes = used_pages * spool->page_bytes,
        .pending_records = counters.pending_records,
        .pending_spans = counters.pending_spans,
        .pending_bytes = counters.pending_bytes,
        .history_records = history_records(&counters),
        .held_records = counters.held_records,
        .next_seq = counters.next_seq,
        .parked_entries = counters.parked_entries,
        .received_records = counters.received_records,
        .received_spans = counters.received_spans,
        .delivered_records = counters.delivered_records,
        .delivered_spans = counters.delivered_spans,
        .evicted_records = counters.evicted_records,
        .dropped_records = counters.dropped_records,
        .dropped_spans = counters.dropped_spans,
        .removed_records = counters.removed_records,
        .damaged_files = spool_aside_count(spool->path),
        .refusing = counters.refusing != 0,
        .pace = counters.pace,
        .marks = counters.marks,
    };
    return spool_state_get_delivery(txn, spool, &stat->delivery);
}

int spool_stat(struct spool *spool, struct spool_stat *stat, struct err *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(spool->env, NULL, MDB_RDONLY, &txn);

    if (rc == 0) {
        rc = stat_counters(txn, spool, stat);
        if (rc == 0)
            rc = stat_times(txn, spool, stat);
        mdb_txn_abort(txn);
    }
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot read spool %s", spool->path);
}

int spool_stat_pending(struct spool *spool, uint64_t *records, uint64_t *spans, struct err *err)
{
    struct spool_counters counters;
    int rc = spool_state_read_counters(spool, &counters);

    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot read spool %s", spool->path);
    *records = counters.pending_records;
    *spans = counters.pending_spans;
    return 0;
}

static uint64_t age_s(uint64_t since_ns)
{
    uint64_t now_ns = clock_wall_ns();

    /* A wall clock that was set back must not make an age of centuries. */
    return since_ns == 0 || since_ns > now_ns ? 0 : (now_ns - since_ns) / NS_PER_S;
}

static uint64_t drained_in_s(const struct spool_stat *stat)
{
    uint64_t left_ns = spool_pace_left_ns(&stat->pace, stat->pending_spans, clock_wall_ns());

    if (stat->pending_spans == 0)
        return 0;
    return left_ns == 0 ? METRICS_UNKNOWN : left_ns / NS_PER_S;
}

void spool_refresh_metrics(struct spool *spool)
{
    struct spool_stat stat;
    struct err err;

    /* No reader slot just now: the gauges keep what they had. */
    if (spool_stat(spool, &stat, &err) == -1) {
        log_warn("spool.stat_failed", "%s", err.text);
        return;
    }
    metrics_set(METRIC_SPOOL_SIZE_BYTES, stat.size_bytes);
    metrics_set(METRIC_SPOOL_USED_BYTES, stat.used_bytes);
    metrics_set(METRIC_SPOOL_PENDING_RECORDS, stat.pending_records);
    metrics_set(METRIC_SPOOL_PENDING_SPANS, stat.pending_spans);
    metrics_set(METRIC_SPOOL_PENDING_BYTES, stat.pending_bytes);
    metrics_set(METRIC_SPOOL_HELD_RECORDS, stat.held_records);
    metrics_set(METRIC_SPOOL_DAMAGED_FILES, stat.damaged_files);
    metrics_set(METRIC_SPOOL_PARKED, stat.parked_entries);
    metrics_set(METRIC_SPOOL_HISTORY_RECORDS, stat.history_records);
    metrics_set(METRIC_SPOOL_HISTORY_SECONDS, stat.history_records == 0 ? 0 : age_s(stat.oldest_record_ns));
    metrics_set(METRIC_SPOOL_OLDEST_PENDING_SECONDS, age_s(stat.oldest_pending_ns));
    metrics_set(METRIC_SPOOL_DRAINED_IN_SECONDS, drained_in_s(&stat));
}
