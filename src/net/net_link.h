/*
 * net_link.h - one TLS connection: its handshake, then bytes both ways between
 * the client and the server behind a socket pair.
 *
 * Owned by the relay's thread (net_relay.c), which knows deadlines and turns.
 *
 * Invariants:
 *  1. A buffer takes more only while it has room, so a side that does not read
 *     stops the other one.
 *  2. An end (close_notify, shutdown) is passed on after the bytes before it.
 *  3. epoll reports edges: a side is tried until it says that it would block.
 */
#ifndef TRACESPOOL_NET_LINK_H
#define TRACESPOOL_NET_LINK_H

#include <stdint.h>
#include <sys/queue.h>

#include "net_tls_internal.h"

struct net_link;

struct net_link_side {
    struct net_link *link;
    int fd;
    bool readable; /* may be: until it says otherwise */
    bool writable;
    bool gone; /* takes no more bytes, and what was for it is dropped */
};

struct net_link_way {
    uint8_t *data; /* NET_RELAY_BUFFER_BYTES; from start to end is not passed on yet */
    size_t start, end;
    bool ended;  /* nothing comes after that */
    bool passed; /* and the other side knows */
};

enum net_link_phase { NET_LINK_HANDSHAKE, NET_LINK_OPEN, NET_LINK_CLOSING, NET_LINK_PHASES };

struct net_link {
    SSL *ssl;
    struct net_link_side client, server;
    struct net_link_way up, down; /* to the server, to the client */
    bool stopping;                /* a server that has nothing to say now has said all */
    /* The relay's. */
    enum net_link_phase phase;
    uint64_t deadline_ns;
    TAILQ_ENTRY(net_link) in_phase;
    TAILQ_ENTRY(net_link) in_ready;
    bool ready;
};

/* Takes `fd` over when it succeeds.  NULL without memory. */
struct net_link *net_link_new(int fd);
void net_link_free(struct net_link *link); /* and closes what it has */

/* 1: done, 0: waits for the client, -1: failed, *reason says why. */
int net_link_shake(struct net_link *link, const char **reason);

/* After the handshake: makes the pair.  The server's end, its owner is the caller; or -1 with errno. */
int net_link_pair(struct net_link *link);

/* Moves what can be moved, within NET_RELAY_TURN_BYTES.  True: there may be more at once. */
bool net_link_move(struct net_link *link);

bool net_link_is_ending(const struct net_link *link); /* one side has gone, or both have said all */
bool net_link_is_over(const struct net_link *link);   /* and all is delivered */

/* What the server has written by now is its last; it is still delivered. */
void net_link_stop(struct net_link *link);

#endif
