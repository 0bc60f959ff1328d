/*
 * ctl_flush_put.c - `tracespool flush` in words and as JSON.  Pure.
 */
#include "clock.h"
#include "ctl_flush.h"
#include "json.h"
#include "units.h"

bool ctl_flush_is_due(const struct ctl_status *status)
{
    const struct spool_delivery *delivery = &status->stat.delivery;

    return status->stat.pending_records > 0 && delivery->since_ns != 0 &&
           (delivery->state == SPOOL_DELIVERY_BACKING_OFF || delivery->state == SPOOL_DELIVERY_MISCONFIGURED ||
            delivery->state == SPOOL_DELIVERY_STORAGE_FULL);
}

void ctl_flush_put_pending(const struct ctl_status *status, struct buf *out)
{
    const struct spool_stat *stat = &status->stat;
    char a[UNITS_TEXT_MAX], b[UNITS_TEXT_MAX];

    buf_printf(out, "%s %s, %s %s", units_format_count(a, stat->pending_records),
               stat->pending_records == 1 ? "batch" : "batches", units_format_count(b, stat->pending_spans),
               stat->pending_spans == 1 ? "span" : "spans");
}

/* What it was doing, so that whoever reads it knows what was cut short. */
static const char *what_it_did(enum spool_delivery_state state)
{
    switch (state) {
    case SPOOL_DELIVERY_MISCONFIGURED:
        return "MongoDB refused what waiting does not cure";
    case SPOOL_DELIVERY_STORAGE_FULL:
        return "MongoDB had no room";
    default:
        return "it was backing off";
    }
}

void ctl_flush_put_asked(const struct ctl_flush *flush, struct buf *out)
{
    const struct ctl_status *status = &flush->before;
    const struct spool_delivery *delivery = &status->stat.delivery;
    char text[UNITS_TEXT_MAX];

    if (status->stat.pending_records == 0) {
        buf_text(out, "nothing is pending\n");
        return;
    }
    if (flush->asked)
        buf_printf(out, "asked the daemon, process %d, to try now: %s for %s; ", (int)status->owner,
                   what_it_did(delivery->state),
                   units_format_duration(text, ctl_status_age(status, delivery->since_ns)));
    else
        buf_printf(out, "the daemon, process %d, does not wait: %s; ", (int)status->owner,
                   delivery->since_ns != 0 && delivery->state == SPOOL_DELIVERY_FLOWING
                       ? "MongoDB takes batches"
                       : "it is about to send the first ones");
    ctl_flush_put_pending(status, out);
    buf_text(out, " pending\n");
}

void ctl_flush_put_waited(const struct ctl_flush *flush, struct buf *out)
{
    const struct spool_delivery *delivery = &flush->after.stat.delivery;
    char text[UNITS_TEXT_MAX];

    units_format_duration(text, flush->waited_ns);
    if (flush->done) {
        buf_printf(out, "all that was pending is delivered, after %s", text);
        return;
    }
    buf_printf(out, "after %s ", text);
    ctl_flush_put_pending(&flush->after, out);
    buf_text(out, " are pending");
    if (flush->after.owner == 0)
        buf_text(out, ", and the daemon has ended");
    else if (delivery->since_ns != 0)
        buf_printf(out, "; MongoDB: %s%s%s", spool_delivery_state_name(delivery->state),
                   delivery->text[0] != '\0' ? ": " : "", delivery->text);
}

void ctl_flush_json(const struct ctl_flush *flush, struct buf *out)
{
    const struct ctl_status *before = &flush->before, *after = flush->waited ? &flush->after : &flush->before;
    struct json json;

    json_init(&json, out);
    json_begin_object(&json);
    json_key(&json, "daemon_pid");
    if (before->owner != 0)
        json_int(&json, before->owner);
    else
        json_null(&json);
    json_member_bool(&json, "asked", flush->asked);
    json_key(&json, "state_before");
    json_text(&json,
              before->stat.delivery.since_ns != 0 ? spool_delivery_state_name(before->stat.delivery.state) : NULL);
    json_key(&json, "state_seconds");
    if (before->stat.delivery.since_ns != 0)
        json_double(&json, (double)ctl_status_age(before, before->stat.delivery.since_ns) / NS_PER_S);
    else
        json_null(&json);
    json_key(&json, "waited_seconds");
    if (flush->waited)
        json_double(&json, (double)flush->waited_ns / NS_PER_S);
    else
        json_null(&json);
    json_key(&json, "delivered");
    if (flush->waited)
        json_bool(&json, flush->done);
    else
        json_null(&json);
    json_member_uint(&json, "pending_batches", after->stat.pending_records);
    json_member_uint(&json, "pending_spans", after->stat.pending_spans);
    json_key(&json, "last_error");
    json_text(&json, after->stat.delivery.text[0] != '\0' ? after->stat.delivery.text : NULL);
    json_end_object(&json);
    buf_text(out, "\n");
}
