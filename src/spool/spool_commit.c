/*
 * spool_commit.c - one group, one transaction, one sync.
 *
 * The writer's thread.  A group is tried as a whole: spool_apply.c does its
 * work, the counters are saved with it, and it is durable when mdb_txn_commit
 * says so.  What the thread remembers between transactions is taken over only
 * then.
 *
 * What can fail.  When LMDB finds no page in the middle of a transaction
 * (readers pin freed pages, or no run of free pages is long enough) the
 * transaction is aborted, the operations are committed alone with more history
 * removed, and the puts are tried again in smaller parts; one page a part needs
 * no run at all.  A disk that is full is found before the transaction, by
 * allocating ahead: then the ring turns within the file that there is, until
 * the disk has room again.  Everything else that LMDB or the disk says is
 * fatal: after a failed sync nobody knows what is on disk (but commit_error).
 */
#include "spool_apply.h"

#include <errno.h>

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "metrics.h"
#include "units.h"

#define AGE_TRANSACTIONS 2 /* after which freed pages can be used */

/* How large parts may be, in the order in which that is tried. */
static const unsigned part_pages[] = {SPOOL_PART_PAGES, 7, 1};
#define ATTEMPTS (sizeof(part_pages) / sizeof(part_pages[0]))

/* --- the transaction ------------------------------------------------------- */

static int save(struct spool_work *work, const struct spool_plan *plan)
{
    struct spool_sums before = spool_counters_sums(&work->commit->counters);
    uint64_t refusing = work->refusing ? 1 : 0;

    if (work->counters.refusing != refusing || plan->clean || plan->always)
        work->changed = true;
    work->counters.refusing = refusing;
    work->counters.clean = plan->clean ? 1 : 0;
    work->counters.size_bytes = work->spool->size_bytes;
    spool_rate_note(&work->counters.marks, &before, clock_wall_ns());
    return work->changed ? spool_state_put_counters(work->txn, work->spool, &work->counters) : 0;
}

/* The disk is full: the ring turns within the file as it is. */
static bool is_confined(const struct spool_commit *commit)
{
    return commit->disk.class != ERR_NONE;
}

/*
 * LMDB's EIO is two things: the disk's, which is fatal, and a write that was
 * cut short since the disk had room for a part of it (mdb_page_flush).  With
 * no block to be had it is taken for the second: nothing was committed, as
 * LMDB writes its meta page last, and had that one failed, LMDB would refuse
 * every transaction from then on (MDB_PANIC).
 */
static int commit_error(const struct spool_work *work, int rc)
{
    return rc == EIO && is_confined(work->commit) ? ENOSPC : rc;
}

static int end_transaction(struct spool_work *work)
{
    int rc = work->changed ? fault_point("spool.commit") : 0;
    uint64_t begun_ns;

    if (rc != 0 || !work->changed) {
        mdb_txn_abort(work->txn);
        return rc;
    }
    begun_ns = clock_mono_ns();
    rc = mdb_txn_commit(work->txn);
    if (rc == 0) {
        metrics_observe(METRIC_HISTOGRAM_SPOOL_SYNC, clock_mono_ns() - begun_ns);
        /* Durable, and nobody knows yet: a crash here makes a client send again what is stored. */
        fault_point("spool.synced");
        metrics_add(METRIC_SPOOL_COMMITS, 1);
    }
    return commit_error(work, rc);
}

/* `reason` is what had no page, NULL when it is the records that are not delivered. */
static void log_change(const struct spool_commit *commit, bool was_refusing, const struct err *reason)
{
    char pending[UNITS_TEXT_MAX], size[UNITS_TEXT_MAX];

    if (!commit->started || commit->refusing == was_refusing)
        return;
    units_format_bytes(pending, commit->counters.pending_bytes);
    units_format_bytes(size, commit->spool->size_bytes);
    if (commit->refusing)
        log_warn("spool.full", "%s: refusing new records: %s; %llu are not delivered, %s in %s", commit->spool->path,
                 reason == NULL ? "those that wait fill it" : reason->text,
                 (unsigned long long)commit->counters.pending_records, pending, size);
    else
        log_info("spool.open_again", "%s: there is room again; %llu records are not delivered, %s in %s",
                 commit->spool->path, (unsigned long long)commit->counters.pending_records, pending, size);
}

