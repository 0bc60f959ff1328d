/*
 * http_worker.c - one daemon of libmicrohttpd, with one thread, and the list
 * of its connections.
 *
 * libmicrohttpd only knows how long a connection has been silent, which a
 * client that sends a byte a second never is.  So what each connection is
 * waited for, and since when, is kept here, and who takes too long has its
 * socket shut down, which libmicrohttpd takes for the client's end.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "http_internal.h"
#include "log.h"

/* --- connections ----------------------------------------------------------------- */

/* These two under the lock. */
static void link_conn(struct http_worker *worker, struct http_conn *conn)
{
    conn->next = worker->conns;
    if (worker->conns != NULL)
        worker->conns->prev = conn;
    worker->conns = conn;
}

static void end_conn(struct http_worker *worker, struct http_conn *conn)
{
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        worker->conns = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    free(conn);
    net_quota_release(worker->server->options.quota);
}

/* The newest of the descriptor: an older one that has not started has been closed without a word. */
static struct http_conn *find_new_conn(struct http_worker *worker, int fd)
{
    struct http_conn *conn = worker->conns;

    while (conn != NULL && (conn->is_started || conn->fd != fd))
        conn = conn->next;
    return conn;
}

static void start_conn(struct http_worker *worker, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_conn *conn;

    pthread_mutex_lock(&worker->lock);
    conn = find_new_conn(worker, info->connect_fd);
    if (conn != NULL)
        conn->is_started = true;
    pthread_mutex_unlock(&worker->lock);
    if (conn == NULL) /* it took so long that it was given up */
        shutdown(info->connect_fd, SHUT_RDWR);
    *context = conn;
}

static void note_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct http_worker *worker = context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        start_conn(worker, connection, socket_context);
        return;
    }
    if (*socket_context == NULL)
        return;
    pthread_mutex_lock(&worker->lock);
    end_conn(worker, *socket_context);
    pthread_mutex_unlock(&worker->lock);
    *socket_context = NULL;
}

void http_worker_wait(struct http_conn *conn, enum http_wait wait)
{
    pthread_mutex_lock(&conn->worker->lock);
    conn->wait = wait;
    conn->since_ns = clock_mono_ns();
    pthread_mutex_unlock(&conn->worker->lock);
}

static bool is_overdue(const struct http_conn *conn, uint64_t now_ns)
{
    const struct http_server_options *options = &conn->worker->server->options;
    unsigned timeout_ms = options->read_timeout_ms;

    switch (conn->wait) {
    case HTTP_WAIT_NOTHING:
        return false;
    case HTTP_WAIT_NEXT:
        timeout_ms = options->idle_timeout_ms;
        break;
    case HTTP_WAIT_REQUEST:
        if (fault_point("receiver.slow_client") != 0)
            return true;
        break;
    case HTTP_WAIT_FIRST:
    case HTTP_WAIT_TAKE:
        break;
    }
    return now_ns >= conn->since_ns && now_ns - conn->since_ns >= timeout_ms * NS_PER_MS;
}

void http_worker_sweep(struct http_worker *worker, uint64_t now_ns)
{
    pthread_mutex_lock(&worker->lock);
    for (struct http_conn *conn = worker->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (!is_overdue(conn, now_ns))
            continue;
        conn->wait = HTTP_WAIT_NOTHING; /* once */
        if (conn->is_started)
            shutdown(conn->fd, SHUT_RDWR);
        else
            end_conn(worker, conn); /* libmicrohttpd had no memory to begin it; the descriptor is closed */
    }
    pthread_mutex_unlock(&worker->lock);
}

/* --- suspending ------------------------------------------------------------------- */

bool http_worker_suspend(struct http_call *call)
{
    struct http_worker *worker = call->conn->worker;
    bool stopping;

    pthread_mutex_lock(&worker->lock);
    stopping = worker->stopping;
    if (!stopping)
        worker->storing++;
    pthread_mutex_unlock(&worker->lock);
    if (stopping)
        return false;
    http_worker_wait(call->conn, HTTP_WAIT_NOTHING);
    MHD_suspend_connection(call->connection);
    return true;
}

