/*
 * ingest_socket.c - names to addresses to a connected socket.
 */
#include "ingest_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The first address that connects; errno of the last one that did not. */
static int connect_any(const struct addrinfo *addresses)
{
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
        int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        int why;

        if (fd == -1)
            continue;
        if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
            return fd;
        why = errno;
        close(fd);
        errno = why;
    }
    return -1;
}

int ingest_socket_connect(const char *target, struct err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    char host[256];
    const char *port = strrchr(target, ':');
    int fd, rc, on = 1;

    if (port == NULL || (size_t)snprintf(host, sizeof(host), "%.*s", (int)(port - target), target) >= sizeof(host))
        return err_set(err, ERR_CONFIG, 0, "'%s' is not HOST:PORT", target);
    rc = getaddrinfo(host, port + 1, &hints, &addresses);
    if (rc != 0)
        return err_set(err, ERR_CONFIG, rc, "%s: %s", target, gai_strerror(rc));
    fd = connect_any(addresses);
    freeaddrinfo(addresses);
    if (fd == -1)
        return err_set(err, ERR_RETRY, errno, "%s: %s", target, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}
