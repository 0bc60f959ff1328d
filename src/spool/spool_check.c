/*
 * spool_check.c - the order of a check, the file's structure and the counters.
 *
 * The caller's thread.  Without a daemon the file is walked before LMDB maps
 * it.  Beside one the walk needs a snapshot that stays, so a read transaction
 * pins it, for SPOOL_PIN_MS at most: pages that the daemon frees meanwhile
 * cannot be used again, and a ring that is nearly full would refuse.  A spool
 * that takes longer is not walked beside a daemon, and the report says so.
 *
 * Whatever LMDB says that puts the file in doubt is a finding too.
 */
#include "spool_check_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "spool_state.h"
#include "spool_verify.h"
#include "spool_walk.h"
#include "units.h"

#define WALK_TRIES 5 /* of a snapshot that was written over while it was walked */
#define VALUE_BYTES_MAX (SPOOL_PART_PAGES * SPOOL_PAGE_BYTES)

const char *spool_check_kind_name(enum spool_check_kind kind)
{
    static const char *const names[] = {
        [SPOOL_CHECK_STRUCTURE] = "structure", [SPOOL_CHECK_RECORD] = "batch", [SPOOL_CHECK_PARKED] = "parked",
        [SPOOL_CHECK_PENDING] = "pending",     [SPOOL_CHECK_HELD] = "held",    [SPOOL_CHECK_COUNTERS] = "counters",
    };

    return names[kind];
}

void spool_check_find(struct spool_check *check, enum spool_check_kind kind, uint64_t seq, bool known,
                      const char *format, ...)
{
    struct spool_check_report *report = check->report;
    struct spool_check_finding finding = {.kind = kind, .seq = seq, .known = known};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(finding.text, sizeof(finding.text), format, arguments);
    va_end(arguments);
    if (report->finding_count < SPOOL_CHECK_FINDINGS_MAX)
        report->findings[report->finding_count] = finding;
    report->finding_count++;
    if (check->to->finding != NULL)
        check->to->finding(check->to->context, &finding);
}

/* --- structure ------------------------------------------------------------- */

static void show_walk(void *context, uint64_t done_pages, uint64_t expected_pages)
{
    const struct spool_check *check = context;

    check->to->progress(check->to->context, "structure", done_pages, expected_pages);
}

/* 1: sound; 0: damaged, which is a finding now; -1. */
static int walk(struct spool_check *check, int fd, uint64_t txnid, uint64_t deadline_ns, struct err *err)
{
    struct spool_walk_options options = {.txnid = txnid, .deadline_ns = deadline_ns, .context = check};
    struct spool_walk_report walked;
    int fault = fault_point("check.walk");

    if (fault != 0)
        return err_set(err, ERR_BUSY, fault, "walk: %s", strerror(fault));
    if (check->to->progress != NULL)
        options.progress = show_walk;
    if (spool_walk(fd, &options, &walked, err) == 0 &&
        (txnid != 0 || spool_verify_newest(check->path, &walked, err) == 0)) {
        check->report->structure_checked = true;
        check->report->used_pages = walked.used_pages;
        check->report->free_pages = walked.free_pages;
        check->report->lost_pages = walked.lost_pages;
        return 1;
    }
    if (err->class != ERR_FATAL || err->code != SPOOL_DAMAGED)
        return -1;
    check->report->structure_checked = true;
    spool_check_find(check, SPOOL_CHECK_STRUCTURE, 0, false, "%s", err->text);
    return 0;
}

/* Nobody else writes but, for a moment, an operator's command: then once more. */
static int walk_alone(struct spool_check *check, struct err *err)
{
    char name[PATH_MAX];
    int fd, result = -1;

    if (snprintf(name, sizeof(name), "%s/data.mdb", check->path) >= (int)sizeof(name))
        return spool_open_error(err, ENAMETOOLONG, "open", check->path);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return spool_open_error(err, errno, "open", check->path);
    for (unsigned i = 0; i < WALK_TRIES; i++) {
        result = walk(check, fd, 0, 0, err);
        if (result != -1 || err->class != ERR_RETRY)
            break;
    }
    close(fd);
    return result;
}

