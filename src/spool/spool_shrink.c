/*
 * spool_shrink.c - making the file smaller.
 *
 * Main's thread, at open, under the spool's lock.  LMDB never gives pages back,
 * and a ring has soon used all of its file, so what is kept is copied: first
 * history goes, the oldest first, until the rest fits into the new size; then
 * LMDB writes a copy without free pages beside the file; when that is synced it
 * is renamed over it.
 *
 * A crash before the rename leaves the file as it was, less some history, and
 * the next start begins again.  lock.mdb goes before the rename, since it knows
 * the old file's transactions.  An operator's command that has the old file
 * open finds the new size in its counters and stops (spool_edit_txn.c).
 */
#include "spool_shrink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fault.h"
#include "log.h"
#include "spool_evict.h"
#include "spool_file.h"
#include "spool_format.h"
#include "spool_pending.h"
#include "spool_record.h"
#include "spool_space.h"
#include "spool_state.h"
#include "spool_verify.h"
#include "units.h"

#define FILE_MODE 0600
#define LMDB_PAGE_HEADER_BYTES 16
#define COPY_NAME "data.mdb.smaller"

bool spool_shrink_is_due(const struct spool *spool)
{
    return spool_space_touched(spool) * spool->page_bytes > spool->size_bytes;
}

static int refuse(const struct spool *spool, uint64_t used_pages, const struct spool_layout *layout, struct err *err)
{
    char size[UNITS_TEXT_MAX], used[UNITS_TEXT_MAX], most[UNITS_TEXT_MAX];

    return err_set(err, ERR_CONFIG, 0,
                   "spool %s cannot shrink to %s: what waits, is held or is parked takes %s, and %s of that size can "
                   "be filled",
                   spool->path, units_format_bytes(size, spool->size_bytes),
                   units_format_bytes(used, used_pages * spool->page_bytes),
                   units_format_bytes(most, layout->limit_pages * spool->page_bytes));
}

/* Pages of their own that a part's value has, and else the bytes in its leaf. */
static void count_value(const struct spool *spool, MDB_val key, MDB_val value, uint64_t *pages, uint64_t *leaf_bytes)
{
    if (LMDB_PAGE_HEADER_BYTES + value.mv_size > spool->page_bytes / 2)
        *pages += (LMDB_PAGE_HEADER_BYTES + value.mv_size + spool->page_bytes - 1) / spool->page_bytes;
    else
        *leaf_bytes += key.mv_size + value.mv_size;
}

/* Pages that would be free without history, or some less.  Looks at sizes only: payloads stay unread. */
static int count_history(MDB_txn *txn, const struct spool *spool, uint64_t *pages)
{
    enum spool_record_state state = SPOOL_PENDING;
    uint64_t seq = 0, leaf_bytes = 0;
    MDB_val key, value;
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, spool->records, &cursor);

    *pages = 0;
    if (rc != 0)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        uint64_t at = key.mv_size < sizeof(at) ? seq : spool_key_get_u64(key.mv_data);

        if (at != seq && (rc = spool_pending_state(txn, spool, at, &state)) != 0)
            break;
        seq = at;
        if (state == SPOOL_DELIVERED)
            count_value(spool, key, value, pages, &leaf_bytes);
    }
    mdb_cursor_close(cursor);
    *pages += leaf_bytes / spool->page_bytes;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Before anything is removed: a refusal must not cost history. */
static int check_fits(const struct spool *spool, const struct spool_layout *layout, struct err *err)
{
    uint64_t used_pages, history_pages;
    MDB_txn *txn;
    int rc = mdb_txn_begin(spool->env, NULL, MDB_RDONLY, &txn);

    if (rc == 0) {
        if ((rc = spool_space_used(txn, spool, &used_pages)) == 0)
            rc = count_history(txn, spool, &history_pages);
        mdb_txn_abort(txn);
    }
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot shrink spool %s", spool->path);
    used_pages -= history_pages;
    return used_pages <= layout->limit_pages ? 0 : refuse(spool, used_pages, layout, err);
}

