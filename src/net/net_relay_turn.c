/*
 * net_relay_turn.c - a connection's way through the relay: phases, turns, deadlines.
 *
 * handshake ──done──► open ──a side ends──► closing ──delivered──► freed
 *     └── fails, or its deadline ──► freed      └── its deadline, or too many ──► freed
 *
 * All connections of a phase have the same time, so the first of its list is
 * the first that is overdue.  Until the handshake is done the place in the
 * quota is ours to give back, then the server's; so as many connections may be
 * closing as may be open.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "net_peer.h"
#include "net_relay_internal.h"

/* --- lists ------------------------------------------------------------------- */

static void make_ready(struct net_relay *relay, struct net_link *link)
{
    if (link->ready)
        return;
    link->ready = true;
    relay->ready_count++;
    TAILQ_INSERT_TAIL(&relay->ready, link, in_ready);
}

static void leave_ready(struct net_relay *relay, struct net_link *link)
{
    if (!link->ready)
        return;
    link->ready = false;
    relay->ready_count--;
    TAILQ_REMOVE(&relay->ready, link, in_ready);
}

static void leave_phase(struct net_relay *relay, struct net_link *link)
{
    TAILQ_REMOVE(&relay->phases[link->phase], link, in_phase);
    if (link->phase == NET_LINK_CLOSING)
        relay->closing--;
}

static void enter_phase(struct net_relay *relay, struct net_link *link, enum net_link_phase phase)
{
    unsigned limit_ms = phase == NET_LINK_HANDSHAKE ? relay->options->handshake_timeout_ms : NET_RELAY_CLOSE_MS;

    link->phase = phase;
    link->deadline_ns = clock_mono_ns() + limit_ms * NS_PER_MS;
    TAILQ_INSERT_TAIL(&relay->phases[phase], link, in_phase);
    if (phase == NET_LINK_CLOSING)
        relay->closing++;
}

static void end_link(struct net_relay *relay, struct net_link *link)
{
    bool ours = link->phase == NET_LINK_HANDSHAKE;

    leave_phase(relay, link);
    leave_ready(relay, link);
    net_link_free(link);
    if (ours)
        net_quota_release(relay->options->quota);
}

static void fail_handshake(struct net_relay *relay, struct net_link *link, const char *reason)
{
    uint64_t count = net_notice_count(&relay->failed, clock_mono_ns());
    char peer[NET_PEER_BYTES];

    metrics_add(METRIC_NET_HANDSHAKES_FAILED, 1);
    net_peer_text(link->client.fd, peer);
    log_debug("net.handshake_failed", "%s: the TLS handshake of %s failed: %s", relay->options->address, peer, reason);
    if (count > 0)
        log_warn("net.handshake_failed", "%s: %" PRIu64 " TLS handshakes failed, the last one of %s: %s",
                 relay->options->address, count, peer, reason);
    end_link(relay, link);
}

static void refuse(struct net_relay *relay, struct net_link *link, int code)
{
    uint64_t count = net_notice_count(&relay->exhausted, clock_mono_ns());

    metrics_add(METRIC_NET_REFUSED_SYSTEM, 1);
    if (count > 0)
        log_warn("net.relay_failed", "%s: %" PRIu64 " TLS connections were closed for lack of room, the last one: %s",
                 relay->options->address, count, strerror(code));
    end_link(relay, link);
}

/* --- turns --------------------------------------------------------------------- */

static int watch(struct net_relay *relay, struct net_link_side *side)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = side};

    return epoll_ctl(relay->epoll_fd, EPOLL_CTL_ADD, side->fd, &event);
}

/* The handshake is done: the server gets its end, and the bytes that came with the handshake a turn. */
static void open_link(struct net_relay *relay, struct net_link *link)
{
    int fd = net_link_pair(link);

    if (fd < 0 || watch(relay, &link->server) != 0) {
        int code = errno;

        if (fd >= 0)
            close(fd);
        refuse(relay, link, code);
        return;
    }
    leave_phase(relay, link);
    enter_phase(relay, link, NET_LINK_OPEN);
    make_ready(relay, link);
    relay->options->accepted(relay->options->context, fd);
}

static void shake(struct net_relay *relay, struct net_link *link)
{
    const char *reason = NULL;
    int result = net_link_shake(link, &reason);

    if (result < 0)
        fail_handshake(relay, link, reason);
    else if (result > 0)
        open_link(relay, link);
}

