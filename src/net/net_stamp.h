/*
 * net_stamp.h - has a file changed?
 *
 * A stamp is of the file that a path leads to: Kubernetes changes a secret by
 * pointing a symbolic link elsewhere, others rename a new file into its place,
 * some write into it, and some only change who may read it.
 */
#ifndef TRACESPOOL_NET_STAMP_H
#define TRACESPOOL_NET_STAMP_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct net_stamp {
    bool there;
    dev_t dev;
    ino_t inode;
    off_t size;
    mode_t mode;
    struct timespec modified, changed; /* its bytes; these or its owner, mode, links */
};

struct net_stamp net_stamp_take(const char *path);
bool net_stamp_equal(const struct net_stamp *a, const struct net_stamp *b);

/* Secrets that others than their owner may read are used, and said. */
void net_stamp_warn_if_readable(const struct net_stamp *stamp, mode_t readers, const char *path);

#endif