/* One transaction: removes history; with the last one the size is noted as well.  *fits when the rest is small enough. */
static int evict_some(struct spool *spool, const struct spool_layout *layout, bool *fits, uint64_t *used_pages,
                      uint64_t *evicted)
{
    struct spool_counters counters;
    bool changed = false;
    MDB_txn *txn;
    int rc = mdb_txn_begin(spool->env, NULL, 0, &txn);

    if (rc != 0)
        return rc;
    if ((rc = spool_state_get_counters(txn, spool, &counters)) == 0) {
        *evicted -= counters.evicted_records;
        rc = spool_evict_until(txn, spool, layout->limit_pages, 0, &counters, &changed);
        *evicted += counters.evicted_records;
    }
    *fits = rc == 0;
    if (rc == MDB_NOTFOUND)
        rc = 0;
    counters.size_bytes = *fits ? spool->size_bytes : counters.size_bytes;
    if (rc == 0 && (rc = spool_space_used(txn, spool, used_pages)) == 0 &&
        (rc = spool_state_put_counters(txn, spool, &counters)) == 0 && (rc = fault_point("spool.shrink.evict")) == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

/* Until it fits or nothing more may go. */
static int evict(struct spool *spool, struct err *err)
{
    struct spool_layout layout = spool_layout_of(spool->size_bytes, spool->page_bytes);
    uint64_t used_pages = 0, evicted = 0, went;
    bool fits = false;
    int rc;

    if (check_fits(spool, &layout, err) == -1)
        return -1;
    do {
        went = evicted;
        rc = evict_some(spool, &layout, &fits, &used_pages, &evicted);
        if (rc != 0)
            return spool_lmdb_error(err, rc, "cannot shrink spool %s", spool->path);
    } while (!fits && evicted > went);
    if (!fits)
        return refuse(spool, used_pages, &layout, err);
    if (evicted > 0)
        log_info("spool.shrinking", "%s: %llu delivered records were removed to make it smaller", spool->path,
                 (unsigned long long)evicted);
    return 0;
}

/* --- the copy --------------------------------------------------------------- */

static int check_room(const struct spool *spool, struct err *err)
{
    char needed[UNITS_TEXT_MAX], room[UNITS_TEXT_MAX];
    struct statvfs fs;

    if (statvfs(spool->path, &fs) == -1)
        return spool_lmdb_error(err, errno, "cannot look at the file system of %s", spool->path);
    if ((uint64_t)fs.f_bavail * fs.f_frsize >= spool->size_bytes && fault_point("spool.shrink.room") == 0)
        return 0;
    return err_set(err, ERR_BUSY, ENOSPC,
                   "no room to shrink spool %s: a copy of up to %s is made beside it and %s are free", spool->path,
                   units_format_bytes(needed, spool->size_bytes),
                   units_format_bytes(room, (uint64_t)fs.f_bavail * fs.f_frsize));
}

static int copy(const struct spool *spool, const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE), rc;

    if (fd == -1)
        return errno;
    rc = mdb_env_copyfd2(spool->env, fd, MDB_CP_COMPACT);
    if (rc == 0)
        rc = fault_point("spool.shrink.copy");
    if (rc == 0 && fsync(fd) == -1)
        rc = errno;
    close(fd);
    return rc;
}

static int put_in_place(const struct spool *spool, const char *name)
{
    char *data, *lock;
    int rc = 0;

    if (asprintf(&data, "%s/data.mdb", spool->path) == -1)
        return ENOMEM;
    if (asprintf(&lock, "%s/lock.mdb", spool->path) == -1) {
        free(data);
        return ENOMEM;
    }
    if (unlink(lock) == -1 && errno != ENOENT)
        rc = errno;
    if (rc == 0)
        rc = fault_point("spool.shrink.lock");
    if (rc == 0 && rename(name, data) == -1)
        rc = errno;
    free(data);
    free(lock);
    return rc;
}

static int replace(struct spool *spool, struct err *err)
{
    char *name;
    int rc;

    if (asprintf(&name, "%s/" COPY_NAME, spool->path) == -1)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory");
    rc = copy(spool, name);
    if (rc == 0) {
        mdb_env_close(spool->env);
        spool->env = NULL;
        spool->map = NULL;
        rc = put_in_place(spool, name);
    }
    if (rc != 0)
        unlink(name);
    free(name);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot shrink spool %s", spool->path);
    return spool_file_sync_directory(spool->path, err);
}

int spool_shrink(struct spool *spool, struct err *err)
{
    uint64_t touched_bytes = spool_space_touched(spool) * spool->page_bytes;
    char from[UNITS_TEXT_MAX], to[UNITS_TEXT_MAX];
    int rc;

    /* What is removed is written as a transaction, for which a file that is used to its end has no page. */
    rc = mdb_env_set_mapsize(spool->env, touched_bytes + SPOOL_SHRINK_SLACK_BYTES);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot shrink spool %s", spool->path);
    if (spool_format_open(spool, err) == -1 || spool_verify_state(spool, err) == -1 || check_room(spool, err) == -1 ||
        spool_format_find_map(spool, err) == -1 || evict(spool, err) == -1 || replace(spool, err) == -1)
        return -1;
    log_info("spool.shrunk", "%s: the file was used up to %s, its size is now %s", spool->path,
             units_format_bytes(from, touched_bytes), units_format_bytes(to, spool->size_bytes));
    return 0;
}