static void begin_closing(struct net_relay *relay, struct net_link *link)
{
    leave_phase(relay, link);
    enter_phase(relay, link, NET_LINK_CLOSING);
    if (relay->closing > relay->options->quota->max)
        end_link(relay, TAILQ_FIRST(&relay->phases[NET_LINK_CLOSING]));
}

static void move(struct net_relay *relay, struct net_link *link)
{
    if (net_link_move(link))
        make_ready(relay, link);
    if (net_link_is_over(link))
        end_link(relay, link);
    else if (link->phase == NET_LINK_OPEN && net_link_is_ending(link))
        begin_closing(relay, link);
}

/* Those that become ready meanwhile have their turn in the next round. */
void net_relay_turn_give(struct net_relay *relay)
{
    for (unsigned turns = relay->ready_count; turns > 0 && relay->ready_count > 0; turns--) {
        struct net_link *link = TAILQ_FIRST(&relay->ready);

        leave_ready(relay, link);
        if (link->phase == NET_LINK_HANDSHAKE)
            shake(relay, link);
        else
            move(relay, link);
    }
}

/* --- what comes ------------------------------------------------------------------ */

void net_relay_turn_note(struct net_relay *relay, struct net_link_side *side, uint32_t events)
{
    const uint32_t broken = EPOLLERR | EPOLLHUP;

    if ((events & (EPOLLIN | EPOLLRDHUP | broken)) != 0)
        side->readable = true;
    if ((events & (EPOLLOUT | broken)) != 0)
        side->writable = true;
    /* A pair whose other end is closed; what was written into it before is there to be read. */
    if (side == &side->link->server && (events & broken) != 0)
        side->gone = true;
    make_ready(relay, side->link);
}

void net_relay_turn_begin(struct net_relay *relay, struct net_link *link)
{
    enter_phase(relay, link, NET_LINK_HANDSHAKE);
    link->ssl = net_tls_session(relay->options->tls, link->client.fd, relay->options->alpn);
    if (link->ssl == NULL)
        refuse(relay, link, ENOMEM);
    else if (watch(relay, &link->client) != 0)
        refuse(relay, link, errno);
}

void net_relay_turn_break_off(struct net_relay *relay)
{
    while (!TAILQ_EMPTY(&relay->phases[NET_LINK_HANDSHAKE]))
        end_link(relay, TAILQ_FIRST(&relay->phases[NET_LINK_HANDSHAKE]));
}

void net_relay_turn_stop(struct net_relay *relay)
{
    struct net_link *link;

    relay->stopping = true;
    while ((link = TAILQ_FIRST(&relay->phases[NET_LINK_OPEN])) != NULL) {
        net_link_stop(link);
        make_ready(relay, link);
        leave_phase(relay, link);
        enter_phase(relay, link, NET_LINK_CLOSING);
    }
}

/* --- deadlines ------------------------------------------------------------------------ */

static bool is_overdue(const struct net_link *link, uint64_t now_ns)
{
    return link != NULL && link->deadline_ns <= now_ns;
}

void net_relay_turn_cut_overdue(struct net_relay *relay)
{
    uint64_t now_ns = clock_mono_ns();

    while (is_overdue(TAILQ_FIRST(&relay->phases[NET_LINK_HANDSHAKE]), now_ns))
        fail_handshake(relay, TAILQ_FIRST(&relay->phases[NET_LINK_HANDSHAKE]), "it took too long");
    while (is_overdue(TAILQ_FIRST(&relay->phases[NET_LINK_CLOSING]), now_ns))
        end_link(relay, TAILQ_FIRST(&relay->phases[NET_LINK_CLOSING]));
}

/* Rounded up: a deadline that is not quite reached would make rounds of nothing. */
int net_relay_turn_wait_ms(const struct net_relay *relay)
{
    static const enum net_link_phase timed[] = {NET_LINK_HANDSHAKE, NET_LINK_CLOSING};
    uint64_t now_ns = clock_mono_ns(), wait_ns = UINT64_MAX;

    if (relay->ready_count > 0)
        return 0;
    for (size_t i = 0; i < sizeof(timed) / sizeof(timed[0]); i++) {
        const struct net_link *first = TAILQ_FIRST(&relay->phases[timed[i]]);

        if (first != NULL && first->deadline_ns <= now_ns)
            return 0;
        if (first != NULL && first->deadline_ns - now_ns < wait_ns)
            wait_ns = first->deadline_ns - now_ns;
    }
    return wait_ns == UINT64_MAX ? -1 : (int)(wait_ns / NS_PER_MS) + 1;
}
