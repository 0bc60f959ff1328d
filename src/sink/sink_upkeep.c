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
 * needed to deliver, so no failure is fatal: it is said once, until it is
 * another one, and tried again; what only a person can mend at the next hour,
 * since each try leaves a line in the server's log.
 *
 * Days are dropped by the earlier one of two clocks, ours and the primary's: a
 * clock that is years ahead would otherwise end all of them.
 */
#include "sink_upkeep.h"

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

struct job {
    uint64_t due_ns;         /* monotonic */
    char said[ERR_TEXT_MAX]; /* the failure that was logged last; "" when it has succeeded since */
};

struct sink_upkeep {
    /* set once */
    struct sink_link link;
    pthread_t thread;

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;

    /* owned by the thread */
    struct job jobs[JOB_COUNT];
};

uint64_t sink_upkeep_pause_ns(uint64_t wall_ns)
{
    const uint64_t hour_ns = SINK_UPKEEP_INTERVAL_S * NS_PER_S;
    uint64_t into_day_ns = (wall_ns + NS_PER_DAY - SINK_UPKEEP_MIDNIGHT_S * NS_PER_S) % NS_PER_DAY;
    uint64_t left_ns = NS_PER_DAY - into_day_ns;

    return left_ns < hour_ns ? left_ns : hour_ns;
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

/* All three are tried, as they need different rights; the first failure is the one that counts. */
static int do_pass(struct sink_upkeep *upkeep, struct err *err)
{
    const struct sink_link *link = &upkeep->link;
    struct err later = {0};
    struct sink_clock now;
    size_t dropped;
    int result;

    if (sink_clock_ask(link, &now, err) != 0)
        return -1;
    result = make_ahead(link, now.earlier_ns, err);
    if (sink_retention_pass(link, &now, &dropped, result == 0 ? err : &later) != 0)
        result = -1;
    if (dropped > 0) /* the room that this gives comes later, too */
        upkeep->jobs[JOB_ROOM].due_ns = clock_mono_ns() + SINK_DROP_PAUSE_S * NS_PER_S;
    if (look_at_indexes(link, result == 0 ? err : &later) != 0)
        result = -1;
    if (result == 0)
        log_debug("mongodb.upkeep_passed", "the collections are in order; dropped %zu days", dropped);
    return result;
}

static uint64_t do_space(struct sink_upkeep *upkeep, int *result, struct err *err)
{
    enum sink_space_measured measured = sink_space_measure(&upkeep->link, err);

    *result = measured == SINK_SPACE_MEASURED ? 0 : -1;
    if (measured == SINK_SPACE_ABSENT)
        err_prefix(err, "mongodb.min_free has no effect");
    return (measured == SINK_SPACE_ABSENT ? SINK_UPKEEP_INTERVAL_S : SINK_SPACE_INTERVAL_S) * NS_PER_S;
}

static int do_room(struct sink_upkeep *upkeep, uint64_t *pause_ns, struct err *err)
{
    struct sink_clock now;

    if (sink_clock_ask(&upkeep->link, &now, err) != 0)
        return -1;
    return sink_retention_make_room(&upkeep->link, &now, pause_ns, err);
}

/* What has been done, or what a person has to mend, comes at its time; the rest soon. */
static uint64_t pause_after(int result, const struct err *err, uint64_t pause_ns)
{
    return result == 0 || err->class == ERR_CONFIG ? pause_ns : SINK_UPKEEP_RETRY_S * NS_PER_S;
}

static bool is_wanted(struct sink_upkeep *upkeep, enum job_name name)
{
    struct err full;

    return name != JOB_ROOM || (upkeep->link.mongo->drop_oldest && sink_space_check(upkeep->link.mongo, &full) != 0);
}

/* When it is due again. */
static uint64_t run_job(struct sink_upkeep *upkeep, enum job_name name, int *result, struct err *err)
{
    uint64_t pause_ns;

    switch (name) {
    case JOB_SPACE:
        pause_ns = do_space(upkeep, result, err);
        break;
    case JOB_PASS:
        *result = do_pass(upkeep, err);
        pause_ns = pause_after(*result, err, sink_upkeep_pause_ns(clock_wall_ns()));
        break;
    default:
        *result = do_room(upkeep, &pause_ns, err);
        pause_ns = pause_after(*result, err, *result == 0 ? pause_ns : SINK_DROP_PAUSE_S * NS_PER_S);
    }
    sink_pool_note(upkeep->link.mongo, *result == 0 ? NULL : err);
    return pause_ns;
}

static void do_job(struct sink_upkeep *upkeep, enum job_name name)
{
    uint64_t pause_ns = SINK_UPKEEP_RETRY_S * NS_PER_S;
    struct job *job = &upkeep->jobs[name];
    struct err err = {0};
    int result = sink_pool_attach(&upkeep->link, &err);

    if (result == 0)
        pause_ns = run_job(upkeep, name, &result, &err);
    job->due_ns = clock_mono_ns() + pause_ns;
    if (result == 0)
        err.text[0] = '\0';
    else if (strcmp(job->said, err.text) != 0)
        log_warn("mongodb.upkeep_failed", "%s", err.text);
    memcpy(job->said, err.text, sizeof(job->said));
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
    uint64_t space_ns = upkeep->jobs[JOB_SPACE].due_ns, pass_ns = upkeep->jobs[JOB_PASS].due_ns;
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
            if (clock_mono_ns() >= upkeep->jobs[name].due_ns && is_wanted(upkeep, name))
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