/* The time since the last look was spent refusing. */
static void count_refusing(struct spool_commit *commit, bool was_refusing)
{
    uint64_t now_ns = clock_mono_ns();

    if (was_refusing && commit->started)
        metrics_add(METRIC_SPOOL_REFUSING_SECONDS, now_ns - commit->looked_ns);
    commit->looked_ns = now_ns;
    metrics_set(METRIC_SPOOL_REFUSING, commit->refusing);
}

/* Said when it begins and when it has ended, not for each record. */
static void note_dropped(struct spool_commit *commit, const struct spool_counters *now)
{
    uint64_t records = now->dropped_records - commit->counters.dropped_records, now_ns = clock_mono_ns();

    if (records > 0) {
        if (!commit->dropping) {
            commit->dropped_before = commit->counters.dropped_records;
            log_error("spool.dropping", "%s: full: the oldest records that wait are dropped for new ones",
                      commit->spool->path);
        }
        commit->dropping = true;
        commit->dropped_ns = now_ns;
        metrics_add(METRIC_SPOOL_DROPPED_RECORDS, records);
        metrics_add(METRIC_SPOOL_DROPPED_SPANS, now->dropped_spans - commit->counters.dropped_spans);
    } else if (commit->dropping && now_ns - commit->dropped_ns > SPOOL_DROP_QUIET_MS * NS_PER_MS) {
        commit->dropping = false;
        log_warn("spool.dropped", "%s: room again; %llu records were dropped", commit->spool->path,
                 (unsigned long long)(now->dropped_records - commit->dropped_before));
    }
}

static void adopt(struct spool_commit *commit, const struct spool_work *work)
{
    uint64_t received = work->counters.received_records - commit->counters.received_records;
    bool was_refusing = commit->refusing;

    if (received > 0)
        metrics_observe(METRIC_HISTOGRAM_SPOOL_GROUP, received);
    metrics_add(METRIC_SPOOL_STORED_BYTES, work->stored_bytes);
    metrics_add(METRIC_SPOOL_TAKEN_BYTES, work->taken_bytes);
    spool_drain_note(&commit->drain, work->delivered_bytes, clock_mono_ns());
    metrics_add(METRIC_SPOOL_EVICTED, work->counters.evicted_records - commit->counters.evicted_records);
    note_dropped(commit, &work->counters);
    commit->counters = work->counters;
    commit->refusing = work->refusing;
    commit->wanted_pages = work->wanted_pages;
    commit->missing_pages = work->missing_pages;
    commit->expired_more = work->expired_more;
    if (work->changed)
        commit->high_pages = work->start_pages + work->written_pages;
    count_refusing(commit, was_refusing);
    log_change(commit, was_refusing, is_confined(commit) ? &commit->disk : NULL);
}

/*
 * What is in `state` is what counts: another process may have written since.
 * What it wrote is not in high_pages, but it wrote little (spool_edit.h).
 */
static int refresh(struct spool_commit *commit, struct spool_work *work)
{
    int rc = spool_state_get_counters(work->txn, work->spool, &work->counters);

    if (rc != 0 || work->counters.generation == commit->counters.generation)
        return rc;
    commit->high_pages += SPOOL_TXN_SLACK_PAGES;
    log_info("spool.edited", "%s: another process has changed it; %llu records wait, %llu are held",
             commit->spool->path, (unsigned long long)work->counters.pending_records,
             (unsigned long long)work->counters.held_records);
    return 0;
}

/* 0 and everything in the plan is durable, or nothing is: -1, ERR_BUSY or ERR_FATAL. */
static int transact(struct spool_commit *commit, const struct spool_plan *plan, struct err *err)
{
    struct spool_work work = {
        .commit = commit,
        .spool = commit->spool,
        .wanted_pages = commit->wanted_pages,
        .missing_pages = commit->missing_pages,
        .refusing = commit->refusing,
    };
    int rc = fault_point("spool.begin");

    if (rc == 0)
        rc = mdb_txn_begin(commit->spool->env, NULL, 0, &work.txn);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot begin a transaction in spool %s", commit->spool->path);
    rc = refresh(commit, &work);
    if (rc == 0)
        rc = spool_apply_plan(&work, plan);
    if (rc == 0)
        rc = save(&work, plan);
    if (rc != 0) {
        mdb_txn_abort(work.txn);
        return spool_lmdb_error(err, rc, "cannot write to spool %s", commit->spool->path);
    }
    rc = end_transaction(&work);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot commit to spool %s", commit->spool->path);
    adopt(commit, &work);
    return 0;
}

