/*
 * spool.c - opening and closing the spool.
 *
 * Main's thread.  In order: the directory, its file system, the lock, the
 * environment, its size, its blocks, its format.  A refusal leaves no lock and
 * no open file behind.  What is found on disk is never moved or deleted here.
 */
#include "spool_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "spool_file.h"
#include "spool_lock.h"
#include "spool_pending.h"
#include "spool_state.h"
#include "units.h"

#define DATABASES 4
#define FILE_MODE 0600
#define ENV_FLAGS (MDB_NORDAHEAD | MDB_NOTLS)

/* --- format ---------------------------------------------------------------- */

static int open_databases(struct spool *spool, MDB_txn *txn, unsigned flags)
{
    int rc;

    if ((rc = mdb_dbi_open(txn, "state", flags, &spool->state)) != 0 ||
        (rc = mdb_dbi_open(txn, "records", flags, &spool->records)) != 0 ||
        (rc = mdb_dbi_open(txn, "pending", flags, &spool->pending)) != 0)
        return rc;
    return mdb_dbi_open(txn, "parked", flags, &spool->parked);
}

static int check_format(const struct spool *spool, MDB_txn *txn, struct err *err)
{
    uint32_t format;
    int rc = spool_state_get_format(txn, spool->state, &format);

    if (rc == MDB_NOTFOUND || (rc == 0 && format == 0))
        return err_set(err, ERR_CONFIG, rc, "%s is an LMDB environment, but not a spool", spool->path);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot read the format of spool %s", spool->path);
    if (format > SPOOL_FORMAT_VERSION)
        return err_set(err, ERR_CONFIG, 0, "spool %s was made by a newer tracespool (format %u, this one knows %u)",
                       spool->path, format, SPOOL_FORMAT_VERSION);
    return 0;
}

static int create_databases(struct spool *spool, MDB_txn *txn)
{
    int rc = open_databases(spool, txn, MDB_CREATE);

    if (rc == 0)
        rc = spool_pending_create(txn, spool->pending, 1);
    return rc == 0 ? spool_state_create(txn, spool) : rc;
}

static int prepare(struct spool *spool, MDB_txn *txn, struct err *err)
{
    MDB_stat stat;
    int rc = mdb_env_stat(spool->env, &stat);

    if (rc == 0 && stat.ms_entries == 0 && !spool->readonly) {
        rc = create_databases(spool, txn);
        return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot make a spool in %s", spool->path);
    }
    /* `state` alone first: a newer format may have other databases. */
    if (rc == 0)
        rc = mdb_dbi_open(txn, "state", 0, &spool->state);
    if (rc == MDB_NOTFOUND)
        return err_set(err, ERR_CONFIG, rc, "%s is an LMDB environment, but not a spool", spool->path);
    if (rc == 0 && check_format(spool, txn, err) == -1)
        return -1;
    if (rc == 0)
        rc = open_databases(spool, txn, 0);
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot open spool %s", spool->path);
}

/* The handles that a transaction opens are kept only if it commits; one that wrote nothing does so without a sync. */
static int open_format(struct spool *spool, struct err *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(spool->env, NULL, spool->readonly ? MDB_RDONLY : 0, &txn);

    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot open spool %s", spool->path);
    if (prepare(spool, txn, err) == -1) {
        mdb_txn_abort(txn);
        return -1;
    }
    rc = mdb_txn_commit(txn);
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot open spool %s", spool->path);
}

/* --- the environment ------------------------------------------------------- */

static int make_env(struct spool *spool, struct err *err)
{
    MDB_stat stat;
    int rc = mdb_env_create(&spool->env);

    if (rc != 0) {
        spool->env = NULL;
        return spool_lmdb_error(err, rc, "cannot make an LMDB environment");
    }
    /* These three fail on an open environment only. */
    mdb_env_set_maxdbs(spool->env, DATABASES);
    mdb_env_set_maxreaders(spool->env, SPOOL_READERS_MAX);
    if (!spool->readonly)
        mdb_env_set_mapsize(spool->env, spool->size_bytes);
    rc = mdb_env_open(spool->env, spool->path, ENV_FLAGS | (spool->readonly ? MDB_RDONLY : 0), FILE_MODE);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot open spool %s", spool->path);
    mdb_env_stat(spool->env, &stat);
    spool->page_bytes = stat.ms_psize;
    return 0;
}

