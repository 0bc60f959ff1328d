/*
 * net_socket.c - an address into listening sockets, and their end.
 *
 * Main's thread.
 */
#include "net_socket.h"

#include <string.h>
#include <unistd.h>

#include "net_socket_internal.h"

#define UNIX_PREFIX "unix:"

int net_socket_open(struct net_sockets *sockets, const char *address, struct err *err)
{
    int rc;

    *sockets = (struct net_sockets){.count = 0};
    if (strncmp(address, UNIX_PREFIX, sizeof(UNIX_PREFIX) - 1) == 0)
        rc = net_socket_unix(sockets, address + sizeof(UNIX_PREFIX) - 1, err);
    else
        rc = net_socket_inet(sockets, address, err);
    if (rc == 0)
        return 0;
    net_socket_close(sockets);
    return err_prefix(err, "cannot listen on %s", address);
}

void net_socket_close(struct net_sockets *sockets)
{
    net_socket_unix_unlink(sockets);
    for (unsigned i = 0; i < sockets->count; i++)
        close(sockets->fds[i]);
    sockets->count = 0;
}