/* The call may be gone when this returns. */
void http_worker_resume(struct http_call *call)
{
    struct http_worker *worker = call->conn->worker;

    pthread_mutex_lock(&worker->lock);
    /* Under the lock: once it is free, the worker may be stopped. */
    MHD_resume_connection(call->connection);
    worker->storing--;
    pthread_cond_broadcast(&worker->stored);
    pthread_mutex_unlock(&worker->lock);
}

/* --- start and stop ----------------------------------------------------------------- */

/* libmicrohttpd's own messages: about clients that do not speak HTTP, which any client could fill the log with. */
static void __attribute__((format(printf, 2, 0))) write_log(void *context, const char *format, va_list args)
{
    char text[ERR_TEXT_MAX];

    (void)context;
    vsnprintf(text, sizeof(text), format, args);
    text[strcspn(text, "\r\n")] = '\0';
    log_debug("receiver.http", "%s", text);
}

/*
 * The bound on connections is the quota's.  libmicrohttpd's own is above it,
 * as it still counts one that has just been given back; and 0.9.75 keeps a
 * mutex locked for good when it meets its bound on its own thread.
 */
static struct MHD_Daemon *start_daemon(struct http_worker *worker)
{
    const struct http_server_options *options = &worker->server->options;

    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, http_call_step, worker, MHD_OPTION_EXTERNAL_LOGGER, write_log, NULL, MHD_OPTION_CONNECTION_LIMIT,
        options->max_connections + 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->max_header_bytes + HTTP_CONN_BYTES,
        MHD_OPTION_NOTIFY_COMPLETED, http_call_end, worker, MHD_OPTION_NOTIFY_CONNECTION, note_connection, worker,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

static void unmake(struct http_worker *worker)
{
    pulse_stop(&worker->pulse);
    intake_scratch_fini(&worker->scratch);
    pthread_cond_destroy(&worker->stored);
    pthread_mutex_destroy(&worker->lock);
}

int http_worker_start(struct http_worker *worker, struct http_server *server, struct err *err)
{
    worker->server = server;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->stored, NULL);
    intake_scratch_init(&worker->scratch, INTAKE_SMALL_BYTES);
    pulse_start(&worker->pulse, "receiver HTTP", PULSE_RECEIVER_MS);
    errno = 0;
    worker->daemon = fault_point("http.thread") != 0 ? NULL : start_daemon(worker);
    if (worker->daemon != NULL)
        return 0;
    unmake(worker);
    return err_set(err, ERR_RETRY, errno, "cannot start the HTTP server: %s",
                   errno == 0 ? "libmicrohttpd gives no reason" : strerror(errno));
}

void http_worker_accept(struct http_worker *worker, int fd)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    struct http_conn *conn = calloc(1, sizeof(*conn));
    socklen_t len = sizeof(address);

    if (conn == NULL) {
        close(fd);
        net_quota_release(worker->server->options.quota);
        return;
    }
    *conn = (struct http_conn){.worker = worker, .fd = fd, .since_ns = clock_mono_ns()};
    if (getpeername(fd, (struct sockaddr *)&address, &len) != 0)
        len = sizeof(address.ss_family); /* it has gone; libmicrohttpd will notice */
    pthread_mutex_lock(&worker->lock);
    link_conn(worker, conn);
    if (MHD_add_connection(worker->daemon, fd, (struct sockaddr *)&address, len) != MHD_YES)
        end_conn(worker, conn); /* libmicrohttpd has closed it */
    pthread_mutex_unlock(&worker->lock);
}

void http_worker_stop(struct http_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    while (worker->storing > 0)
        pthread_cond_wait(&worker->stored, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
    MHD_stop_daemon(worker->daemon);
    while (worker->conns != NULL) {
        assert(!worker->conns->is_started);
        end_conn(worker, worker->conns); /* not begun when libmicrohttpd's thread ended */
    }
    unmake(worker);
}
