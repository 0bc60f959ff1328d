/*
 * net_link.c - see net_link.h.
 *
 * Up:   client ──SSL_read──► buffer ──send──► server
 * Down: server ──recv──► buffer ──SSL_write──► client
 *
 * A client's close_notify becomes the server's end of stream and the other way
 * round; each way ends by itself.  A side that fails is gone: what is for it is
 * dropped, what it had sent before is delivered.  When the server has closed,
 * what the client still sends is read and dropped until its end, since closing
 * over unread bytes is a reset, which may take the answer with it.
 */
#include "net_link.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"

/* --- making and ending ------------------------------------------------------- */

static void init_side(struct net_link_side *side, struct net_link *link, int fd)
{
    *side = (struct net_link_side){.link = link, .fd = fd, .readable = true, .writable = true};
}

struct net_link *net_link_new(int fd)
{
    struct net_link *link = fault_point("net.link") != 0 ? NULL : calloc(1, sizeof(*link));

    if (link == NULL)
        return NULL;
    init_side(&link->client, link, fd);
    init_side(&link->server, link, -1);
    return link;
}

void net_link_free(struct net_link *link)
{
    SSL_free(link->ssl);
    close(link->client.fd);
    if (link->server.fd >= 0)
        close(link->server.fd);
    free(link->up.data);
    free(link->down.data);
    free(link);
}

int net_link_pair(struct net_link *link)
{
    int fds[2], bytes = NET_RELAY_SOCKET_BYTES, code = fault_point("net.socketpair");

    link->up.data = malloc(NET_RELAY_BUFFER_BYTES);
    link->down.data = malloc(NET_RELAY_BUFFER_BYTES);
    if (code == 0 && (link->up.data == NULL || link->down.data == NULL))
        code = ENOMEM;
    if (code == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        code = errno;
    if (code != 0) {
        errno = code;
        return -1;
    }
    for (int i = 0; i < 2; i++)
        (void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    link->server.fd = fds[0];
    return fds[1];
}

/* --- TLS --------------------------------------------------------------------- */

/*
 * What an operation that did not succeed waits for.  False: the connection is
 * of no use any more.  A read may wait for room to write, and the other way
 * round; then the flag of the operation itself stays, so that it is tried
 * again at the next edge of either kind.
 */
static bool wait_for_client(struct net_link *link, int result, bool reading)
{
    switch (SSL_get_error(link->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        if (reading)
            link->client.readable = false;
        return true;
    case SSL_ERROR_WANT_WRITE:
        if (!reading)
            link->client.writable = false;
        return true;
    default:
        return false;
    }
}

int net_link_shake(struct net_link *link, const char **reason)
{
    long verified;
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_do_handshake(link->ssl);
    if (result == 1)
        return 1;
    switch (SSL_get_error(link->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    case SSL_ERROR_SSL:
        verified = SSL_get_verify_result(link->ssl);
        *reason = net_tls_reason();
        if (verified != X509_V_OK)
            *reason = X509_verify_cert_error_string(verified);
        return -1;
    default:
        *reason = "the client closed the connection";
        return -1;
    }
}

static void lose_client(struct net_link *link)
{
    link->client.gone = true;
    link->up.ended = true;
    link->down.ended = true;
    link->down.passed = true;
    link->down.start = link->down.end;
}

/* --- one way ------------------------------------------------------------------ */

static bool is_empty(const struct net_link_way *way)
{
    return way->start == way->end;
}

/* Room at the end; an empty buffer is all room. */
static size_t room_in(struct net_link_way *way)
{
    if (is_empty(way))
        way->start = way->end = 0;
    return NET_RELAY_BUFFER_BYTES - way->end;
}

static size_t read_client(struct net_link *link)
{
    struct net_link_way *up = &link->up;
    size_t room = room_in(up), count = 0;

    if (up->ended || !link->client.readable || room == 0)
        return 0;
    ERR_clear_error();
    if (SSL_read_ex(link->ssl, up->data + up->end, room, &count) == 1) {
        up->end += count;
        return count;
    }
    if (SSL_get_error(link->ssl, 0) == SSL_ERROR_ZERO_RETURN)
        up->ended = true;
    else if (!wait_for_client(link, 0, true))
        lose_client(link);
    return 0;
}

static size_t write_client(struct net_link *link)
{
    struct net_link_way *down = &link->down;
    size_t count = 0;

    if (is_empty(down) || !link->client.writable)
        return 0;
    ERR_clear_error();
    if (SSL_write_ex(link->ssl, down->data + down->start, down->end - down->start, &count) == 1) {
        down->start += count;
        return count;
    }
    if (!wait_for_client(link, 0, false))
        lose_client(link);
    return 0;
}

static size_t read_server(struct net_link *link)
{
    struct net_link_way *down = &link->down;
    size_t room = room_in(down);
    ssize_t count;

    if (down->ended || !link->server.readable || room == 0)
        return 0;
    count = recv(link->server.fd, down->data + down->end, room, 0);
    if (count > 0) {
        down->end += (size_t)count;
        return (size_t)count;
    }
    if (count < 0 && errno == EAGAIN && !link->stopping)
        link->server.readable = false;
    else if (count == 0 || errno != EINTR)
        down->ended = true;
    return 0;
}

static size_t write_server(struct net_link *link)
{
    struct net_link_way *up = &link->up;
    ssize_t count;

    if (is_empty(up) || (!link->server.writable && !link->server.gone))
        return 0;
    if (link->server.gone)
        count = (ssize_t)(up->end - up->start);
    else
        count = send(link->server.fd, up->data + up->start, up->end - up->start, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN)
        link->server.writable = false;
    else if (count < 0 && errno != EINTR)
        link->server.gone = true;
    if (count <= 0)
        return 0;
    up->start += (size_t)count;
    return (size_t)count;
}

/* --- ends ----------------------------------------------------------------------- */

static void pass_end_up(struct net_link *link)
{
    if (!link->up.ended || link->up.passed || !is_empty(&link->up))
        return;
    shutdown(link->server.fd, SHUT_WR);
    link->up.passed = true;
}

static void pass_end_down(struct net_link *link)
{
    int result;

    if (!link->down.ended || link->down.passed || !is_empty(&link->down) || !link->client.writable)
        return;
    ERR_clear_error();
    result = SSL_shutdown(link->ssl);
    if (result < 0 && wait_for_client(link, result, false))
        return;
    if (result < 0) {
        lose_client(link);
        return;
    }
    shutdown(link->client.fd, SHUT_WR);
    link->down.passed = true;
}

bool net_link_move(struct net_link *link)
{
    size_t moved = 0, before;

    do {
        before = moved;
        moved += read_client(link) + write_server(link);
        moved += read_server(link) + write_client(link);
        pass_end_up(link);
        pass_end_down(link);
    } while (moved > before && moved < NET_RELAY_TURN_BYTES);
    return moved > before;
}

bool net_link_is_ending(const struct net_link *link)
{
    return link->client.gone || link->server.gone || (link->up.ended && link->down.ended);
}

bool net_link_is_over(const struct net_link *link)
{
    return link->up.passed && link->down.passed;
}

void net_link_stop(struct net_link *link)
{
    link->stopping = true;
    link->server.readable = true; /* its last edge may not have been seen yet */
}
