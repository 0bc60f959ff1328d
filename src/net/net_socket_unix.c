/*
 * net_socket_unix.c - a listening socket on a path.
 *
 * A daemon that was killed leaves its socket behind.  Such a file refuses
 * connections and is replaced; one that takes them is somebody's, and what is
 * no socket at all is never touched.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net_socket_internal.h"

#define UNIX_MODE 0660 /* connecting takes the right to write */

static int fail(struct err *err, int code)
{
    return err_set(err, ERR_CONFIG, code, "%s", strerror(code));
}

/* 0 when nobody listens; else an errno that says why this path cannot be had. */
static int probe(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int code;

    if (fd < 0)
        return errno;
    code = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? EADDRINUSE : errno;
    close(fd);
    if (code == EAGAIN) /* its backlog is full */
        return EADDRINUSE;
    return code == ECONNREFUSED ? 0 : code;
}

static int clear_path(const struct sockaddr_un *address, struct err *err)
{
    struct stat found;
    int code;

    if (lstat(address->sun_path, &found) != 0)
        return errno == ENOENT ? 0 : fail(err, errno);
    if (!S_ISSOCK(found.st_mode))
        return err_set(err, ERR_CONFIG, EEXIST, "a file that is no socket is there");
    code = probe(address);
    if (code != 0)
        return fail(err, code);
    if (unlink(address->sun_path) != 0 && errno != ENOENT)
        return fail(err, errno);
    return 0;
}

/*
 * The mode is set before the path is there, where Linux takes it from the
 * socket less the umask, so that at no time it is wider; then what the umask
 * took away is given back.  The umask itself belongs to the whole process.
 */
static int bind_path(struct net_sockets *sockets, int fd, const struct sockaddr_un *address)
{
    struct stat made;

    if (fchmod(fd, UNIX_MODE) != 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
        return -1;
    if (lstat(address->sun_path, &made) != 0)
        return -1;
    sockets->path_dev = made.st_dev;
    sockets->path_inode = made.st_ino;
    sockets->path = strdup(address->sun_path);
    if (sockets->path == NULL || chmod(address->sun_path, UNIX_MODE) != 0)
        return -1;
    return listen(fd, SOMAXCONN);
}

int net_socket_unix(struct net_sockets *sockets, const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (path[0] == '\0')
        return fail(err, EINVAL);
    if (strlen(path) >= sizeof(address.sun_path))
        return err_set(err, ERR_CONFIG, ENAMETOOLONG, "the path is longer than %zu bytes",
                       sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path));
    if (clear_path(&address, err) != 0)
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(err, errno);
    sockets->fds[sockets->count++] = fd;
    return bind_path(sockets, fd, &address) == 0 ? 0 : fail(err, errno);
}

void net_socket_unix_unlink(struct net_sockets *sockets)
{
    struct stat found;

    if (sockets->path == NULL)
        return;
    if (lstat(sockets->path, &found) == 0 && found.st_dev == sockets->path_dev && found.st_ino == sockets->path_inode)
        unlink(sockets->path);
    free(sockets->path);
    sockets->path = NULL;
}
