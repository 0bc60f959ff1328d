/*
 * ctl_status_findings.c - what is wrong, and what to do next.  Pure.
 *
 * A finding says first whether anything is lost, since that is what whoever is
 * called at night wants to know, then what to do.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "clock.h"
#include "ctl_status.h"
#include "units.h"

#define BEHIND_NS (600 * NS_PER_S) /* the oldest waits longer although MongoDB takes batches */
#define NEARLY_FULL_PERCENT 80     /* of the spool, by what waits */

struct list {
    struct ctl_finding *findings;
    size_t count;
};

static void add(struct list *list, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void add(struct list *list, const char *code, const char *format, ...)
{
    struct ctl_finding *finding = &list->findings[list->count++];
    va_list arguments;

    va_start(arguments, format);
    finding->code = code;
    vsnprintf(finding->text, sizeof(finding->text), format, arguments);
    va_end(arguments);
}

static void find_delivery(const struct ctl_status *status, struct list *list)
{
    const struct spool_stat *stat = &status->stat;
    char age[UNITS_TEXT_MAX];
    uint64_t oldest = stat->oldest_pending_ns;

    if (stat->delivery.state == SPOOL_DELIVERY_MISCONFIGURED)
        add(list, "mongodb_misconfigured",
            "MongoDB refuses what waiting does not cure. Nothing is lost, batches wait. Correct what the error above "
            "names (mongodb.uri, user, rights); delivery goes on by itself once MongoDB accepts.");
    else if (stat->delivery.state == SPOOL_DELIVERY_STORAGE_FULL)
        add(list, "mongodb_full",
            "MongoDB has no room, or less than mongodb.min_free. Nothing is lost, batches wait and go on by "
            "themselves. "
            "Drop the oldest day there (docs/mongodb.md), shorten mongodb.retention, or enlarge its volume.");
    else if (stat->delivery.state == SPOOL_DELIVERY_BACKING_OFF)
        add(list, "mongodb_unavailable",
            "MongoDB does not take batches. Nothing is lost, they wait in the spool and go on by themselves. Look at "
            "mongod and at the network between.");
    else if (oldest != 0 && status->now_ns > oldest && status->now_ns - oldest > BEHIND_NS)
        add(list, "behind",
            "MongoDB takes batches, yet the oldest has waited %s: more comes than it stores. Look at mongod's load; "
            "flush.threads can be raised.",
            units_format_duration(age, status->now_ns - oldest));
}

size_t ctl_status_findings(const struct ctl_status *status, struct ctl_finding findings[CTL_FINDINGS_MAX])
{
    const struct spool_stat *stat = &status->stat;
    struct list list = {.findings = findings};
    char count[UNITS_TEXT_MAX];

    if (status->owner == 0)
        add(&list, "daemon_not_running",
            "tracespoold is not running: nothing is received or delivered%s. Start it (systemctl start tracespoold); "
            "journalctl -u tracespoold says why it ended.",
            stat->pending_records > 0 ? ", what is pending stays in the spool" : "");
    if (status->owner != 0 && stat->refusing)
        add(&list, "spool_full",
            "The spool is full and refuses; clients keep their batches and come back. It empties when MongoDB takes "
            "batches; a larger spool.size and a restart make room at once.");
    else if (stat->size_bytes > 0 && stat->pending_bytes > stat->size_bytes / 100 * NEARLY_FULL_PERCENT)
        add(&list, "spool_nearly_full", "More than %d %% of the spool waits for MongoDB: when it is full, it refuses.",
            NEARLY_FULL_PERCENT);
    if (status->owner != 0) /* else what is noted of MongoDB is old */
        find_delivery(status, &list);
    if (stat->damaged_files > 0)
        add(&list, "damaged_files",
            "%s of this spool %s found damaged and %s kept beside it, in damaged-<time>: what was in %s and not "
            "delivered is not in MongoDB. `tracespool salvage` of that directory sends what is intact; it stores "
            "nothing twice. When that is done, remove the directory.",
            stat->damaged_files == 1 ? "A file" : "Some files", stat->damaged_files == 1 ? "was" : "were",
            stat->damaged_files == 1 ? "is" : "are", stat->damaged_files == 1 ? "it" : "them");
    if (stat->held_records > 0)
        add(&list, "held",
            "%s %s held back from MongoDB, by an operator or because of damage: `tracespool ls` lists them, "
            "`tracespool ls --parked` says which are damaged, `tracespool release` delivers.",
            units_format_count(count, stat->held_records), stat->held_records == 1 ? "batch is" : "batches are");
    if (stat->parked_entries > 0)
        add(&list, "parked", "%s %s not stored in MongoDB and kept in the spool: `tracespool ls --parked` says why.",
            units_format_count(count, stat->parked_entries), stat->parked_entries == 1 ? "entry was" : "entries were");
    return list.count;
}
