/*
 * spool_aside.c - moving a damaged spool file out of the way.
 *
 * Main's thread, at open, under the spool's lock.  A directory is made, what is
 * to be moved is renamed into it, data.mdb last, and both directories are
 * synced.  A crash before the last rename leaves data.mdb where it was, and the
 * next start finds it damaged again; after it, the next start finds none.  In
 * between, lock.mdb may be gone, which LMDB makes anew, and a directory may be
 * left empty, which the next move removes.
 */
#include "spool_aside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "spool_file.h"

#define NAME_PREFIX "damaged-"
#define NAME_MAX_BYTES 64
#define DIRECTORY_MODE 0700

/* A call for each directory of ours in `dir`. */
static void each_directory(const char *path, void (*visit)(void *context, int dir, const char *name), void *context)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, NAME_PREFIX, strlen(NAME_PREFIX)) == 0)
            visit(context, dirfd(dir), entry->d_name);
    }
    closedir(dir);
}

static void count_one(void *context, int dir, const char *name)
{
    char data[NAME_MAX_BYTES + 16];
    unsigned *count = context;

    if (snprintf(data, sizeof(data), "%s/data.mdb", name) < (int)sizeof(data) && faccessat(dir, data, F_OK, 0) == 0)
        ++*count;
}

unsigned spool_aside_count(const char *path)
{
    unsigned count = 0;

    each_directory(path, count_one, &count);
    return count;
}

/* Fails on all that are not empty, which is what it is for. */
static void remove_empty(void *context, int dir, const char *name)
{
    (void)context;
    unlinkat(dir, name, AT_REMOVEDIR);
}

/* Another one within this second gets a number. */
static int make_directory(int dir, char name[NAME_MAX_BYTES])
{
    time_t now = (time_t)(clock_wall_ns() / NS_PER_S);
    char stamp[NAME_MAX_BYTES / 2];
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
    snprintf(name, NAME_MAX_BYTES, NAME_PREFIX "%s", stamp);
    for (unsigned i = 2; mkdirat(dir, name, DIRECTORY_MODE) == -1; i++) {
        if (errno != EEXIST || i > SPOOL_ASIDE_MAX)
            return errno;
        snprintf(name, NAME_MAX_BYTES, NAME_PREFIX "%s-%u", stamp, i);
    }
    return 0;
}

static int move_files(int dir, int into)
{
    int rc = fault_point("spool.aside.made");

    if (rc == 0 && fsync(dir) == -1)
        rc = errno;
    /* First, so that data.mdb is never found without the file that may tell more about it. */
    if (rc == 0 && renameat(dir, "lock.mdb", into, "lock.mdb") == -1 && errno != ENOENT)
        rc = errno;
    if (rc == 0)
        rc = fault_point("spool.aside.lock");
    if (rc == 0 && renameat(dir, "data.mdb", into, "data.mdb") == -1)
        rc = errno;
    if (rc == 0)
        rc = fault_point("spool.aside.data");
    if (rc == 0 && (fsync(into) == -1 || fsync(dir) == -1))
        rc = errno;
    return rc == 0 ? fault_point("spool.aside.synced") : rc;
}

static int move_into(const char *path, char name[NAME_MAX_BYTES])
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), into = -1;
    int rc = dir == -1 ? errno : make_directory(dir, name);

    if (rc == 0 && (into = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
        rc = errno;
    if (rc == 0)
        rc = move_files(dir, into);
    if (into != -1)
        close(into);
    if (dir != -1)
        close(dir);
    return rc;
}

int spool_aside_move(const char *path, char **moved, struct err *err)
{
    char name[NAME_MAX_BYTES] = "";
    int rc;

    each_directory(path, remove_empty, NULL);
    if (spool_aside_count(path) >= SPOOL_ASIDE_MAX)
        return err_set(err, ERR_CONFIG, EEXIST,
                       "%s keeps %u damaged files already: get what they hold with tracespool salvage and remove them",
                       path, SPOOL_ASIDE_MAX);
    rc = move_into(path, name);
    if (rc != 0)
        return spool_lmdb_error(err, rc, "cannot move %s/data.mdb aside", path);
    if (asprintf(moved, "%s/%s/data.mdb", path, name) == -1)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory");
    return 0;
}
