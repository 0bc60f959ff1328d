/*
 * spool_lock_table.c - the file of LMDB's lock table: its blocks and its owner.
 *
 * Any process, before it opens the environment.  LMDB makes the file when it is
 * missing and does not see to two things:
 *
 * It writes to the file through a map, and a page for which the disk has no
 * block ends the process by SIGBUS.  So the blocks are taken here, where a full
 * disk is an error.
 *
 * A command that root runs on the spool of another user would leave a file that
 * this user cannot open.  So root gives it to the owner of data.mdb.
 *
 * What a process may not do here it leaves to LMDB, which says so.
 */
#include "spool_lock_table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "log.h"

#define FILE_MODE 0600
#define STAT_BLOCK_BYTES 512

/* -1 without an error: there is nothing to prepare, or it is not for us. */
static int open_table(const struct spool *spool, const struct stat *data)
{
    char name[PATH_MAX];
    int flags = O_RDWR | O_CLOEXEC;

    /* Who only looks makes no file where there is no spool. */
    if (data->st_nlink > 0 || !spool->readonly)
        flags |= O_CREAT;
    if (snprintf(name, sizeof(name), "%s/lock.mdb", spool->path) >= (int)sizeof(name))
        return -1;
    return open(name, flags, FILE_MODE);
}

/* All zeros when there is none. */
static struct stat stat_data(const struct spool *spool)
{
    char name[PATH_MAX];
    struct stat st = {0};

    if (snprintf(name, sizeof(name), "%s/data.mdb", spool->path) >= (int)sizeof(name) || stat(name, &st) == -1)
        st = (struct stat){0};
    return st;
}

static void give_to_owner(const struct spool *spool, int fd, const struct stat *table, const struct stat *data)
{
    if (geteuid() != 0 || data->st_nlink == 0 || (table->st_uid == data->st_uid && table->st_gid == data->st_gid))
        return;
    if (fchown(fd, data->st_uid, data->st_gid) == -1)
        log_warn("spool.cannot_give_lock", "cannot give %s/lock.mdb to uid %lu: %s", spool->path,
                 (unsigned long)data->st_uid, mdb_strerror(errno));
}

/* The length stays: LMDB takes the number of slots from it. */
static int take_blocks(int fd, const struct stat *table)
{
    if ((uint64_t)table->st_blocks * STAT_BLOCK_BYTES >= SPOOL_LOCK_TABLE_BYTES)
        return 0;
    while (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SPOOL_LOCK_TABLE_BYTES) == -1) {
        if (errno != EINTR)
            return errno == EOPNOTSUPP ? 0 : errno;
    }
    return 0;
}

int spool_lock_table_prepare(const struct spool *spool, struct err *err)
{
    struct stat data = stat_data(spool), table;
    int fd = open_table(spool, &data), rc = 0;

    if (fd == -1)
        return 0;
    if (fstat(fd, &table) == 0) {
        give_to_owner(spool, fd, &table, &data);
        rc = take_blocks(fd, &table);
        /* Whoever looks at a spool in use finds a table that its daemon has prepared. */
        if (spool->readonly && table.st_size > 0)
            rc = 0;
    }
    close(fd);
    return rc == 0 ? 0 : spool_lmdb_error(err, rc, "cannot make %s/lock.mdb", spool->path);
}