static struct spool *new_spool(const char *path, struct err *err)
{
    struct spool *spool = calloc(1, sizeof(*spool));
    char *copy = strdup(path);

    if (spool == NULL || copy == NULL) {
        free(spool);
        free(copy);
        err_set(err, ERR_BUSY, ENOMEM, "out of memory");
        return NULL;
    }
    spool->path = copy;
    spool->lock_fd = -1;
    return spool;
}

static int clear_dead_readers(struct spool *spool, struct err *err)
{
    int dead = 0, rc = mdb_reader_check(spool->env, &dead);

    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot check the readers of spool %s", spool->path);
    if (dead > 0)
        log_info("spool.readers", "%s: cleared %d readers that are gone", spool->path, dead);
    return 0;
}

static int check_options(const struct spool_options *options, struct err *err)
{
    char least[UNITS_TEXT_MAX];

    if (options->size_bytes >= SPOOL_SIZE_MIN_BYTES && options->size_bytes <= SPOOL_SIZE_MAX_BYTES)
        return 0;
    return err_set(err, ERR_CONFIG, 0, "a spool cannot have %llu bytes: it takes at least %s",
                   (unsigned long long)options->size_bytes, units_format_bytes(least, SPOOL_SIZE_MIN_BYTES));
}

int spool_open(struct spool **out, const struct spool_options *options, struct err *err)
{
    uint64_t os_page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    struct spool *spool;

    if (check_options(options, err) == -1 || (spool = new_spool(options->path, err)) == NULL)
        return -1;
    spool->size_bytes = options->size_bytes / os_page_bytes * os_page_bytes;
    spool->history_ns = options->history_ns;
    if (spool_file_make_directory(spool->path, err) == -1 || spool_lock_check_local(spool->path, err) == -1 ||
        spool_lock_take(spool->path, &spool->lock_fd, err) == -1 || make_env(spool, err) == -1 ||
        clear_dead_readers(spool, err) == -1 || spool_file_size(spool, options->reserve, err) == -1 ||
        open_format(spool, err) == -1 || spool_file_sync_directory(spool->path, err) == -1)
        goto fail;
    *out = spool;
    return 0;
fail:
    spool_close(spool);
    return -1;
}

static int explain_readonly(const char *path, struct err *err)
{
    switch (err->code) {
    case ENOENT:
    case ENOTDIR:
        return err_set(err, ERR_CONFIG, err->code, "no spool at %s: is this the spool.path of the daemon?", path);
    case EACCES:
    case EPERM:
        return err_set(err, ERR_CONFIG, err->code,
                       "no permission to open spool %s: run this as the user that the spool belongs to, or as root",
                       path);
    case MDB_READERS_FULL:
        return err_set(err, ERR_BUSY, err->code, "too many processes read spool %s: try again", path);
    default:
        return -1;
    }
}

int spool_open_readonly(struct spool **out, const char *path, struct err *err)
{
    struct err cause;
    struct spool *spool = new_spool(path, &cause);

    if (spool == NULL)
        goto fail;
    spool->readonly = true;
    if (make_env(spool, &cause) == -1 || spool_file_check_length(spool, &cause) == -1 ||
        open_format(spool, &cause) == -1)
        goto fail;
    *out = spool;
    return 0;
fail:
    spool_close(spool);
    explain_readonly(path, &cause);
    if (err != NULL)
        *err = cause;
    return -1;
}

void spool_close(struct spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->env != NULL)
        mdb_env_close(spool->env);
    /* After the environment: whoever takes the lock next must find it closed. */
    if (spool->lock_fd != -1)
        close(spool->lock_fd);
    free(spool->path);
    free(spool);
}
