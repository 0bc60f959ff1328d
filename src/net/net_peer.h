/*
 * net_peer.h - who is at the other end of a connection, for log lines.
 */
#ifndef TRACESPOOL_NET_PEER_H
#define TRACESPOOL_NET_PEER_H

#define NET_PEER_BYTES 64

/* "127.0.0.1:50100", "[::1]:50100", or "a local client" of a Unix socket; "a client" when it is gone. */
void net_peer_text(int fd, char text[NET_PEER_BYTES]);

#endif
