/*
 * net_socket.h - the listening sockets of one address.
 *
 * An address is "host:port", "[v6]:port" or "unix:/path".  A host is whatever
 * getaddrinfo knows, and each address that it gives is listened on; port 0
 * picks a port that is free on all of them.  "[::]" takes IPv4 as well.
 */
#ifndef TRACESPOOL_NET_SOCKET_H
#define TRACESPOOL_NET_SOCKET_H

#include <sys/types.h>

#include "bounds.h"
#include "err.h"

struct net_sockets {
    int fds[NET_SOCKETS_MAX]; /* non-blocking, close-on-exec, listening */
    unsigned count;
    int port;   /* 0 for a path */
    char *path; /* of a Unix socket, else NULL */
    dev_t path_dev;
    ino_t path_inode;
};

/* -1: ERR_CONFIG, "cannot listen on 127.0.0.1:4317: Address already in use", and nothing is left open. */
int net_socket_open(struct net_sockets *sockets, const char *address, struct err *err);

/* A Unix socket's path is removed, unless somebody else has put theirs there. */
void net_socket_close(struct net_sockets *sockets);

#endif
