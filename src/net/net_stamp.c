/*
 * net_stamp.c - one stat.
 */
#include "net_stamp.h"

#include <sys/stat.h>

#include "log.h"

struct net_stamp net_stamp_take(const char *path)
{
    struct net_stamp stamp = {.there = false};
    struct stat found;

    if (stat(path, &found) != 0)
        return stamp;
    stamp.there = true;
    stamp.dev = found.st_dev;
    stamp.inode = found.st_ino;
    stamp.size = found.st_size;
    stamp.mode = found.st_mode;
    stamp.modified = found.st_mtim;
    stamp.changed = found.st_ctim;
    return stamp;
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool net_stamp_equal(const struct net_stamp *a, const struct net_stamp *b)
{
    if (!a->there || !b->there)
        return a->there == b->there;
    return a->dev == b->dev && a->inode == b->inode && a->size == b->size && is_same_time(&a->modified, &b->modified) &&
           is_same_time(&a->changed, &b->changed);
}

void net_stamp_warn_if_readable(const struct net_stamp *stamp, mode_t readers, const char *path)
{
    if (stamp->there && (stamp->mode & readers) != 0)
        log_warn("net.secret_readable", "%s: others than its owner may read it (mode %04o)", path,
                 (unsigned)(stamp->mode & 07777));
}