/* --- groups ---------------------------------------------------------------- */

uint64_t spool_commit_pages(const struct spool_commit *commit, uint64_t payload_bytes)
{
    return spool_layout_entry_pages(payload_bytes, SPOOL_PART_PAGES, commit->spool->page_bytes);
}

unsigned spool_commit_part_pages(const struct spool_commit *commit)
{
    return is_confined(commit) ? 1 : SPOOL_PART_PAGES;
}

/*
 * Takes the blocks that the next transaction may need.  When the disk has none,
 * what there is is the spool's capacity, until it has some again.
 */
static int fit_to_disk(struct spool_commit *commit, uint64_t ahead_pages, struct err *err)
{
    uint64_t headroom_pages = commit->layout.size_pages - commit->layout.limit_pages;
    int rc = spool_space_grow(commit->spool, spool_space_touched(commit->spool) + ahead_pages, err);

    if (rc == -1 && err->class != ERR_BUSY)
        return -1;
    if (rc == -1)
        commit->disk = *err;
    else
        commit->disk.class = ERR_NONE;
    commit->capacity_pages =
        rc == -1 ? commit->spool->allocated_bytes / commit->spool->page_bytes : commit->layout.size_pages;
    commit->limit_pages = commit->capacity_pages > headroom_pages ? commit->capacity_pages - headroom_pages : 0;
    return 0;
}

/* LMDB or the disk had no page: no new try for a while, since what pins them may stay. */
static void hold(struct spool_commit *commit, const struct err *reason)
{
    bool was_refusing = commit->refusing;

    commit->refusing = true;
    commit->hold_until_ns = clock_mono_ns() + SPOOL_HOLD_MS * NS_PER_MS;
    count_refusing(commit, was_refusing);
    log_change(commit, was_refusing, reason);
}

/* The operations alone, with room made for the puts that wait. */
static int settle(struct spool_commit *commit, struct spool_group *group, struct err *err)
{
    struct spool_plan plan = {
        .group = group, .with_ops = !group->ops_done, .room_pages = group->put_pages, .always = group->puts != NULL};

    /* A process that was killed while it looked pins pages until its slot is cleared. */
    mdb_reader_check(commit->spool->env, NULL);
    if (transact(commit, &plan, err) == -1)
        return -1;
    group->ops_done = true;
    return 0;
}

/* Pages that a group may write.  Smaller parts take a little more: each has a header of its own. */
static uint64_t ahead_pages_of(const struct spool_group *group)
{
    return group->put_pages + group->put_pages / 16 + group->op_pages + SPOOL_TXN_SLACK_PAGES;
}

/* Whether the group could find no page although there is room by the count: what history gives up has to age. */
static bool is_tight(const struct spool_commit *commit, const struct spool_group *group)
{
    return commit->high_pages + ahead_pages_of(group) > commit->capacity_pages;
}

static int try_whole(struct spool_commit *commit, struct spool_group *group, struct err *err)
{
    struct spool_plan plan = {.group = group};

    for (size_t i = 0; i < ATTEMPTS; i++) {
        if (part_pages[i] > spool_commit_part_pages(commit))
            continue;
        plan.with_ops = !group->ops_done;
        plan.part_pages = part_pages[i];
        if (transact(commit, &plan, err) == 0) {
            group->ops_done = true;
            return 0;
        }
        if (err->class != ERR_BUSY || (err->code != MDB_MAP_FULL && err->code != MDB_TXN_FULL) ||
            settle(commit, group, err) == -1)
            return -1;
        log_debug("spool.no_run", "%s: no run of %u free pages, trying smaller parts", commit->spool->path,
                  part_pages[i]);
    }
    return err_set(err, ERR_BUSY, MDB_MAP_FULL, "no free pages in spool %s", commit->spool->path);
}

