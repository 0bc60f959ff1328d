/*
 * net_listener.c - the thread that accepts.
 *
 * It waits on all sockets of the address and on an eventfd that ends it, and
 * hands each connection to whoever serves it.  At the bound on connections a
 * new one is accepted and closed at once, so that its client learns it and
 * comes back, where in the backlog it would wait for nothing.
 *
 * No failure ends it or makes it spin.  Without file descriptors one that is
 * kept in reserve is given up for accepting and closing what waits; without
 * that one, or without memory, it pauses (NET_ACCEPT_PAUSE_MS).  What went
 * wrong with a single connection is that connection's.
 */
#include "net_listener.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "metrics.h"
#include "net_notice.h"
#include "net_relay.h"
#include "net_socket.h"

struct net_listener {
    /* Set once. */
    struct net_listener_options options;
    char *address;
    int port;
    int stop_fd;             /* readable: end */
    struct net_relay *relay; /* with TLS, else NULL */
    pthread_t thread;
    /* Owned by main's thread. */
    struct net_sockets sockets; /* closed when the thread is joined */
    bool accepting;             /* there is a thread */
    /* Owned by the accepting thread. */
    int reserve_fd; /* given up when there is no other, -1 while it is */
    struct net_notice at_bound;
    struct net_notice exhausted;
};

/* --- one connection --------------------------------------------------------- */

static int accept_one(int socket_fd)
{
    int code = fault_point("net.accept");

    if (code == 0)
        return accept4(socket_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    errno = code;
    return -1;
}

/* Each answer is one small write that must not wait for more.  A setting that fails is a peer that is gone already. */
static void set_tcp_options(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, NET_KEEPALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, NET_KEEPALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT, NET_KEEPALIVE_PROBES},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value));
}

static void refuse_at_bound(struct net_listener *listener, int fd)
{
    uint64_t count;

    metrics_add(METRIC_NET_REFUSED_BOUND, 1);
    close(fd);
    count = net_notice_count(&listener->at_bound, clock_mono_ns());
    if (count > 0)
        log_warn("net.connections_at_bound", "%s: %" PRIu64 " connections refused: %u are open, as many as may be",
                 listener->address, count, listener->options.quota->max);
}

static void refuse_without_memory(struct net_listener *listener, int fd)
{
    metrics_add(METRIC_NET_REFUSED_SYSTEM, 1);
    close(fd);
    net_quota_release(listener->options.quota);
}

static void take_in(struct net_listener *listener, int fd)
{
    if (!net_quota_take(listener->options.quota)) {
        refuse_at_bound(listener, fd);
        return;
    }
    if (listener->port != 0)
        set_tcp_options(fd);
    if (listener->relay == NULL)
        listener->options.accepted(listener->options.context, fd);
    else if (net_relay_add(listener->relay, fd) != 0)
        refuse_without_memory(listener, fd);
}

/* --- when the system has no room -------------------------------------------- */

static void note_exhausted(struct net_listener *listener, int code)
{
    uint64_t count = net_notice_count(&listener->exhausted, clock_mono_ns());

    if (count > 0)
        log_warn("net.accept_failed", "%s: accepting failed %" PRIu64 " times, the last time: %s", listener->address,
                 count, strerror(code));
}

static void pause_accepting(const struct net_listener *listener)
{
    struct pollfd polled = {.fd = listener->stop_fd, .events = POLLIN};

    (void)poll(&polled, 1, NET_ACCEPT_PAUSE_MS);
}

