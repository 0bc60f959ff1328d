/*
 * spool_verify.c - is this spool what it was when it was last written?
 *
 * Main's thread, at open.  First the file's structure, which LMDB trusts and
 * which makes it crash when it is broken; then what the writer relies on.
 * What is found is told in the words of whoever has to act on it; nothing is
 * changed here.
 */
#include "spool_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_parts.h"
#include "spool_pending.h"
#include "spool_record.h"
#include "spool_state.h"
#include "spool_walk.h"
#include "spool_walk_page.h"

#define SEQ_BYTES 8
#define WALKS_MAX 8     /* while somebody edits between two of its steps */
#define LOCK_TXNID_AT 8 /* in lock.mdb, after a magic and a format */
#define LOCK_HEAD_BYTES 16

/* --- the file -------------------------------------------------------------- */

static int open_file(const char *path, const char *name, struct err *err)
{
    char *full;
    int fd, rc;

    if (asprintf(&full, "%s/%s", path, name) == -1)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory");
    fd = open(full, O_RDONLY | O_CLOEXEC);
    rc = errno;
    free(full);
    return fd != -1 ? fd : spool_lmdb_error(err, rc, "cannot open spool %s", path);
}

/* The last transaction that was committed, as lock.mdb has it; 0 when that cannot be told. */
static uint64_t committed_txnid(const char *path)
{
    uint8_t head[LOCK_HEAD_BYTES];
    struct err err;
    int fd = open_file(path, "lock.mdb", &err);
    bool whole = fd != -1 && pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head);

    if (fd != -1)
        close(fd);
    return whole && spool_get_u32(head) == WALK_MAGIC ? spool_get_u64(head + LOCK_TXNID_AT) : 0;
}

int spool_verify_newest(const char *path, const struct spool_walk_report *report, struct err *err)
{
    if (report->newer_txnid == 0 || committed_txnid(path) < report->newer_txnid)
        return 0;
    return err_set(err, ERR_FATAL, SPOOL_DAMAGED,
                   "transaction %llu was committed, and the newest in the meta pages is %llu",
                   (unsigned long long)report->newer_txnid, (unsigned long long)report->txnid);
}

static int walk_file(const char *path, int fd, struct err *err)
{
    struct spool_walk_options options = {.txnid = 0};
    struct spool_walk_report report;
    int rc;

    for (unsigned i = 0; i < WALKS_MAX; i++) {
        rc = spool_walk(fd, &options, &report, err);
        if (rc == 0)
            rc = spool_verify_newest(path, &report, err);
        if (rc == 0 || err->class != ERR_RETRY)
            break;
    }
    return rc;
}

int spool_verify_file(const char *path, struct err *err)
{
    struct err cause;
    struct stat st;
    int fd = open_file(path, "data.mdb", &cause), rc = -1;

    if (fd == -1 && cause.code == ENOENT)
        return 0;
    /* Empty: a crash while it was made.  Nothing was acknowledged before there was something in it. */
    if (fd != -1 && fstat(fd, &st) == 0 && st.st_size == 0)
        rc = 0;
    else if (fd != -1 && (rc = walk_file(path, fd, &cause)) == -1)
        err_prefix(&cause, cause.class == ERR_FATAL ? "%s/data.mdb is damaged" : "cannot use %s/data.mdb", path);
    if (fd != -1)
        close(fd);
    if (rc == -1 && err != NULL)
        *err = cause;
    return rc;
}

/* --- what LMDB knows nothing of --------------------------------------------- */

/* Invariant 2: an environment in which it is broken would be appended to out of order. */
static const char *records_fault(MDB_txn *txn, const struct spool *spool, const struct spool_counters *counters,
                                 int *rc)
{
    struct spool_parts_reader reader;
    const char *fault = NULL;

    *rc = spool_parts_open(&reader, txn, spool->records, SEQ_BYTES);
    if (*rc != 0)
        return NULL;
    *rc = spool_parts_last(&reader);
    if (*rc == 0 && spool_parts_seq(&reader) >= counters->next_seq)
        fault = "there is a record beyond the next sequence number";
    spool_parts_close(&reader);
    if (*rc == MDB_NOTFOUND)
        *rc = 0;
    return fault;
}

struct ranges {
    bool may_be_open;
    uint64_t next_seq;
    uint64_t end; /* of the one before */
    const char *fault;
};

static int look_at_range(void *context, struct spool_range range)
{
    struct ranges *ranges = context;

    if (range.first == 0 || range.first <= ranges->end)
        ranges->fault = "ranges of sequence numbers overlap";
    else if (range.end == SPOOL_SEQ_OPEN && !ranges->may_be_open)
        ranges->fault = "a range of held records has no end";
    else if (range.first > ranges->next_seq || (range.end > ranges->next_seq && range.end != SPOOL_SEQ_OPEN))
        ranges->fault = "a range of sequence numbers goes beyond the next one";
    ranges->end = range.end;
    return ranges->fault == NULL ? 0 : EINVAL;
}

/* Invariants 3 and 4, but for what the two sets are to each other. */
static const char *ranges_fault(MDB_txn *txn, MDB_dbi dbi, bool open, uint64_t next_seq, int *rc)
{
    struct ranges ranges = {.may_be_open = open, .next_seq = next_seq};

    *rc = spool_pending_each(txn, dbi, look_at_range, &ranges);
    if (*rc == 0 && open && ranges.end != SPOOL_SEQ_OPEN)
        return "the last pending range has an end";
    return ranges.fault;
}

/* Of the held ranges, each against the pending one that begins before its end. */
static const char *overlap_fault(MDB_txn *txn, const struct spool *spool, int *rc)
{
    struct spool_range held = {.end = 0}, pending;

    while ((*rc = spool_pending_find(txn, spool->held, held.end, &held)) == 0) {
        *rc = spool_pending_find(txn, spool->pending, held.first, &pending);
        if (*rc != 0)
            return NULL;
        if (pending.first < held.end)
            return "a record is pending and held";
    }
    if (*rc == MDB_NOTFOUND)
        *rc = 0;
    return NULL;
}

static const char *find_fault(MDB_txn *txn, const struct spool *spool, int *rc)
{
    struct spool_counters counters;
    const char *fault;

    *rc = spool_state_get_counters(txn, spool, &counters);
    if (*rc != 0)
        return *rc == MDB_CORRUPTED ? "its counters are missing or damaged" : NULL;
    fault = records_fault(txn, spool, &counters, rc);
    if (fault == NULL && *rc == 0)
        fault = ranges_fault(txn, spool->pending, true, counters.next_seq, rc);
    if (fault == NULL && *rc == 0)
        fault = ranges_fault(txn, spool->held, false, counters.next_seq, rc);
    if (fault == NULL && *rc == 0)
        fault = overlap_fault(txn, spool, rc);
    return fault == NULL && *rc == MDB_CORRUPTED ? "a range of sequence numbers is damaged" : fault;
}

int spool_verify_state(const struct spool *spool, struct err *err)
{
    const char *fault = NULL;
    MDB_txn *txn;
    int rc = mdb_txn_begin(spool->env, NULL, MDB_RDONLY, &txn);

    if (rc == 0) {
        fault = find_fault(txn, spool, &rc);
        mdb_txn_abort(txn);
    }
    if (fault != NULL)
        return err_set(err, ERR_FATAL, SPOOL_DAMAGED, "%s/data.mdb is damaged: %s", spool->path, fault);
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot read the state of spool %s", spool->path);
}
