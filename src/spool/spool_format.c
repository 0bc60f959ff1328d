/*
 * spool_format.c - a spool's databases: making them, finding them, bringing them up to date.
 *
 * Whoever opens; one transaction.  The owner makes what is not there and brings
 * an older format up to date; what has gone from a file that was a spool is
 * damage, and ERR_FATAL with SPOOL_DAMAGED tells spool.c to begin afresh.  A
 * newer format is refused and left alone.
 */
#include "spool_format.h"

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "spool_aside.h"
#include "spool_pending.h"
#include "spool_record.h"
#include "spool_state.h"
#include "spool_walk.h"

#define FORMAT_1_DATABASES 4

static int open_databases(struct spool *spool, MDB_txn *txn, unsigned flags)
{
    int rc;

    if ((rc = mdb_dbi_open(txn, "state", flags, &spool->state)) != 0 ||
        (rc = mdb_dbi_open(txn, "records", flags, &spool->records)) != 0 ||
        (rc = mdb_dbi_open(txn, "pending", flags, &spool->pending)) != 0 ||
        (rc = mdb_dbi_open(txn, "held", flags, &spool->held)) != 0)
        return rc;
    return mdb_dbi_open(txn, "parked", flags, &spool->parked);
}

/* The owner has seen that some of a spool's databases are there (spool_walk.h): so the others have gone. */
static int lacks(const struct spool *spool, const char *what, struct err *err)
{
    if (spool_is_owner(spool))
        return err_set(err, ERR_FATAL, SPOOL_DAMAGED, "%s/data.mdb is damaged: it has no %s", spool->path, what);
    return err_set(err, ERR_CONFIG, MDB_NOTFOUND, "%s is an LMDB environment, but not a spool", spool->path);
}

static int check_format(const struct spool *spool, MDB_txn *txn, uint32_t *found, struct err *err)
{
    uint32_t format = 0;
    int rc = spool_state_get_format(txn, spool->state, &format);

    *found = format;
    if (rc == MDB_NOTFOUND || rc == MDB_CORRUPTED || (rc == 0 && format == 0))
        return lacks(spool, "format", err);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot read the format of spool %s", spool->path);
    if (format > SPOOL_FORMAT_VERSION)
        return err_set(err, ERR_CONFIG, 0, "spool %s was made by a newer tracespool (format %u, this one knows %u)",
                       spool->path, format, SPOOL_FORMAT_VERSION);
    if (format < SPOOL_FORMAT_VERSION && !spool_is_owner(spool))
        return err_set(err, ERR_CONFIG, 0,
                       "spool %s was made by an older tracespool (format %u): start this tracespoold on it once",
                       spool->path, format);
    return 0;
}

/* Format 1 had no held ranges, and counters that end before them, which read as 0. */
static int upgrade(struct spool *spool, MDB_txn *txn, uint32_t format)
{
    int rc = open_databases(spool, txn, MDB_CREATE);

    if (rc == 0)
        rc = spool_state_put_format(txn, spool->state);
    if (rc == 0)
        log_info("spool.upgraded", "%s: format %u is now %u", spool->path, format, SPOOL_FORMAT_VERSION);
    return rc;
}

static int create_databases(struct spool *spool, MDB_txn *txn)
{
    uint64_t first = spool_aside_count(spool->path) == 0 ? 1 : clock_wall_ns() / NS_PER_MS;
    int rc = open_databases(spool, txn, MDB_CREATE);

    if (rc == 0)
        rc = spool_pending_create(txn, spool->pending, first);
    return rc == 0 ? spool_state_create(txn, spool, first) : rc;
}

/* A name that has changed leaves the number of databases as it was, or lets one be made that was there. */
static int open_all(struct spool *spool, MDB_txn *txn, uint32_t format, uint64_t entries, struct err *err)
{
    int rc;

    if (entries != (format == SPOOL_FORMAT_VERSION ? SPOOL_DATABASES : FORMAT_1_DATABASES))
        return lacks(spool, "right number of databases", err);
    if (format != SPOOL_FORMAT_VERSION)
        rc = upgrade(spool, txn, format);
    else if ((rc = open_databases(spool, txn, 0)) == MDB_NOTFOUND)
        return lacks(spool, "database of a name that it should have", err);
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot open spool %s", spool->path);
}

static int prepare(struct spool *spool, MDB_txn *txn, struct err *err)
{
    uint32_t format = 0;
    MDB_stat stat;
    int rc = mdb_env_stat(spool->env, &stat);

    if (rc == 0 && stat.ms_entries == 0 && spool_is_owner(spool)) {
        rc = create_databases(spool, txn);
        return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot make a spool in %s", spool->path);
    }
    /* `state` alone first: a newer format may have other databases. */
    if (rc == 0)
        rc = mdb_dbi_open(txn, "state", 0, &spool->state);
    if (rc == MDB_NOTFOUND)
        return lacks(spool, "database `state`", err);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot open spool %s", spool->path);
    if (check_format(spool, txn, &format, err) == -1)
        return -1;
    return open_all(spool, txn, format, stat.ms_entries, err);
}

/*
 * LMDB does not tell where its map is.  A value that lies in a leaf of a
 * read transaction does, as the leaf's head has its page's number, which the
 * walk has compared.
 */
int spool_format_find_map(struct spool *spool, struct err *err)
{
    MDB_val key = spool_val("counters", 8), value;
    MDB_envinfo info;
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(spool->env, NULL, MDB_RDONLY, &txn);

    if (rc == 0 && (rc = mdb_get(txn, spool->state, &key, &value)) == 0) {
        uintptr_t page = (uintptr_t)value.mv_data / SPOOL_PAGE_BYTES * SPOOL_PAGE_BYTES;

        mdb_env_info(spool->env, &info);
        spool->map = (const uint8_t *)(page - spool_get_u64((const uint8_t *)page) * SPOOL_PAGE_BYTES);
        spool->map_bytes = info.me_mapsize;
    }
    if (txn != NULL)
        mdb_txn_abort(txn);
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot read the state of spool %s", spool->path);
}

/* The handles that a transaction opens are kept only if it commits; one that wrote nothing does so without a sync. */
int spool_format_open(struct spool *spool, struct err *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(spool->env, NULL, spool->readonly ? MDB_RDONLY : 0, &txn);

    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot open spool %s", spool->path);
    if (prepare(spool, txn, err) == -1) {
        mdb_txn_abort(txn);
        return -1;
    }
    fault_point("spool.format");
    rc = mdb_txn_commit(txn);
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot open spool %s", spool->path);
}
