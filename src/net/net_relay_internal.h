/*
 * net_relay_internal.h - what the two files of the relay share: its body, and
 * the connections' way through it (net_relay_turn.c).
 *
 * All functions here are for the relay's thread.
 */
#ifndef TRACESPOOL_NET_RELAY_INTERNAL_H
#define TRACESPOOL_NET_RELAY_INTERNAL_H

#include <pthread.h>

#include "net_link.h"
#include "net_notice.h"
#include "net_relay.h"

TAILQ_HEAD(net_links, net_link);

struct net_relay {
    /* Set once. */
    const struct net_listener_options *options;
    int epoll_fd, wake_fd;
    pthread_t thread;
    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct net_links added; /* by in_phase */
    bool quiesce, stop;     /* asked for */
    bool quiet;             /* no handshake is under way and none will be */
    /* Owned by the relay's thread. */
    struct net_links phases[NET_LINK_PHASES];
    struct net_links ready;
    unsigned ready_count, closing;
    bool stopping;
    struct net_notice failed, exhausted;
};

/* A connection that was added: its handshake begins. */
void net_relay_turn_begin(struct net_relay *relay, struct net_link *link);

/* What epoll says of one side of a connection, which is ready then. */
void net_relay_turn_note(struct net_relay *relay, struct net_link_side *side, uint32_t events);

void net_relay_turn_give(struct net_relay *relay);         /* one to each that is ready */
void net_relay_turn_cut_overdue(struct net_relay *relay);  /* what is past its deadline */
int net_relay_turn_wait_ms(const struct net_relay *relay); /* until the next turn or deadline; -1: neither is due */

void net_relay_turn_break_off(struct net_relay *relay); /* ends all handshakes */
void net_relay_turn_stop(struct net_relay *relay);      /* open connections begin to close */

#endif
