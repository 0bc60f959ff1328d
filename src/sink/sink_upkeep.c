/*
 * sink_upkeep.c - one thread, three jobs, each at its own time.
 *
 *   pass   at the start, each hour, soon after midnight: days that are needed
 *          next are made ahead of need, days that retention ends are dropped,
 *          the indexes of the others are looked at
 *   space  every SINK_SPACE_INTERVAL_S: what is free on MongoDB's volume
 *   room   while the volume is full, if that is wanted: the oldest day goes
 *
 * Blocks on the network, bounded by the driver's timeouts.  Nothing here is
 * needed to deliver, so no failure is fatal: each step's is said once, until
 * it is another one, and tried again; what only a person can mend at the next
 * hour, since each try leaves a line in the server's log.
 *
 * Days are dropped by the earlier one of two clocks, ours and the primary's: a
 * clock that is years ahead would otherwise end all of them.
 */
#include "sink_upkeep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "sink_errors.h"
#include "sink_listing.h"
#include "sink_retention.h"

/* In the order in which they are done when all are due: of a database that is not there yet no space is told. */
enum job_name { JOB_PASS, JOB_SPACE, JOB_ROOM, JOB_COUNT };

/* What may fail by itself.  They need different rights, so none keeps another from being tried, or said. */
enum step { STEP_CONNECT, STEP_CLOCK, STEP_AHEAD, STEP_RETENTION, STEP_INDEXES, STEP_SPACE, STEP_ROOM, STEP_COUNT };

struct sink_upkeep {
    /* set once */
    struct sink_link link;
    pthread_t thread;

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;

    /* owned by the thread */
    uint64_t due_ns[JOB_COUNT];          /* monotonic */
    char said[STEP_COUNT][ERR_TEXT_MAX]; /* the failure that was logged last; "" when it has succeeded since */
};

uint64_t sink_upkeep_pause_ns(uint64_t wall_ns)
{
    const uint64_t hour_ns = SINK_UPKEEP_INTERVAL_S * NS_PER_S;
    uint64_t into_day_ns = (wall_ns + NS_PER_DAY - SINK_UPKEEP_MIDNIGHT_S * NS_PER_S) % NS_PER_DAY;
    uint64_t left_ns = NS_PER_DAY - into_day_ns;

    return left_ns < hour_ns ? left_ns : hour_ns;
}

/* --- steps ---------------------------------------------------------------- */

/* By any step: several fail in the same way when one right is missing. */
static bool is_said(const struct sink_upkeep *upkeep, const char *failure)
{
    bool found = false;

    for (enum step step = 0; step < STEP_COUNT; step++)
        found |= strcmp(upkeep->said[step], failure) == 0;
    return found;
}

static void tell(struct sink_upkeep *upkeep, enum step step, const char *failure)
{
    if (failure[0] != '\0' && !is_said(upkeep, failure))
        log_warn("mongodb.upkeep_failed", "%s", failure);
    snprintf(upkeep->said[step], sizeof(upkeep->said[step]), "%s", failure);
}

/* A step that the network was needed for is done.  True when it succeeded; what may pass by itself shortens the pause. */
static bool settle(struct sink_upkeep *upkeep, enum step step, int result, const struct err *err, uint64_t *pause_ns)
{
    const uint64_t soon_ns = SINK_UPKEEP_RETRY_S * NS_PER_S;

    tell(upkeep, step, result == 0 ? "" : err->text);
    sink_pool_note(upkeep->link.mongo, result == 0 ? NULL : err);
    if (result != 0)
        sink_monitor_doubt(
            &upkeep->link.mongo->monitor); /* at a start nothing was lost that the monitors could tell of */
    if (result != 0 && err->class != ERR_CONFIG && soon_ns < *pause_ns)
        *pause_ns = soon_ns;
    return result == 0;
}

/* --- jobs ----------------------------------------------------------------- */

static int make_ahead(const struct sink_link *link, uint64_t now_ns, struct err *err)
{
    uint32_t today = (uint32_t)(now_ns / NS_PER_DAY);

    return sink_collections_prepare(link, today, err) != 0 ? -1 : sink_collections_prepare(link, today + 1, err);
}

static int look_at_indexes(const struct sink_link *link, struct err *err)
{
    struct sink_listing listing;
    bool fresh;
    int result = sink_listing_read(link, &listing, err);

    if (result == 0)
        sink_index_notes_forget(link->mongo, &listing);
    for (size_t i = 0; result == 0 && i < listing.day_count; i++) {
        result = sink_indexes_keep(link, listing.days[i], &fresh, err);
        if (result == 0 && fresh)
            sink_collections_forget(link->mongo, listing.days[i]);
        if (result != 0 && err->code == SINK_INDEXES_GONE) /* since the listing: what was to be dropped is */
            result = 0;
    }
    sink_listing_free(&listing);
    return result;
}

/* Each job: how long until it is due again. */
static uint64_t do_pass(struct sink_upkeep *upkeep)
{
    const struct sink_link *link = &upkeep->link;
    uint64_t pause_ns = sink_upkeep_pause_ns(clock_wall_ns());
    struct sink_clock now;
    size_t dropped;
    struct err err;
    bool done;

    if (!settle(upkeep, STEP_CLOCK, sink_clock_ask(link, &now, &err), &err, &pause_ns))
        return pause_ns;
    done = settle(upkeep, STEP_AHEAD, make_ahead(link, now.earlier_ns, &err), &err, &pause_ns);
    done &= settle(upkeep, STEP_RETENTION, sink_retention_pass(link, &now, &dropped, &err), &err, &pause_ns);
    if (dropped > 0) /* the room that this gives comes later, too */
        upkeep->due_ns[JOB_ROOM] = clock_mono_ns() + SINK_DROP_PAUSE_S * NS_PER_S;
    done &= settle(upkeep, STEP_INDEXES, look_at_indexes(link, &err), &err, &pause_ns);
    if (done)
        log_debug("mongodb.upkeep_passed", "the collections are in order; dropped %zu days", dropped);
    return pause_ns;
}

