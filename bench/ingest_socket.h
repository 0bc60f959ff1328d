/*
 * ingest_socket.h - a TCP connection to HOST:PORT.
 */
#ifndef TRACESPOOL_INGEST_SOCKET_H
#define TRACESPOOL_INGEST_SOCKET_H

#include "err.h"

/* Blocks until it is connected; the socket itself does not block, nor wait to fill packets.  The socket, or -1. */
int ingest_socket_connect(const char *target, struct err *err);

#endif
