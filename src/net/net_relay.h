/*
 * net_relay.h - a thread that speaks TLS for a listener.
 *
 * It takes accepted sockets, does the handshake, hands the server one end of a
 * socket pair, and carries bytes between the two.  Main's thread starts,
 * quiesces and stops it; the accepting thread adds.
 */
#ifndef TRACESPOOL_NET_RELAY_H
#define TRACESPOOL_NET_RELAY_H

#include "net_listener.h"

struct net_relay;

/* `options` outlive the relay.  -1: ERR_RETRY. */
int net_relay_start(struct net_relay **relay, const struct net_listener_options *options, struct err *err);

/* The fd, and the place in the quota that it has, are the relay's from here on.  -1 without memory: they are not. */
int net_relay_add(struct net_relay *relay, int fd);

/* Breaks handshakes off; nothing may be added from here on.  accepted() is not called after this has returned. */
void net_relay_quiesce(struct net_relay *relay);

/* Quiesced before.  NULL is allowed. */
void net_relay_stop(struct net_relay *relay);

#endif
