/*
 * net_listener.h - accepts connections on one address, in a thread of its own.
 *
 * What it hands out are plain stream sockets, non-blocking and close-on-exec,
 * whether the client speaks TCP, a Unix socket, or TLS in front of either.
 */
#ifndef TRACESPOOL_NET_LISTENER_H
#define TRACESPOOL_NET_LISTENER_H

#include "err.h"
#include "net_quota.h"

struct net_listener;
struct net_tls;

struct net_listener_options {
    const char *address;           /* "host:port", "[v6]:port" (port 0 picks a free one), "unix:/path"; copied */
    struct net_tls *tls;           /* NULL: plain.  Outlives the listener */
    const char *alpn;              /* with TLS, the protocol that is agreed on: "h2", "http/1.1"; static */
    struct net_quota *quota;       /* outlives the listener and all of its connections */
    unsigned handshake_timeout_ms; /* with TLS */
    /*
     * `fd` is the callee's, which calls net_quota_release(quota) after closing
     * it.  On a thread of the listener's; must not block.
     */
    void (*accepted)(void *context, int fd);
    void *context;
};

/* -1: ERR_CONFIG, "cannot listen on 127.0.0.1:4317: Address already in use"; ERR_RETRY without memory or threads. */
int net_listener_start(struct net_listener **listener, const struct net_listener_options *options, struct err *err);

int net_listener_port(const struct net_listener *listener); /* 0 for a path */

/*
 * Nobody can connect any more and handshakes are broken off.  accepted() is not
 * called after this has returned; connections go on.  May be called twice.
 */
void net_listener_quiesce(struct net_listener *listener);

/*
 * Quiesces, and ends the relays of TLS connections: what servers wrote is
 * delivered first, within NET_RELAY_CLOSE_MS.  So servers stop before this.
 * NULL is allowed.
 */
void net_listener_stop(struct net_listener *listener);

#endif
