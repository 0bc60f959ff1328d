/*
 * spool.c - opening and closing the spool.
 *
 * Main's thread.  In order: the directory, its file system, the lock, the
 * structure of the file that is there, the environment, its size, its blocks,
 * its format, its state.  A refusal leaves no lock and no open file behind.
 *
 * A file that is damaged is moved aside and a fresh one is begun, by the owner
 * only: what comes in can be kept, and what the damaged one holds is there for
 * `tracespool salvage`.  The fresh one's first number is the wall clock in ms,
 * so that no number is given twice.  That goes for every new spool beside which
 * damaged files are kept: the process may have been killed between the two
 * steps.  What is no spool of ours is refused and left alone.
 */
#include "spool_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"
#include "log.h"
#include "spool_aside.h"
#include "spool_edit.h"
#include "spool_file.h"
#include "spool_format.h"
#include "spool_lock.h"
#include "spool_lock_table.h"
#include "spool_shrink.h"
#include "spool_state.h"
#include "spool_verify.h"
#include "spool_walk.h"
#include "units.h"

#define FILE_MODE 0600
#define ENV_FLAGS MDB_NOTLS

/* --- the environment ------------------------------------------------------- */

static int make_env(struct spool *spool, struct err *err)
{
    MDB_stat stat;
    int rc = mdb_env_create(&spool->env);

    if (rc != 0) {
        spool->env = NULL;
        return spool_lmdb_error(err, rc, "cannot make an LMDB environment");
    }
    mdb_env_set_userctx(spool->env, spool);
    /* These three fail on an open environment only. */
    mdb_env_set_maxdbs(spool->env, SPOOL_DATABASES);
    mdb_env_set_maxreaders(spool->env, SPOOL_READERS_MAX);
    if (!spool->readonly)
        mdb_env_set_mapsize(spool->env, spool->size_bytes);
    if (spool_lock_table_prepare(spool, err) == -1)
        return -1;
    fault_point("spool.open");
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
        log_info("spool.readers_cleared", "%s: cleared %d readers that are gone", spool->path, dead);
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

/* The blocks of damaged files may be the ones that are lacking: better a spool that may meet a full disk than none. */
static int fit_file(struct spool *spool, bool reserve, struct err *err)
{
    if (spool_file_size(spool, reserve, err) == 0)
        return 0;
    if (err->class != ERR_BUSY || !reserve || spool_aside_count(spool->path) == 0)
        return -1;
    log_warn("spool.not_reserved", "%s; going on without, since damaged files are kept in %s", err->text, spool->path);
    return 0;
}

/* The file, when it is there and sound, or a new one. */
static int open_env(struct spool *spool, bool reserve, struct err *err)
{
    if (spool_verify_file(spool->path, err) == -1 || make_env(spool, err) == -1)
        return -1;
    if (spool_shrink_is_due(spool) && (spool_shrink(spool, err) == -1 || make_env(spool, err) == -1))
        return -1;
    if (clear_dead_readers(spool, err) == -1 || fit_file(spool, reserve, err) == -1 ||
        spool_format_open(spool, err) == -1)
        return -1;
    return spool_verify_state(spool, err) == -1 ? -1 : spool_format_find_map(spool, err);
}

static bool is_damage(const struct err *err)
{
    return err->class == ERR_FATAL &&
           (err->code == SPOOL_DAMAGED || err->code == MDB_CORRUPTED || err->code == MDB_PAGE_NOTFOUND);
}

/* `damage` is what is wrong with the file that is there. */
static int begin_afresh(struct spool *spool, bool reserve, const struct err *damage, struct err *err)
{
    char *moved;

    if (spool->env != NULL)
        mdb_env_close(spool->env);
    spool->env = NULL;
    if (spool_aside_move(spool->path, &moved, err) == -1)
        return err_prefix(err, "%s", damage->text);
    log_error("spool.moved_aside",
              "%s; it is now %s and a fresh spool is begun; to get out what it holds: tracespool salvage %s",
              damage->text, moved, moved);
    free(moved);
    return open_env(spool, reserve, err);
}

static struct spool *new_owned(const struct spool_options *options, struct err *err)
{
    uint64_t os_page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    struct spool *spool;

    if (check_options(options, err) == -1 || (spool = new_spool(options->path, err)) == NULL)
        return NULL;
    spool->size_bytes = options->size_bytes / os_page_bytes * os_page_bytes;
    spool->history_ns = options->history_ns;
    spool->drop_oldest = options->drop_oldest;
    return spool;
}

int spool_open(struct spool **out, const struct spool_options *options, struct err *err)
{
    struct err cause;
    struct spool *spool = new_owned(options, &cause);

    if (spool == NULL || spool_file_make_directory(spool->path, &cause) == -1 ||
        spool_lock_check_local(spool->path, &cause) == -1 ||
        spool_lock_take(spool->path, &spool->lock_fd, &cause) == -1)
        goto fail;
    if (open_env(spool, options->reserve, &cause) == -1) {
        struct err damage = cause;

        if (!is_damage(&damage) || begin_afresh(spool, options->reserve, &damage, &cause) == -1)
            goto fail;
    }
    if (spool_file_sync_directory(spool->path, &cause) == -1)
        goto fail;
    *out = spool;
    return 0;
fail:
    spool_close(spool);
    if (err != NULL)
        *err = cause;
    return -1;
}

static int explain_beside(const struct spool *spool, const char *path, struct err *err)
{
    switch (err->code) {
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EPERM:
        return spool_open_error(err, err->code, spool == NULL || spool->readonly ? "open" : "change", path);
    case MDB_READERS_FULL:
        return err_set(err, ERR_BUSY, err->code, "too many processes read spool %s: try again", path);
    default:
        return -1;
    }
}

/*
 * Without a daemon nobody has looked at the file, and a damaged one would take
 * this process with it.  With one, or when somebody writes, it was looked at.
 */
static int verify_beside(const char *path, struct err *err)
{
    if (spool_owner(path) != 0 || spool_verify_file(path, err) == 0)
        return 0;
    if (err->class == ERR_RETRY || (is_damage(err) && spool_owner(path) != 0))
        return 0;
    if (!is_damage(err))
        return -1;
    err_set(err, ERR_FATAL, SPOOL_DAMAGED, "%.300s; tracespool salvage %s/data.mdb gets out what it holds", err->text,
            path);
    return -1;
}

/* An environment that is opened to be written would be made when it is missing. */
static int check_exists(const struct spool *spool, struct err *err)
{
    char *name;
    int rc;

    if (asprintf(&name, "%s/data.mdb", spool->path) == -1)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory");
    rc = access(name, F_OK);
    free(name);
    return rc == 0 ? 0 : spool_lmdb_error(err, errno, "cannot open spool %s", spool->path);
}

/* The daemon's size, so that nothing is written where its map does not reach. */
static int adopt_size(struct spool *spool, struct err *err)
{
    struct spool_counters counters;
    int rc = spool_state_read_counters(spool, &counters);

    if (rc == 0)
        rc = mdb_env_set_mapsize(spool->env, counters.size_bytes);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot open spool %s", spool->path);
    spool->size_bytes = counters.size_bytes;
    return spool_file_measure(spool, err);
}

static int open_beside(struct spool **out, const char *path, bool readonly, bool walked, struct err *err)
{
    struct err cause;
    struct spool *spool = new_spool(path, &cause);

    if (spool == NULL)
        goto fail;
    spool->readonly = readonly;
    if (check_exists(spool, &cause) == -1 || (!walked && verify_beside(path, &cause) == -1) ||
        make_env(spool, &cause) == -1 || spool_format_open(spool, &cause) == -1)
        goto fail;
    if (!readonly && (adopt_size(spool, &cause) == -1 || spool_format_find_map(spool, &cause) == -1))
        goto fail;
    *out = spool;
    return 0;
fail:
    explain_beside(spool, path, &cause);
    spool_close(spool);
    if (err != NULL)
        *err = cause;
    return -1;
}

int spool_open_readonly(struct spool **out, const char *path, struct err *err)
{
    return open_beside(out, path, true, false, err);
}

int spool_open_walked(struct spool **out, const char *path, struct err *err)
{
    return open_beside(out, path, true, true, err);
}

int spool_open_edit(struct spool **out, const char *path, struct err *err)
{
    return open_beside(out, path, false, false, err);
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
