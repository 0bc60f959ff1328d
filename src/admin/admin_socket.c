/*
 * admin_socket.c - the listening socket of the admin endpoint.
 *
 * libmicrohttpd could make it, but would only say that it failed; here the
 * reason is known, and the port when 0 was asked for.
 */
#include "admin_internal.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_BYTES 256

/* The host without brackets into `host`; the port's text, or NULL when there is none. */
static const char *split(const char *address, char host[HOST_BYTES])
{
    const char *colon = strrchr(address, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - address);

    if (len == 0 || len >= HOST_BYTES)
        return NULL;
    if (address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    }
    memcpy(host, address, len);
    host[len] = '\0';
    return colon + 1;
}

static int open_socket(const struct addrinfo *info)
{
    int on = 1;
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, info->ai_protocol);
    int code;

    if (fd < 0)
        return -1;
    /* A restart must not wait for connections of the last run to be forgotten. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, ADMIN_CONNECTIONS_MAX) == 0)
        return fd;
    code = errno;
    close(fd);
    errno = code;
    return -1;
}

static int bound_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    int result = getsockname(fd, (struct sockaddr *)&address, &len);

    assert(result == 0);
    (void)result;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

int admin_socket_listen(const char *address, int *port, struct err *err)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    char host[HOST_BYTES];
    const char *service = split(address, host);
    struct addrinfo *infos;
    int code, fd = -1;

    if (service == NULL)
        return err_set(err, ERR_CONFIG, EINVAL, "admin endpoint %s: not of the form host:port", address);
    code = getaddrinfo(host, service, &hints, &infos);
    if (code != 0)
        return err_set(err, ERR_CONFIG, EADDRNOTAVAIL, "admin endpoint %s: %s", address, gai_strerror(code));
    for (const struct addrinfo *info = infos; info != NULL && fd < 0; info = info->ai_next)
        fd = open_socket(info);
    code = errno;
    freeaddrinfo(infos);
    if (fd < 0)
        return err_set(err, ERR_CONFIG, code, "admin endpoint %s: cannot listen: %s", address, strerror(code));
    *port = bound_port(fd);
    return fd;
}
