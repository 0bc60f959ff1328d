/*
 * ctl_status_json.c - `tracespool status --json`.  Pure.
 *
 * The names are an interface: they are listed in docs/command.md and stay.
 */
#include "clock.h"
#include "ctl_status.h"
#include "json.h"

/* Wall time in ns; null when it is 0, which means never. */
static void put_time(struct json *json, const char *key, uint64_t ns)
{
    json_key(json, key);
    if (ns == 0)
        json_null(json);
    else
        json_uint(json, ns);
}

static void put_age(struct json *json, const char *key, const struct ctl_status *status, uint64_t then_ns)
{
    json_key(json, key);
    if (then_ns == 0)
        json_null(json);
    else
        json_double(json, (double)ctl_status_age(status, then_ns) / NS_PER_S);
}

/* A duration; null when it is 0, which means that nobody knows. */
static void put_left(struct json *json, const char *key, uint64_t left_ns)
{
    json_key(json, key);
    if (left_ns == 0)
        json_null(json);
    else
        json_double(json, (double)left_ns / NS_PER_S);
}

static void put_daemon(struct json *json, const struct ctl_status *status)
{
    json_key(json, "daemon");
    json_begin_object(json);
    json_member_bool(json, "running", status->owner != 0);
    json_key(json, "pid");
    if (status->owner != 0)
        json_int(json, status->owner);
    else
        json_null(json);
    json_end_object(json);
    json_member_bool(json, "receiving", status->owner != 0 && !status->stat.refusing);
    json_member_bool(json, "refusing", status->stat.refusing);
}

static void put_batches(struct json *json, const struct ctl_status *status)
{
    const struct spool_stat *stat = &status->stat;

    json_key(json, "pending");
    json_begin_object(json);
    json_member_uint(json, "batches", stat->pending_records);
    json_member_uint(json, "spans", stat->pending_spans);
    json_member_uint(json, "stored_bytes", stat->pending_bytes);
    put_time(json, "oldest_received_unix_ns", stat->oldest_pending_ns);
    put_age(json, "oldest_age_seconds", status, stat->oldest_pending_ns);
    put_left(json, "drained_in_seconds", ctl_status_left_ns(status));
    json_end_object(json);
    json_key(json, "parked");
    json_begin_object(json);
    json_member_uint(json, "entries", stat->parked_entries);
    json_end_object(json);
    json_key(json, "held");
    json_begin_object(json);
    json_member_uint(json, "batches", stat->held_records);
    json_end_object(json);
    json_key(json, "history");
    json_begin_object(json);
    json_member_uint(json, "batches", stat->history_records);
    put_time(json, "oldest_received_unix_ns", stat->history_records > 0 ? stat->oldest_record_ns : 0);
    json_end_object(json);
}

static void put_rate(struct json *json, const char *key, double rate)
{
    json_key(json, key);
    json_double(json, rate);
}

static void put_rates(struct json *json, const struct ctl_status *status)
{
    json_key(json, "rates");
    if (!status->rates_known) {
        json_null(json);
        return;
    }
    json_begin_object(json);
    put_rate(json, "received_batches_per_second", status->rates.received_records);
    put_rate(json, "received_spans_per_second", status->rates.received_spans);
    put_rate(json, "delivered_batches_per_second", status->rates.delivered_records);
    put_rate(json, "delivered_spans_per_second", status->rates.delivered_spans);
    json_end_object(json);
}

static void put_disk(struct json *json, const struct ctl_status *status)
{
    json_key(json, "disk");
    json_begin_object(json);
    json_member_uint(json, "size_bytes", status->stat.size_bytes);
    json_member_uint(json, "used_bytes", status->stat.used_bytes);
    json_member_uint(json, "damaged_files", status->stat.damaged_files);
    json_key(json, "file_system_free_bytes");
    if (status->file_system_known)
        json_uint(json, status->file_system_free_bytes);
    else
        json_null(json);
    json_end_object(json);
}

static void put_mongodb(struct json *json, const struct ctl_status *status)
{
    const struct spool_delivery *delivery = &status->stat.delivery;

    json_key(json, "mongodb");
    json_begin_object(json);
    json_key(json, "state");
    json_text(json, delivery->since_ns != 0 ? spool_delivery_state_name(delivery->state) : NULL);
    put_time(json, "since_unix_ns", delivery->since_ns);
    json_member_uint(json, "failed_attempts", delivery->attempts);
    json_key(json, "last_error");
    json_text(json, delivery->text[0] != '\0' ? delivery->text : NULL);
    put_time(json, "last_confirmed_unix_ns", delivery->last_ok_ns);
    json_end_object(json);
}

static void put_totals(struct json *json, const struct spool_stat *stat)
{
    json_key(json, "totals");
    json_begin_object(json);
    json_member_uint(json, "received_batches", stat->received_records);
    json_member_uint(json, "received_spans", stat->received_spans);
    json_member_uint(json, "delivered_spans", stat->delivered_spans);
    json_member_uint(json, "evicted_batches", stat->evicted_records);
    json_member_uint(json, "dropped_batches", stat->dropped_records);
    json_member_uint(json, "dropped_spans", stat->dropped_spans);
    json_member_uint(json, "removed_batches", stat->removed_records);
    json_member_uint(json, "next_seq", stat->next_seq);
    json_end_object(json);
}

static void put_findings(struct json *json, const struct ctl_status *status)
{
    struct ctl_finding findings[CTL_FINDINGS_MAX];
    size_t count = ctl_status_findings(status, findings);

    json_key(json, "findings");
    json_begin_array(json);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(json);
        json_key(json, "code");
        json_text(json, findings[i].code);
        json_key(json, "text");
        json_text(json, findings[i].text);
        json_end_object(json);
    }
    json_end_array(json);
}

void ctl_status_json(const struct ctl_status *status, struct buf *out)
{
    struct json json;

    json_init(&json, out);
    json_begin_object(&json);
    json_key(&json, "spool");
    json_text(&json, status->path);
    put_time(&json, "time_unix_ns", status->now_ns);
    put_daemon(&json, status);
    put_batches(&json, status);
    put_rates(&json, status);
    put_disk(&json, status);
    put_mongodb(&json, status);
    put_totals(&json, &status->stat);
    put_findings(&json, status);
    json_end_object(&json);
}