static void take_reserve(struct net_listener *listener)
{
    if (listener->reserve_fd < 0)
        listener->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Turns one connection away.  False after a pause: another thread was quicker to take the descriptor. */
static bool shed_one(struct net_listener *listener, int socket_fd)
{
    int fd = -1;

    if (listener->reserve_fd >= 0) {
        close(listener->reserve_fd);
        listener->reserve_fd = -1;
        fd = accept4(socket_fd, NULL, NULL, SOCK_CLOEXEC);
    }
    if (fd >= 0) {
        metrics_add(METRIC_NET_REFUSED_SYSTEM, 1);
        close(fd);
    }
    take_reserve(listener);
    if (fd < 0)
        pause_accepting(listener);
    return fd >= 0;
}

/* True when the next one may be tried at once. */
static bool survive(struct net_listener *listener, int socket_fd, int code)
{
    switch (code) {
    case EAGAIN:
        return false;
    case ECONNABORTED: /* the peer is gone again; the others are network errors that accept(2) passes on */
    case EINTR:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case ENONET:
    case EOPNOTSUPP:
    case ETIMEDOUT:
    case EPERM:
        return true;
    case EMFILE:
    case ENFILE:
        note_exhausted(listener, code);
        return shed_one(listener, socket_fd);
    default:
        note_exhausted(listener, code);
        pause_accepting(listener);
        return false;
    }
}

static void accept_batch(struct net_listener *listener, int socket_fd)
{
    for (int i = 0; i < NET_ACCEPT_BATCH; i++) {
        int fd = accept_one(socket_fd);

        if (fd >= 0)
            take_in(listener, fd);
        else if (!survive(listener, socket_fd, errno))
            return;
    }
}

static void *run(void *argument)
{
    struct net_listener *listener = argument;
    struct pollfd polled[1 + NET_SOCKETS_MAX];
    unsigned count = listener->sockets.count;

    polled[0] = (struct pollfd){.fd = listener->stop_fd, .events = POLLIN};
    for (unsigned i = 0; i < count; i++)
        polled[1 + i] = (struct pollfd){.fd = listener->sockets.fds[i], .events = POLLIN};
    for (;;) {
        if (poll(polled, 1 + count, -1) < 0) {
            pause_accepting(listener);
            continue;
        }
        if (polled[0].revents != 0)
            return NULL;
        for (unsigned i = 0; i < count; i++) {
            if (polled[1 + i].revents != 0)
                accept_batch(listener, polled[1 + i].fd);
        }
    }
}

/* --- start and stop --------------------------------------------------------- */

static int open_descriptors(struct net_listener *listener, struct err *err)
{
    take_reserve(listener);
    listener->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->reserve_fd < 0 || listener->stop_fd < 0)
        return err_set(err, ERR_RETRY, errno, "cannot listen on %s: %s", listener->address, strerror(errno));
    return 0;
}

static int start_thread(struct net_listener *listener, struct err *err)
{
    int rc = fault_point("net.thread");

    if (rc == 0)
        rc = pthread_create(&listener->thread, NULL, run, listener);
    if (rc != 0)
        return err_set(err, ERR_RETRY, rc, "cannot listen on %s: no thread: %s", listener->address, strerror(rc));
    listener->accepting = true;
    return 0;
}

int net_listener_start(struct net_listener **out, const struct net_listener_options *options, struct err *err)
{
    struct net_listener *listener = calloc(1, sizeof(*listener));

    *out = NULL;
    if (listener == NULL)
        return err_set(err, ERR_RETRY, ENOMEM, "cannot listen on %s: out of memory", options->address);
    listener->options = *options;
    listener->reserve_fd = listener->stop_fd = -1;
    listener->address = strdup(options->address);
    if (listener->address == NULL) {
        err_set(err, ERR_RETRY, ENOMEM, "cannot listen on %s: out of memory", options->address);
        goto fail;
    }
    listener->options.address = listener->address;
    if (net_socket_open(&listener->sockets, listener->address, err) != 0)
        goto fail;
    listener->port = listener->sockets.port;
    if (open_descriptors(listener, err) != 0)
        goto fail;
    if (options->tls != NULL && net_relay_start(&listener->relay, &listener->options, err) != 0)
        goto fail;
    if (start_thread(listener, err) != 0)
        goto fail;
    *out = listener;
    return 0;

fail:
    net_listener_stop(listener);
    return -1;
}

int net_listener_port(const struct net_listener *listener)
{
    return listener->port;
}

void net_listener_quiesce(struct net_listener *listener)
{
    if (listener->accepting) {
        int rc = eventfd_write(listener->stop_fd, 1);

        assert(rc == 0);
        (void)rc;
        pthread_join(listener->thread, NULL);
        listener->accepting = false;
    }
    net_socket_close(&listener->sockets);
    if (listener->relay != NULL)
        net_relay_quiesce(listener->relay);
}

void net_listener_stop(struct net_listener *listener)
{
    if (listener == NULL)
        return;
    net_listener_quiesce(listener);
    net_relay_stop(listener->relay);
    if (listener->reserve_fd >= 0)
        close(listener->reserve_fd);
    if (listener->stop_fd >= 0)
        close(listener->stop_fd);
    free(listener->address);
    free(listener);
}