static uint64_t do_space(struct sink_upkeep *upkeep)
{
    uint64_t pause_ns = SINK_SPACE_INTERVAL_S * NS_PER_S;
    struct err err;
    enum sink_space_measured measured = sink_space_measure(&upkeep->link, &err);

    if (measured == SINK_SPACE_ABSENT) {
        err_prefix(&err, "mongodb.min_free has no effect");
        pause_ns = SINK_UPKEEP_INTERVAL_S * NS_PER_S;
    }
    settle(upkeep, STEP_SPACE, measured == SINK_SPACE_MEASURED ? 0 : -1, &err, &pause_ns);
    return pause_ns;
}

static uint64_t do_room(struct sink_upkeep *upkeep)
{
    uint64_t pause_ns = SINK_DROP_PAUSE_S * NS_PER_S, wait_ns;
    struct sink_clock now;
    struct err err;
    int result;

    if (!settle(upkeep, STEP_CLOCK, sink_clock_ask(&upkeep->link, &now, &err), &err, &pause_ns))
        return pause_ns;
    result = sink_retention_make_room(&upkeep->link, &now, &wait_ns, &err);
    return settle(upkeep, STEP_ROOM, result, &err, &pause_ns) ? wait_ns : pause_ns;
}

static bool is_wanted(struct sink_upkeep *upkeep, enum job_name name)
{
    struct err full;

    return name != JOB_ROOM || (upkeep->link.mongo->drop_oldest && sink_space_check(upkeep->link.mongo, &full) != 0);
}

static void do_job(struct sink_upkeep *upkeep, enum job_name name)
{
    static uint64_t (*const jobs[JOB_COUNT])(struct sink_upkeep * upkeep) = {
        [JOB_PASS] = do_pass, [JOB_SPACE] = do_space, [JOB_ROOM] = do_room};
    uint64_t pause_ns = SINK_UPKEEP_RETRY_S * NS_PER_S;
    struct err err;
    int result = sink_pool_attach(&upkeep->link, &err);

    tell(upkeep, STEP_CONNECT, result == 0 ? "" : err.text);
    if (result == 0)
        pause_ns = jobs[name](upkeep);
    upkeep->due_ns[name] = clock_mono_ns() + pause_ns;
}

/* --- the thread ----------------------------------------------------------- */

static bool is_stopping(struct sink_upkeep *upkeep)
{
    bool stopping;

    pthread_mutex_lock(&upkeep->lock);
    stopping = upkeep->stopping;
    pthread_mutex_unlock(&upkeep->lock);
    return stopping;
}

/* JOB_ROOM is looked at after each measure, so it needs no time of its own. */
static void wait_for_next(struct sink_upkeep *upkeep)
{
    uint64_t space_ns = upkeep->due_ns[JOB_SPACE], pass_ns = upkeep->due_ns[JOB_PASS];
    struct timespec deadline = clock_timespec(space_ns < pass_ns ? space_ns : pass_ns);
    int rc = 0;

    pthread_mutex_lock(&upkeep->lock);
    while (!upkeep->stopping && rc == 0)
        rc = pthread_cond_timedwait(&upkeep->changed, &upkeep->lock, &deadline);
    pthread_mutex_unlock(&upkeep->lock);
}

static void *run(void *context)
{
    struct sink_upkeep *upkeep = context;

    while (!is_stopping(upkeep)) {
        for (enum job_name name = 0; name < JOB_COUNT && !is_stopping(upkeep); name++)
            if (clock_mono_ns() >= upkeep->due_ns[name] && is_wanted(upkeep, name))
                do_job(upkeep, name);
        wait_for_next(upkeep);
    }
    return NULL;
}

int sink_upkeep_start(struct sink_upkeep **out, struct sink_mongo *mongo, struct err *err)
{
    struct sink_upkeep *upkeep = calloc(1, sizeof(*upkeep));

    if (upkeep == NULL)
        return err_set(err, ERR_RETRY, 0, "no memory for upkeep");
    upkeep->link.mongo = mongo;
    if (sink_pool_attach(&upkeep->link, err) != 0)
        goto fail;
    pthread_mutex_init(&upkeep->lock, NULL);
    clock_cond_init(&upkeep->changed);
    if (fault_point("sink.upkeep") != 0 || pthread_create(&upkeep->thread, NULL, run, upkeep) != 0) {
        err_set(err, ERR_RETRY, 0, "no thread for upkeep");
        goto fail_thread;
    }
    *out = upkeep;
    return 0;

fail_thread:
    pthread_cond_destroy(&upkeep->changed);
    pthread_mutex_destroy(&upkeep->lock);
    sink_pool_detach(&upkeep->link);
fail:
    free(upkeep);
    return -1;
}

void sink_upkeep_end(struct sink_upkeep *upkeep)
{
    pthread_mutex_lock(&upkeep->lock);
    upkeep->stopping = true;
    pthread_cond_broadcast(&upkeep->changed);
    pthread_mutex_unlock(&upkeep->lock);
}

void sink_upkeep_stop(struct sink_upkeep *upkeep)
{
    if (upkeep == NULL)
        return;
    sink_upkeep_end(upkeep);
    pthread_join(upkeep->thread, NULL);
    sink_pool_detach(&upkeep->link);
    pthread_cond_destroy(&upkeep->changed);
    pthread_mutex_destroy(&upkeep->lock);
    free(upkeep);
}