/* As walk.  The snapshot is pinned while it is walked. */
static int walk_pinned(struct spool_check *check, struct err *err)
{
    MDB_txn *txn;
    mdb_filehandle_t fd;
    int result, rc = mdb_env_get_fd(check->spool->env, &fd);

    if (rc == 0)
        rc = mdb_txn_begin(check->spool->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot read spool %s", check->path);
    result = walk(check, fd, mdb_txn_id(txn), clock_mono_ns() + SPOOL_PIN_MS * NS_PER_MS, err);
    mdb_txn_abort(txn);
    return result;
}

static int walk_beside(struct spool_check *check, struct err *err)
{
    char text[UNITS_TEXT_MAX];
    int result = -1;

    for (unsigned i = 0; i < WALK_TRIES && result == -1; i++) {
        result = walk_pinned(check, err);
        if (result == -1 && err->class != ERR_RETRY)
            break;
    }
    if (result != -1 || (err->class != ERR_RETRY && !(err->class == ERR_BUSY && err->code == ETIMEDOUT)))
        return result;
    snprintf(check->report->structure_note, sizeof(check->report->structure_note),
             "the file's structure was not checked beside a running daemon: it takes longer than %s, for which the "
             "daemon's free pages may be pinned; it is checked at every start of the daemon",
             units_format_duration(text, SPOOL_PIN_MS * NS_PER_MS));
    return 1;
}

/* --- counters -------------------------------------------------------------- */

/* 0 and the id of the newest transaction, with its counters. */
static int read_counters(struct spool_check *check, size_t *txnid, struct spool_counters *counters)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(check->spool->env, NULL, MDB_RDONLY, &txn);

    if (rc != 0)
        return rc;
    *txnid = mdb_txn_id(txn);
    rc = spool_state_get_counters(txn, check->spool, counters);
    mdb_txn_abort(txn);
    return rc;
}

static void compare_counter(struct spool_check *check, const char *name, uint64_t says, uint64_t counted)
{
    if (says != counted)
        spool_check_find(check, SPOOL_CHECK_COUNTERS, 0, false, "the counter of %s says %llu, and there are %llu", name,
                         (unsigned long long)says, (unsigned long long)counted);
}

static void compare_counters(struct spool_check *check, const struct spool_counters *counters)
{
    const struct spool_check_report *report = check->report;

    compare_counter(check, "batches", counters->kept_records, report->records);
    compare_counter(check, "pending batches", counters->pending_records, report->pending_records);
    compare_counter(check, "held batches", counters->held_records, report->held_records);
    compare_counter(check, "parked entries", counters->parked_entries, report->parked);
    if (check->headless)
        return;
    compare_counter(check, "pending spans", counters->pending_spans, check->pending_spans);
    compare_counter(check, "pending bytes", counters->pending_bytes, check->pending_bytes);
    compare_counter(check, "held spans", counters->held_spans, check->held_spans);
}

/* --- all of it ------------------------------------------------------------- */

static int check_content(struct spool_check *check)
{
    struct spool_counters before, after;
    size_t began, ended;
    int rc = read_counters(check, &began, &before);

    if (rc == MDB_CORRUPTED) {
        spool_check_find(check, SPOOL_CHECK_COUNTERS, 0, false,
                         "the counters are damaged: nothing can be compared with them");
        return 0;
    }
    if (rc != 0)
        return rc;
    check->expected_records = before.kept_records;
    if ((rc = spool_check_records(check)) != 0 || (rc = spool_check_parked(check)) != 0 ||
        (rc = spool_check_sets(check)) != 0 || (rc = read_counters(check, &ended, &after)) != 0)
        return rc;
    check->report->content_checked = true;
    check->report->counters_compared = began == ended;
    if (began == ended)
        compare_counters(check, &after);
    return 0;
}

/* 0, or -1: could not check.  What LMDB finds wrong with the file is found. */
static int content_result(struct spool_check *check, int rc, struct err *err)
{
    if (rc == 0)
        return 0;
    if (rc != MDB_CORRUPTED && rc != MDB_PAGE_NOTFOUND)
        return spool_lmdb_error(err, rc, "cannot read spool %s", check->path);
    spool_check_find(check, SPOOL_CHECK_STRUCTURE, 0, false, "LMDB cannot read the file: %s", mdb_strerror(rc));
    return 0;
}

static int check_all(struct spool_check *check, struct err *err)
{
    int sound = 1;

    check->report->owner = spool_owner(check->path);
    if (check->report->owner == 0)
        sound = walk_alone(check, err);
    if (sound != 1)
        return sound;
    if (spool_open_walked(&check->spool, check->path, err) == -1)
        return -1;
    if (check->report->owner != 0)
        sound = walk_beside(check, err);
    if (sound != 1)
        return sound;
    return content_result(check, check_content(check), err);
}

int spool_check(const char *path, const struct spool_check_to *to, struct spool_check_report *report, struct err *err)
{
    struct spool_check check = {.to = to, .report = report, .path = path};
    int result;

    memset(report, 0, sizeof(*report));
    check.value = malloc(VALUE_BYTES_MAX);
    if (check.value == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory to check spool %s", path);
    result = check_all(&check, err);
    spool_close(check.spool);
    free(check.value);
    return result == -1 ? -1 : 0;
}
