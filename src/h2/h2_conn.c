/*
 * h2_conn.c - one connection: bytes between its socket and nghttp2.
 *
 * Runs on the connection's loop.  Reading: what is there, up to H2_READ_BYTES a
 * turn, so that no connection keeps the others waiting.  Sending: frames are
 * gathered into few writes, since a group of the spool answers many calls at
 * once.  What the socket does not take is kept, and nothing is read until it
 * has been taken (h2_internal.h, 4).
 *
 * A connection that is over by the protocol is closed in order: what is left
 * is sent, then our side is shut, then what still comes is dropped until the
 * client closes or H2_LINGER_MS are over.  Closed at once, the kernel could
 * throw away answers that the client has not read.
 *
 * No error of a connection matters to anybody but its client: it is closed.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "h2_internal.h"

struct h2_conn *h2_conn_new(struct h2_loop *loop, int fd)
{
    struct h2_conn *conn = calloc(1, sizeof(*conn));

    if (conn == NULL)
        return NULL;
    conn->loop = loop;
    conn->fd = fd;
    conn->opened_ns = conn->idle_since_ns = clock_mono_ns();
    buf_init(&conn->out, H2_OUT_BYTES_MAX);
    return conn;
}

static int submit_settings(struct h2_conn *conn)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, H2_FRAME_BYTES_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)conn->loop->server->options.max_header_bytes},
    };

    if (nghttp2_submit_settings(conn->session, NGHTTP2_FLAG_NONE, settings, sizeof(settings) / sizeof(settings[0])) !=
        0)
        return -1;
    return nghttp2_session_set_local_window_size(conn->session, NGHTTP2_FLAG_NONE, 0, H2_CONN_WINDOW_BYTES);
}

static int watch(struct h2_conn *conn, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = conn};
    int op = conn->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (conn->events == events)
        return 0;
    conn->events = events;
    return epoll_ctl(conn->loop->epoll_fd, op, conn->fd, &event);
}

int h2_conn_open(struct h2_conn *conn)
{
    struct h2_server *server = conn->loop->server;

    if (nghttp2_session_server_new2(&conn->session, server->callbacks, conn, server->session_options) != 0 ||
        submit_settings(conn) != 0)
        return -1;
    return watch(conn, EPOLLIN);
}

void h2_conn_free(struct h2_conn *conn)
{
    while (conn->calls != NULL)
        h2_call_stream_gone(conn->calls);
    if (conn->session != NULL)
        nghttp2_session_del(conn->session);
    buf_fini(&conn->out);
    close(conn->fd);
    net_quota_release(conn->loop->server->options.quota);
    free(conn);
}

/* --- sending ------------------------------------------------------------------ */

enum sent { SENT_ALL, SENT_SOME, SENT_FAILED };

static enum sent send_out(struct h2_conn *conn)
{
    while (conn->out_sent < conn->out.len) {
        ssize_t sent = send(conn->fd, conn->out.data + conn->out_sent, conn->out.len - conn->out_sent, MSG_NOSIGNAL);

        if (sent >= 0)
            conn->out_sent += (size_t)sent;
        else if (errno != EINTR)
            return errno == EAGAIN || errno == EWOULDBLOCK ? SENT_SOME : SENT_FAILED;
    }
    buf_clear(&conn->out);
    conn->out_sent = 0;
    return SENT_ALL;
}

/* Frames into conn->out, until it is well filled or there is none. */
static int gather(struct h2_conn *conn)
{
    while (conn->out.len < H2_OUT_GATHER_BYTES) {
        const uint8_t *data;
        ssize_t len = nghttp2_session_mem_send(conn->session, &data);

        if (len < 0 || buf_append(&conn->out, data, (size_t)len) != 0)
            return -1;
        if (len == 0)
            return 0;
    }
    return 0;
}

static bool begin_linger(struct h2_conn *conn)
{
    conn->lingers = true;
    conn->linger_until_ns = clock_mono_ns() + H2_LINGER_MS * NS_PER_MS;
    return shutdown(conn->fd, SHUT_WR) == 0 && watch(conn, EPOLLIN) == 0;
}

bool h2_conn_flush(struct h2_conn *conn)
{
    if (conn->lingers)
        return true;
    do {
        if (gather(conn) != 0)
            return false;
        switch (send_out(conn)) {
        case SENT_FAILED:
            return false;
        case SENT_SOME:
            if (conn->blocked_since_ns == 0)
                conn->blocked_since_ns = clock_mono_ns();
            return watch(conn, EPOLLOUT) == 0;
        case SENT_ALL:
            conn->blocked_since_ns = 0;
            break;
        }
    } while (nghttp2_session_want_write(conn->session));
    if (!nghttp2_session_want_read(conn->session))
        return begin_linger(conn);
    return watch(conn, EPOLLIN) == 0;
}

/* Calls up to the last one that we know go on; a later one was not looked at, which tells its client to go elsewhere. */
void h2_conn_goodbye(struct h2_conn *conn)
{
    if (!conn->lingers)
        nghttp2_submit_goaway(conn->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(conn->session),
                              NGHTTP2_NO_ERROR, NULL, 0);
}

/* --- reading ------------------------------------------------------------------ */

/* True: `*len` bytes are in the loop's buffer; 0: there are none at the moment.  False: the client has gone. */
static bool take(struct h2_conn *conn, size_t *len)
{
    ssize_t taken = recv(conn->fd, conn->loop->in, H2_READ_BYTES, 0);

    *len = taken > 0 ? (size_t)taken : 0;
    return taken > 0 || (taken < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

static bool drop_rest(struct h2_conn *conn)
{
    size_t len;

    return take(conn, &len);
}

/*
 * A piece at a time, until there is no more or the connection's turn is over:
 * a few bytes of a client that means harm cost more than many of another's.
 */
static bool read_in(struct h2_conn *conn)
{
    uint64_t end_ns = clock_mono_ns() + H2_TURN_US * NS_PER_US;
    size_t len, sum = 0;

    do {
        if (!take(conn, &len))
            return false;
        if (nghttp2_session_mem_recv(conn->session, conn->loop->in, len) < 0) {
            /* No client of HTTP/2, or one that floods: nghttp2 has queued a GOAWAY where there is one to send. */
            h2_conn_flush(conn);
            return false;
        }
        h2_loop_touch(conn->loop, conn);
        sum += len;
    } while (len == H2_READ_BYTES && sum < H2_TURN_BYTES && clock_mono_ns() < end_ns);
    return true;
}

bool h2_conn_step(struct h2_conn *conn, uint32_t events)
{
    if (conn->lingers)
        return drop_rest(conn);
    if (events & EPOLLOUT) {
        h2_loop_touch(conn->loop, conn);
        return true;
    }
    return read_in(conn); /* also tells what EPOLLERR and EPOLLHUP mean */
}
