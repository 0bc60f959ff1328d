/*
 * spool_lock.c - the lock on DIR/lock.
 *
 * An open-file-description lock, not a POSIX record lock: the latter is lost
 * when any descriptor of the file is closed anywhere in the process, and it
 * would not keep two spools of one process apart.  Such a lock names no
 * process, so its holder writes its pid into the file; the pid counts only
 * while the lock is held.  The kernel releases it however the process ends.
 */
#include "spool_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "spool.h"

#define LOCK_NAME "lock"
#define PID_TEXT_MAX 24

/* Names that linux/magic.h does not have. */
#define MAGIC_NFS NFS_SUPER_MAGIC
#define MAGIC_CIFS 0xFF534D42UL
#define MAGIC_SMB2 0xFE534D42UL
#define MAGIC_CEPH 0x00C36400UL
#define MAGIC_LUSTRE 0x0BD00BD0UL
#define MAGIC_GFS2 0x01161970UL
#define MAGIC_OCFS2 0x7461636FUL

static const struct {
    unsigned long type;
    const char *name;
} networks[] = {
    {MAGIC_NFS, "NFS"},       {SMB_SUPER_MAGIC, "SMB"}, {MAGIC_CIFS, "CIFS"},     {MAGIC_SMB2, "SMB"},
    {MAGIC_CEPH, "Ceph"},     {V9FS_MAGIC, "9p"},       {AFS_SUPER_MAGIC, "AFS"}, {CODA_SUPER_MAGIC, "Coda"},
    {MAGIC_LUSTRE, "Lustre"}, {MAGIC_GFS2, "GFS2"},     {MAGIC_OCFS2, "OCFS2"},   {NCP_SUPER_MAGIC, "NCP"},
};

const char *spool_lock_network_name(unsigned long type)
{
    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        if (networks[i].type == type)
            return networks[i].name;
    }
    return NULL;
}

int spool_lock_check_local(const char *path, struct err *err)
{
    struct statfs fs;
    const char *name;

    if (statfs(path, &fs) == -1)
        return err_set(err, ERR_CONFIG, errno, "cannot examine the file system of %s: %s", path, strerror(errno));
    /* f_type is signed on some machines, and the magic numbers are 32 bits. */
    name = spool_lock_network_name((unsigned long)fs.f_type & 0xFFFFFFFFUL);
    if (name != NULL)
        return err_set(err, ERR_CONFIG, 0,
                       "spool %s is on a network file system (%s), where locks and syncs cannot be relied on: "
                       "use a local disk",
                       path, name);
    return 0;
}

static struct flock whole_file(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

static pid_t read_pid(int fd)
{
    char text[PID_TEXT_MAX] = "";
    ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
    long pid = len > 0 ? strtol(text, NULL, 10) : 0;

    return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

static int write_pid(int fd)
{
    char text[PID_TEXT_MAX];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) == len ? 0 : -1;
}

static int open_lock(const char *path, int flags)
{
    char name[PATH_MAX];

    if (snprintf(name, sizeof(name), "%s/%s", path, LOCK_NAME) >= (int)sizeof(name)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(name, flags | O_CLOEXEC, 0600);
}

/* Said here, where it is known whose the file is; later it would be an errno without a name. */
static int check_access(const char *path, const char *file, int mode, struct err *err)
{
    char name[PATH_MAX];
    struct stat st;

    if (snprintf(name, sizeof(name), "%s%s", path, file) >= (int)sizeof(name) || stat(name, &st) == -1 ||
        faccessat(AT_FDCWD, name, mode, AT_EACCESS) == 0)
        return 0;
    if (errno == EACCES && st.st_uid != geteuid())
        return err_set(err, ERR_CONFIG, errno,
                       "%s belongs to uid %lu and this is uid %lu: run it as that user, or see to it with chown -R",
                       name, (unsigned long)st.st_uid, (unsigned long)geteuid());
    return err_set(err, ERR_CONFIG, errno, "cannot write to %s: %s", name, strerror(errno));
}

int spool_lock_take(const char *path, int *fd, struct err *err)
{
    struct flock lock = whole_file(F_WRLCK);

    *fd = -1;
    if (check_access(path, "", R_OK | W_OK | X_OK, err) == -1 ||
        check_access(path, "/" LOCK_NAME, R_OK | W_OK, err) == -1 ||
        check_access(path, "/data.mdb", R_OK | W_OK, err) == -1 ||
        check_access(path, "/lock.mdb", R_OK | W_OK, err) == -1)
        return -1;
    *fd = open_lock(path, O_RDWR | O_CREAT);
    if (*fd == -1)
        return err_set(err, ERR_CONFIG, errno, "cannot open %s/%s: %s", path, LOCK_NAME, strerror(errno));
    if (fcntl(*fd, F_OFD_SETLK, &lock) == -1) {
        if (errno == EAGAIN || errno == EACCES)
            err_set(err, ERR_CONFIG, errno, "spool %s is in use by process %ld", path, (long)read_pid(*fd));
        else
            err_set(err, ERR_CONFIG, errno, "cannot lock %s/%s: %s", path, LOCK_NAME, strerror(errno));
        goto fail;
    }
    if (write_pid(*fd) == -1) {
        err_set(err, errno == ENOSPC ? ERR_BUSY : ERR_CONFIG, errno, "cannot write %s/%s: %s", path, LOCK_NAME,
                strerror(errno));
        goto fail;
    }
    return 0;
fail:
    close(*fd);
    *fd = -1;
    return -1;
}

pid_t spool_owner(const char *path)
{
    struct flock lock = whole_file(F_WRLCK);
    pid_t pid = 0;
    int fd = open_lock(path, O_RDONLY);

    if (fd == -1)
        return 0;
    if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
        pid = read_pid(fd);
    close(fd);
    return pid;
}
