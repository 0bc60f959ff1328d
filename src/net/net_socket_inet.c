/*
 * net_socket_inet.c - "host:port": resolved, and each address listened on.
 *
 * An address that this machine does not have is passed over when the name has
 * another one ("localhost" names ::1 where the kernel has no IPv6); any other
 * failure is final, since half of an address would be found out late.
 */
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_socket_internal.h"

#define PORT_DIGITS_MAX 5
#define PORT_MAX 65535

/* The host without brackets into `host`.  -1: it is not host:port. */
static int split(const char *address, char host[NET_HOST_BYTES], int *port)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - address);
    size_t digits;

    if (len == 0 || len >= NET_HOST_BYTES)
        return -1;
    digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > PORT_DIGITS_MAX || colon[1 + digits] != '\0' || atoi(colon + 1) > PORT_MAX)
        return -1;
    *port = atoi(colon + 1);
    if (address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    } else if (memchr(address, ':', len) != NULL) {
        return -1; /* "::1:4317" may mean two things */
    }
    memcpy(host, address, len);
    host[len] = '\0';
    return len > 0 ? 0 : -1;
}

static in_port_t *port_of(struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return &((struct sockaddr_in6 *)address)->sin6_port;
    assert(address->sa_family == AF_INET);
    return &((struct sockaddr_in *)address)->sin_port;
}

static int bound_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    int result = getsockname(fd, (struct sockaddr *)&address, &len);

    assert(result == 0);
    (void)result;
    return ntohs(*port_of((struct sockaddr *)&address));
}

/* The system's default for a socket of IPv6 may be either; a name has its IPv4 addresses in its list. */
static int set_dual_stack(int fd, const struct sockaddr *address)
{
    int only = !IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)address)->sin6_addr);

    return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
}

static int open_socket(const struct addrinfo *info)
{
    int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int code;

    if (fd < 0)
        return -1;
    /* SO_REUSEADDR: a restart must not wait for connections of the last run to be forgotten.  Never SO_REUSEPORT. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        (info->ai_family != AF_INET6 || set_dual_stack(fd, info->ai_addr) == 0) &&
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    code = errno;
    close(fd);
    errno = code;
    return -1;
}

/* A name may be listed twice in /etc/hosts; the second bind would say that the port is taken. */
static bool is_repeated(const struct addrinfo *infos, const struct addrinfo *info)
{
    for (; infos != info; infos = infos->ai_next) {
        if (infos->ai_addrlen == info->ai_addrlen && memcmp(infos->ai_addr, info->ai_addr, info->ai_addrlen) == 0)
            return true;
    }
    return false;
}

static bool is_not_here(int code)
{
    return code == EAFNOSUPPORT || code == EADDRNOTAVAIL;
}

static void set_ports(struct addrinfo *infos, int port)
{
    for (; infos != NULL; infos = infos->ai_next)
        *port_of(infos->ai_addr) = htons((in_port_t)port);
}

/* Port 0 is decided by the first socket, for all of them. */
static int open_all(struct net_sockets *sockets, struct addrinfo *infos, int port, struct err *err)
{
    int passed_over = EADDRNOTAVAIL;

    set_ports(infos, port);
    for (struct addrinfo *info = infos; info != NULL; info = info->ai_next) {
        int fd;

        if (is_repeated(infos, info))
            continue;
        if (sockets->count == NET_SOCKETS_MAX)
            return err_set(err, ERR_CONFIG, E2BIG, "the name stands for more than %d addresses", NET_SOCKETS_MAX);
        fd = open_socket(info);
        if (fd < 0 && is_not_here(errno)) {
            passed_over = errno;
            continue;
        }
        if (fd < 0)
            return err_set(err, ERR_CONFIG, errno, "%s", strerror(errno));
        sockets->fds[sockets->count++] = fd;
        if (sockets->count == 1)
            sockets->port = bound_port(fd);
        if (port == 0)
            set_ports(infos, sockets->port);
    }
    if (sockets->count == 0)
        return err_set(err, ERR_CONFIG, passed_over, "%s", strerror(passed_over));
    return 0;
}

int net_socket_inet(struct net_sockets *sockets, const char *address, struct err *err)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    char host[NET_HOST_BYTES];
    struct addrinfo *infos;
    int code, port, rc;

    if (split(address, host, &port) != 0)
        return err_set(err, ERR_CONFIG, EINVAL, "it is none of host:port, [v6]:port, unix:/path");
    code = getaddrinfo(host, NULL, &hints, &infos);
    if (code != 0)
        return err_set(err, ERR_CONFIG, EADDRNOTAVAIL, "%s", gai_strerror(code));
    rc = open_all(sockets, infos, port, err);
    for (int i = 0; rc != 0 && port == 0 && err->code == EADDRINUSE && i < NET_PORT_TRIES_MAX; i++) {
        net_socket_close(sockets); /* free on the first address, taken on another one */
        rc = open_all(sockets, infos, port, err);
    }
    freeaddrinfo(infos);
    return rc;
}
