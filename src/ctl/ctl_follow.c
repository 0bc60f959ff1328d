/*
 * ctl_follow.c - noticing that data.mdb is another file.
 *
 * The file is told by its number, as it is by `tail -F`.  The number is taken
 * before the file is opened: if it is exchanged in between, the next look sees
 * that it is another one, and opens again.
 */
#include "ctl_follow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES_MAX 4200 /* spool.path, and the file's name */

static int find_file(const struct ctl_follow *follow, struct stat *file, struct err *err)
{
    char name[NAME_BYTES_MAX];

    if (snprintf(name, sizeof(name), "%s/data.mdb", follow->path) >= (int)sizeof(name))
        return err_set(err, ERR_CONFIG, ENAMETOOLONG, "the spool's path is too long");
    if (stat(name, file) == 0)
        return 0;
    return err_set(err, ERR_RETRY, errno, "no spool at %s just now: %s", follow->path, strerror(errno));
}

void ctl_follow_drop(struct ctl_follow *follow)
{
    spool_close(follow->spool);
    follow->spool = NULL;
}

int ctl_follow_look(struct ctl_follow *follow, struct err *err)
{
    struct stat file;
    bool is_other;

    if (find_file(follow, &file, err) == -1)
        return -1;
    is_other = follow->file != 0 && (file.st_ino != follow->file || file.st_dev != follow->device);
    if (follow->spool != NULL && !is_other)
        return 0;
    ctl_follow_drop(follow);
    if (spool_open_readonly(&follow->spool, follow->path, err) == -1) {
        follow->spool = NULL;
        return -1;
    }
    follow->file = file.st_ino;
    follow->device = file.st_dev;
    return is_other ? 1 : 0;
}

int ctl_follow_open(struct ctl_follow *follow, struct ctl *ctl)
{
    struct stat file;
    struct err err;

    *follow = (struct ctl_follow){.path = ctl_spool_path(ctl)};
    if (follow->path == NULL)
        return -1;
    if (find_file(follow, &file, &err) == 0) {
        follow->file = file.st_ino;
        follow->device = file.st_dev;
    }
    /* What is told of a spool that is not there, or not ours, is the same for all verbs. */
    follow->spool = ctl_open_spool(ctl);
    return follow->spool != NULL ? 0 : -1;
}

void ctl_follow_close(struct ctl_follow *follow)
{
    ctl_follow_drop(follow);
}
