/*
 * net_socket_internal.h - the two kinds of addresses.
 */
#ifndef TRACESPOOL_NET_SOCKET_INTERNAL_H
#define TRACESPOOL_NET_SOCKET_INTERNAL_H

#include "net_socket.h"

/*
 * These fill `sockets`, which is empty.  -1: ERR_CONFIG with the reason alone;
 * what was opened until then is left in `sockets`.
 */
int net_socket_inet(struct net_sockets *sockets, const char *address, struct err *err);
int net_socket_unix(struct net_sockets *sockets, const char *path, struct err *err);

void net_socket_unix_unlink(struct net_sockets *sockets);

#endif
