/*
 * net_relay.c - the relay's thread, and what other threads ask of it.
 *
 * A round notes what epoll reports, takes in what was added, cuts what is
 * overdue, and gives each connection that has something to do one turn.  A
 * connection is freed only after all events of the round are noted, so none
 * names one that is gone.  When it is to stop, the thread ends with the last
 * connection.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fault.h"
#include "net_relay_internal.h"

/* --- the thread ------------------------------------------------------------------------ */

static void take_orders(struct net_relay *relay)
{
    struct net_link *link;
    bool stop;

    pthread_mutex_lock(&relay->lock);
    while ((link = TAILQ_FIRST(&relay->added)) != NULL) {
        TAILQ_REMOVE(&relay->added, link, in_phase);
        net_relay_turn_begin(relay, link);
    }
    if (relay->quiesce && !relay->quiet) {
        net_relay_turn_break_off(relay);
        relay->quiet = true;
        pthread_cond_broadcast(&relay->changed);
    }
    stop = relay->stop;
    pthread_mutex_unlock(&relay->lock);
    if (stop && !relay->stopping)
        net_relay_turn_stop(relay);
}

/* OpenSSL writes to sockets without MSG_NOSIGNAL. */
static void block_sigpipe(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *run(void *argument)
{
    struct net_relay *relay = argument;
    struct epoll_event events[NET_RELAY_EVENTS_MAX];
    eventfd_t ignored;

    block_sigpipe();
    for (;;) {
        int count = epoll_wait(relay->epoll_fd, events, NET_RELAY_EVENTS_MAX, net_relay_turn_wait_ms(relay));

        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                (void)eventfd_read(relay->wake_fd, &ignored);
            else
                net_relay_turn_note(relay, events[i].data.ptr, events[i].events);
        }
        take_orders(relay);
        net_relay_turn_cut_overdue(relay);
        net_relay_turn_give(relay);
        if (relay->stopping && TAILQ_EMPTY(&relay->phases[NET_LINK_CLOSING]))
            return NULL;
    }
}

/* --- the other threads ---------------------------------------------------------------- */

static void wake(struct net_relay *relay)
{
    int rc = eventfd_write(relay->wake_fd, 1);

    assert(rc == 0);
    (void)rc;
}

static int open_descriptors(struct net_relay *relay)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    relay->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    relay->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (relay->epoll_fd < 0 || relay->wake_fd < 0)
        return -1;
    return epoll_ctl(relay->epoll_fd, EPOLL_CTL_ADD, relay->wake_fd, &event);
}

/* No thread runs, and no connection is left. */
static void free_relay(struct net_relay *relay)
{
    if (relay->epoll_fd >= 0)
        close(relay->epoll_fd);
    if (relay->wake_fd >= 0)
        close(relay->wake_fd);
    pthread_cond_destroy(&relay->changed);
    pthread_mutex_destroy(&relay->lock);
    free(relay);
}

int net_relay_start(struct net_relay **out, const struct net_listener_options *options, struct err *err)
{
    struct net_relay *relay = calloc(1, sizeof(*relay));
    int rc;

    if (relay == NULL)
        return err_set(err, ERR_RETRY, ENOMEM, "cannot listen on %s: out of memory", options->address);
    relay->options = options;
    pthread_mutex_init(&relay->lock, NULL);
    pthread_cond_init(&relay->changed, NULL);
    TAILQ_INIT(&relay->added);
    TAILQ_INIT(&relay->ready);
    for (int i = 0; i < NET_LINK_PHASES; i++)
        TAILQ_INIT(&relay->phases[i]);
    if (open_descriptors(relay) != 0) {
        err_set(err, ERR_RETRY, errno, "cannot listen on %s: %s", options->address, strerror(errno));
        goto fail;
    }
    rc = fault_point("net.relay_thread");
    if (rc == 0)
        rc = pthread_create(&relay->thread, NULL, run, relay);
    if (rc != 0) {
        err_set(err, ERR_RETRY, rc, "cannot listen on %s: no thread: %s", options->address, strerror(rc));
        goto fail;
    }
    *out = relay;
    return 0;

fail:
    free_relay(relay);
    return -1;
}

int net_relay_add(struct net_relay *relay, int fd)
{
    struct net_link *link = net_link_new(fd);

    if (link == NULL)
        return -1;
    pthread_mutex_lock(&relay->lock);
    TAILQ_INSERT_TAIL(&relay->added, link, in_phase);
    pthread_mutex_unlock(&relay->lock);
    wake(relay);
    return 0;
}

void net_relay_quiesce(struct net_relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    relay->quiesce = true;
    wake(relay);
    while (!relay->quiet)
        pthread_cond_wait(&relay->changed, &relay->lock);
    pthread_mutex_unlock(&relay->lock);
}

void net_relay_stop(struct net_relay *relay)
{
    if (relay == NULL)
        return;
    pthread_mutex_lock(&relay->lock);
    relay->stop = true;
    pthread_mutex_unlock(&relay->lock);
    wake(relay);
    pthread_join(relay->thread, NULL);
    free_relay(relay);
}