static int commit_puts(struct spool_commit *commit, struct spool_group *group, struct err *err)
{
    for (unsigned i = 0; i < AGE_TRANSACTIONS && is_tight(commit, group); i++) {
        if (settle(commit, group, err) == -1)
            return -1;
    }
    /* LMDB would take pages beyond the file's blocks, and a commit that cannot write them is fatal. */
    if (is_confined(commit) && is_tight(commit, group)) {
        *err = commit->disk;
        return -1;
    }
    return try_whole(commit, group, err);
}

int spool_commit_group(struct spool_commit *commit, struct spool_group *group, struct err *refusal, struct err *err)
{
    if (fit_to_disk(commit, ahead_pages_of(group), err) == -1)
        return -1;
    err_set(refusal, ERR_BUSY, ENOSPC, "the spool is full");
    if (is_confined(commit))
        *refusal = commit->disk;
    if (group->puts != NULL) {
        if (commit_puts(commit, group, err) == 0)
            return 0;
        if (err->class != ERR_BUSY)
            return -1;
        for (struct spool_put *put = group->puts; put != NULL; put = put->next)
            put->seq = 0;
        hold(commit, err);
        *refusal = *err;
    }
    /* No page for the operations either: refused for now, and their callers come back. */
    if (!group->ops_done && settle(commit, group, err) == -1) {
        if (err->class != ERR_BUSY)
            return -1;
        hold(commit, err);
        *refusal = *err;
    }
    return 0;
}

int spool_commit_tick(struct spool_commit *commit, struct err *err)
{
    struct spool_plan plan = {.group = NULL};

    mdb_reader_check(commit->spool->env, NULL);
    if (commit->refusing && fit_to_disk(commit, commit->layout.group_pages + SPOOL_TXN_SLACK_PAGES, err) == -1)
        return -1;
    if (transact(commit, &plan, err) == 0)
        return 0;
    if (err->class == ERR_BUSY)
        hold(commit, err);
    return err->class == ERR_BUSY ? 0 : -1;
}

uint64_t spool_commit_retry_ms(const struct spool_commit *commit)
{
    uint64_t now_ns = clock_mono_ns(), wait_ms, hold_ms;

    if (!commit->refusing)
        return SPOOL_RETRY_MIN_MS;
    wait_ms = spool_drain_wait_ms(&commit->drain, commit->missing_pages * commit->spool->page_bytes);
    hold_ms = commit->hold_until_ns > now_ns ? (commit->hold_until_ns - now_ns) / NS_PER_MS : 0;
    return wait_ms > hold_ms ? wait_ms : hold_ms;
}

int spool_commit_clean(struct spool_commit *commit, struct err *err)
{
    struct spool_plan plan = {.clean = true};

    fault_point("spool.clean");
    return transact(commit, &plan, err) == 0 || err->class == ERR_BUSY ? 0 : -1;
}

static int load(struct spool_commit *commit, struct err *err)
{
    struct spool *spool = commit->spool;
    MDB_txn *txn;
    int rc = mdb_txn_begin(spool->env, NULL, MDB_RDONLY, &txn);

    if (rc == 0) {
        if ((rc = spool_state_get_counters(txn, spool, &commit->counters)) == 0)
            rc = spool_space_used(txn, spool, &commit->high_pages);
        mdb_txn_abort(txn);
    }
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot read the state of spool %s", spool->path);
}

int spool_commit_init(struct spool_commit *commit, struct spool *spool, struct err *err)
{
    struct spool_plan plan = {.always = true};

    *commit = (struct spool_commit){.spool = spool, .layout = spool_layout_of(spool->size_bytes, spool->page_bytes)};
    spool_drain_init(&commit->drain, clock_mono_ns());
    if (fit_to_disk(commit, SPOOL_TXN_SLACK_PAGES, err) == -1)
        return -1;
    if (load(commit, err) == -1)
        return -1;
    if (commit->counters.clean == 0)
        log_info("spool.recovered", "%s: the last stop was not a clean one; %llu acknowledged records are here",
                 spool->path, (unsigned long long)commit->counters.pending_records);
    /* Refusing until the first look says otherwise: a spool that is full is full from the start. */
    commit->refusing = true;
    if (transact(commit, &plan, err) == -1 && err->class != ERR_BUSY)
        return -1;
    commit->started = true;
    log_change(commit, false, is_confined(commit) ? &commit->disk : NULL);
    return 0;
}
