/*
 * sink_retention.c - a day is dropped as a whole: that takes milliseconds,
 * touches no index, and gives the room back to the volume, after about five
 * minutes.
 *
 * The notes of what was taken apart of a day (sink_apart.c) go with the day
 * after it, as a fragment may have spans on both sides of midnight.
 *
 * Runs on the thread of upkeep.  Several daemons may drop the same day that
 * retention ends: for all but one it is gone already.  What goes for want of
 * room goes by one daemon at a time (sink_drops.c).
 */
#include "sink_retention.h"

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "sink_apart.h"
#include "sink_drops.h"

#define NAMESPACE_NOT_FOUND 26

/* --- which days ----------------------------------------------------------- */

uint64_t sink_retention_past(uint64_t retention_ns)
{
    return retention_ns == 0 ? SINK_PLACEMENT_PAST_DAYS * NS_PER_DAY : retention_ns;
}

bool sink_retention_is_over(uint32_t day, uint64_t retention_ns, uint64_t now_ns)
{
    uint64_t ended_days = now_ns > retention_ns ? (now_ns - retention_ns) / NS_PER_DAY : 0;

    return retention_ns != 0 && day < ended_days;
}

bool sink_retention_oldest(const struct sink_listing *listing, uint64_t now_ns, uint32_t *day)
{
    if (listing->day_count < 2)
        return false;
    *day = listing->days[listing->day_count - 1];
    return *day < now_ns / NS_PER_DAY;
}

/* --- dropping ------------------------------------------------------------- */

static void note_dropped(const struct sink_link *link, const char *name, enum sink_drop_reason reason)
{
    bool full = reason == SINK_DROP_FULL;

    metrics_add(full ? METRIC_MONGODB_DAYS_DROPPED_FULL : METRIC_MONGODB_DAYS_DROPPED_RETENTION, 1);
    log_info("mongodb.day_dropped", "dropped %s.%s: %s", link->mongo->database, name,
             full ? "the volume is full, and mongodb.when_full is drop_oldest"
                  : "all of it is older than mongodb.retention");
}

/* 0 also when it is gone already. */
static int drop(const struct sink_link *link, uint32_t day, enum sink_drop_reason reason, struct err *err)
{
    char name[SINK_DAY_NAME_MAX];
    bson_t *command = BCON_NEW("drop", BCON_UTF8(sink_day_name(name, day)));
    bool existed;
    int result = sink_collections_command(link, command, &existed, err);

    bson_destroy(command);
    sink_collections_forget(link->mongo, day); /* also when that failed: it may be gone */
    if (result == 0)
        note_dropped(link, name, reason);
    else if (err->code != NAMESPACE_NOT_FOUND)
        return err_prefix(err, "drop %s", name);
    return 0;
}

/* Every day of the listing that is over. */
static int drop_ended(const struct sink_link *link, const struct sink_listing *listing, const struct sink_clock *now,
                      size_t *dropped, struct err *err)
{
    struct err later;
    int result = 0;

    for (size_t left = listing->day_count; left > 0; left--) {
        uint32_t oldest = listing->days[left - 1];

        if (!sink_retention_is_over(oldest, link->mongo->retention_ns, now->earlier_ns))
            break;
        if (sink_drops_note(link, oldest, now->server_ns, result == 0 ? err : &later) != 0)
            result = -1;
        if (drop(link, oldest, SINK_DROP_RETENTION, err) != 0)
            return -1;
        ++*dropped;
    }
    return result;
}

/* Notes of days that are over, with the day after each. */
static int drop_ended_notes(const struct sink_link *link, const struct sink_listing *listing, uint64_t now_ns,
                            struct err *err)
{
    for (size_t i = 0; i < listing->apart_count; i++)
        if (sink_retention_is_over(listing->apart[i] + 1, link->mongo->retention_ns, now_ns) &&
            sink_apart_drop(link, listing->apart[i], err) != 0)
            return -1;
    return 0;
}

/* Notes of days before `day`, which has gone. */
static int drop_notes_before(const struct sink_link *link, const struct sink_listing *listing, uint32_t day,
                             struct err *err)
{
    for (size_t i = 0; i < listing->apart_count; i++)
        if (listing->apart[i] < day && sink_apart_drop(link, listing->apart[i], err) != 0)
            return -1;
    return 0;
}

int sink_retention_pass(const struct sink_link *link, const struct sink_clock *now, size_t *dropped, struct err *err)
{
    struct sink_listing listing;
    struct err later;
    int result;

    *dropped = 0;
    if (link->mongo->retention_ns == 0)
        return 0;
    result = sink_listing_read(link, &listing, err);
    if (result == 0)
        result = drop_ended(link, &listing, now, dropped, err);
    if (result == 0)
        result = drop_ended_notes(link, &listing, now->earlier_ns, err);
    sink_listing_free(&listing);
    if (*dropped > 0 && sink_views_update(link, result == 0 ? err : &later) != 0)
        result = -1;
    return result;
}

int sink_retention_make_room(const struct sink_link *link, const struct sink_clock *now, uint64_t *pause_ns,
                             struct err *err)
{
    struct sink_listing listing;
    uint32_t day = 0;
    int result = sink_listing_read(link, &listing, err);

    *pause_ns = 0;
    if (result == 0 && !sink_retention_oldest(&listing, now->earlier_ns, &day))
        result = err_set(err, ERR_CONFIG, 0, "there is no day before today's that could be dropped to make room");
    if (result == 0)
        result = sink_drops_claim(link, day, now->server_ns, pause_ns, err);
    if (result == 0 && *pause_ns == 0) {
        *pause_ns = SINK_DROP_PAUSE_S * NS_PER_S;
        result = drop(link, day, SINK_DROP_FULL, err) != 0 || sink_views_update(link, err) != 0 ||
                         drop_notes_before(link, &listing, day, err) != 0
                     ? -1
                     : 0;
    }
    sink_listing_free(&listing);
    return result;
}
