/*
 * spool_file.c - directory, length and blocks of data.mdb.
 *
 * At open, on main's thread, before anything is written.  LMDB takes the size
 * of its map from us and never looks at the file's length: so a file that is
 * longer than what is used is as good as any, which is what reserving it
 * relies on.  One that is too short has been found before (spool_walk.h).
 */
#include "spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fault.h"
#include "spool_space.h"
#include "units.h"

#define DIRECTORY_MODE 0700
#define STAT_BLOCK_BYTES 512

/* --- the directory -------------------------------------------------------- */

int spool_file_sync_directory(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd == -1 || fsync(fd) == -1 ? errno : 0;

    if (fd != -1)
        close(fd);
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot sync the directory %s", path);
}

static int sync_parent(const char *path, struct err *err)
{
    char *parent;
    int rc;

    if (asprintf(&parent, "%s/..", path) == -1)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory");
    rc = spool_file_sync_directory(parent, err);
    free(parent);
    return rc;
}

int spool_file_make_directory(const char *path, struct err *err)
{
    struct stat st;

    if (mkdir(path, DIRECTORY_MODE) == 0)
        return sync_parent(path, err);
    if (errno != EEXIST)
        return spool_lmdb_error(err, errno, "cannot make the spool's directory %s", path);
    if (stat(path, &st) == -1)
        return spool_lmdb_error(err, errno, "cannot look at %s", path);
    return S_ISDIR(st.st_mode) ? 0 : err_set(err, ERR_CONFIG, ENOTDIR, "spool %s is not a directory", path);
}

/* --- size and blocks ------------------------------------------------------- */

static int file_stat(const struct spool *spool, struct stat *st, struct err *err)
{
    int fd;

    mdb_env_get_fd(spool->env, &fd);
    return fstat(fd, st) == 0 ? 0 : spool_lmdb_error(err, errno, "cannot look at %s/data.mdb", spool->path);
}

/* A file with holes, as cp leaves where nothing was written yet, has its blocks taken from the start. */
static uint64_t allocated_of(const struct stat *st)
{
    return (uint64_t)st->st_blocks * STAT_BLOCK_BYTES >= (uint64_t)st->st_size ? (uint64_t)st->st_size : 0;
}

int spool_file_measure(struct spool *spool, struct err *err)
{
    struct stat st;

    if (file_stat(spool, &st, err) == -1)
        return -1;
    spool->allocated_bytes = allocated_of(&st);
    return 0;
}

/* Told before it is tried: a failed allocation may leave the disk full. */
static int check_room(const struct spool *spool, const struct stat *st, struct err *err)
{
    uint64_t held_bytes = (uint64_t)st->st_blocks * STAT_BLOCK_BYTES;
    uint64_t needed_bytes = spool->size_bytes > held_bytes ? spool->size_bytes - held_bytes : 0;
    char size[UNITS_TEXT_MAX], needed[UNITS_TEXT_MAX], room[UNITS_TEXT_MAX];
    struct statvfs fs;

    if (statvfs(spool->path, &fs) == -1)
        return spool_lmdb_error(err, errno, "cannot look at the file system of %s", spool->path);
    if ((uint64_t)fs.f_bavail * fs.f_frsize >= needed_bytes && fault_point("spool.room") == 0)
        return 0;
    return err_set(err, ERR_BUSY, ENOSPC, "no room to reserve %s for spool %s: %s more are needed and %s are free",
                   units_format_bytes(size, spool->size_bytes), spool->path, units_format_bytes(needed, needed_bytes),
                   units_format_bytes(room, (uint64_t)fs.f_bavail * fs.f_frsize));
}

static int reserve_file(struct spool *spool, const struct stat *st, struct err *err)
{
    int fd, rc;

    if (check_room(spool, st, err) == -1)
        return -1;
    mdb_env_get_fd(spool->env, &fd);
    do {
        rc = posix_fallocate(fd, 0, (off_t)spool->size_bytes);
    } while (rc == EINTR);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot reserve %s/data.mdb", spool->path);
    spool->allocated_bytes = spool->size_bytes;
    return 0;
}

int spool_file_size(struct spool *spool, bool reserve, struct err *err)
{
    struct stat st;
    int fd;

    if (file_stat(spool, &st, err) == -1)
        return -1;
    mdb_env_get_fd(spool->env, &fd);
    /* A smaller size gives its blocks back; nothing is used beyond it. */
    if ((uint64_t)st.st_size > spool->size_bytes && ftruncate(fd, (off_t)spool->size_bytes) == -1)
        return spool_lmdb_error(err, errno, "cannot shorten %s/data.mdb", spool->path);
    spool->allocated_bytes = allocated_of(&st);
    return reserve ? reserve_file(spool, &st, err) : 0;
}
