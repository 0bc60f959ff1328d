/*
 * h2_loop.c - one thread with its connections.
 *
 * A turn: what epoll brings, what other threads handed over (connections from
 * the listeners, calls that come back from storing), whose time is up;
 * then everything that has something to send sends it.  So a group of the
 * spool, which ends many calls at once, costs each connection one write.
 *
 * Stopping, every client is told to go; the loop ends when no connection and
 * no call with another thread is left.  Past the deadline connections are
 * cut; those threads are waited for all the same, since they have the calls'
 * memory.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "h2_internal.h"

#define EVENTS_MAX 64 /* of one turn */

/* --- other threads ------------------------------------------------------------ */

static void wake(struct h2_loop *loop)
{
    uint64_t one = 1;
    ssize_t written = write(loop->wake_fd, &one, sizeof(one));

    assert(written == sizeof(one)); /* the counter does not come near its end */
    (void)written;
}

void h2_loop_add(struct h2_loop *loop, struct h2_conn *conn)
{
    pthread_mutex_lock(&loop->lock);
    conn->next = loop->arrived;
    loop->arrived = conn;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
}

/*
 * A group tells its calls one after the other: only the first one wakes the
 * loop.  Under the lock: a loop that stops looks here by itself as well, and
 * may be gone as soon as it has found the last call.
 */
void h2_loop_stored(struct h2_loop *loop, struct h2_call *call)
{
    bool is_first;

    call->stored_next = NULL;
    pthread_mutex_lock(&loop->lock);
    is_first = loop->stored_first == NULL;
    if (is_first)
        loop->stored_first = call;
    else
        loop->stored_last->stored_next = call;
    loop->stored_last = call;
    if (is_first)
        wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

void h2_loop_stop(struct h2_loop *loop, uint64_t deadline_ns)
{
    pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    loop->stop_ns = deadline_ns;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
}

/* --- the loop's lists ----------------------------------------------------------- */

void h2_loop_touch(struct h2_loop *loop, struct h2_conn *conn)
{
    if (conn->is_touched)
        return;
    conn->is_touched = true;
    conn->touched_next = loop->touched;
    loop->touched = conn;
}

void h2_loop_unwait(struct h2_loop *loop, struct h2_call *call)
{
    if (!call->is_waiting)
        return;
    if (call->waiting_prev != NULL)
        call->waiting_prev->waiting_next = call->waiting_next;
    else
        loop->waiting_first = call->waiting_next;
    if (call->waiting_next != NULL)
        call->waiting_next->waiting_prev = call->waiting_prev;
    else
        loop->waiting_last = call->waiting_prev;
    call->is_waiting = false;
    call->waiting_prev = call->waiting_next = NULL;
}

void h2_loop_wait(struct h2_loop *loop, struct h2_call *call)
{
    h2_loop_unwait(loop, call);
    call->is_waiting = true;
    call->deadline_ns = clock_mono_ns() + loop->server->options.read_timeout_ms * NS_PER_MS;
    call->waiting_prev = loop->waiting_last;
    if (loop->waiting_last != NULL)
        loop->waiting_last->waiting_next = call;
    else
        loop->waiting_first = call;
    loop->waiting_last = call;
}

static void link_conn(struct h2_loop *loop, struct h2_conn *conn)
{
    conn->prev = NULL;
    conn->next = loop->conns;
    if (loop->conns != NULL)
        loop->conns->prev = conn;
    loop->conns = conn;
}

/* Not while a touched list that holds it is being gone through. */
static void end_conn(struct h2_loop *loop, struct h2_conn *conn)
{
    for (struct h2_conn **at = &loop->touched; conn->is_touched; at = &(*at)->touched_next) {
        if (*at == conn) {
            *at = conn->touched_next;
            conn->is_touched = false;
            break;
        }
    }
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        loop->conns = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    h2_conn_free(conn);
}

/* --- a turn -------------------------------------------------------------------- */

static void open_arrived(struct h2_loop *loop, struct h2_conn *arrived)
{
    while (arrived != NULL) {
        struct h2_conn *conn = arrived;

        arrived = conn->next;
        link_conn(loop, conn);
        if (h2_conn_open(conn) != 0)
            end_conn(loop, conn);
        else
            h2_loop_touch(loop, conn);
    }
}

static void step_stored(struct h2_call *stored)
{
    while (stored != NULL) {
        struct h2_call *call = stored;

        stored = call->stored_next;
        h2_call_step_stored(call);
    }
}

/* What other threads have handed over. Whether to stop. */
static bool take_handed(struct h2_loop *loop)
{
    struct h2_conn *arrived;
    struct h2_call *stored;
    uint64_t count;
    bool stopping;

    if (read(loop->wake_fd, &count, sizeof(count)) < 0)
        assert(errno == EAGAIN || errno == EINTR);
    pthread_mutex_lock(&loop->lock);
    arrived = loop->arrived;
    loop->arrived = NULL;
    stored = loop->stored_first;
    loop->stored_first = loop->stored_last = NULL;
    stopping = loop->stopping;
    pthread_mutex_unlock(&loop->lock);
    open_arrived(loop, arrived);
    step_stored(stored);
    return stopping;
}

static void flush_touched(struct h2_loop *loop)
{
    while (loop->touched != NULL) {
        struct h2_conn *conn = loop->touched;

        loop->touched = conn->touched_next;
        conn->is_touched = false;
        if (!h2_conn_flush(conn))
            end_conn(loop, conn);
    }
}

static bool is_overdue(const struct h2_call *call, uint64_t now_ns)
{
    if (call->state != H2_CALL_ANSWERING && fault_point("receiver.slow_client") != 0)
        return true;
    return now_ns >= call->deadline_ns;
}

/* Each call that is found is unlinked or put to the end with a new deadline. */
static void sweep_calls(struct h2_loop *loop, uint64_t now_ns)
{
    while (loop->waiting_first != NULL && is_overdue(loop->waiting_first, now_ns))
        h2_call_overdue(loop->waiting_first);
}

static bool is_over(const struct h2_conn *conn, uint64_t now_ns)
{
    uint64_t timeout_ns = conn->loop->server->options.read_timeout_ms * NS_PER_MS;

    if (conn->lingers)
        return now_ns >= conn->linger_until_ns;
    if (conn->blocked_since_ns != 0 && now_ns - conn->blocked_since_ns >= timeout_ns)
        return true; /* nothing that we could tell the client would reach it */
    return !conn->has_greeted && now_ns - conn->opened_ns >= timeout_ns;
}

static void sweep_conns(struct h2_loop *loop, uint64_t now_ns)
{
    uint64_t idle_ns = loop->server->options.idle_timeout_ms * NS_PER_MS;

    for (struct h2_conn *conn = loop->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (is_over(conn, now_ns))
            end_conn(loop, conn);
        else if (conn->calls == NULL && now_ns - conn->idle_since_ns >= idle_ns) {
            conn->idle_since_ns = now_ns; /* once */
            h2_conn_goodbye(conn);
            h2_loop_touch(loop, conn);
        }
    }
}

static int sweep_ms(const struct h2_loop *loop)
{
    unsigned quarter = loop->server->options.read_timeout_ms / 4;

    return quarter < 1 ? 1 : quarter > H2_SWEEP_MS ? H2_SWEEP_MS : (int)quarter;
}

static void sweep(struct h2_loop *loop)
{
    uint64_t now_ns = clock_mono_ns();

    if (now_ns - loop->swept_ns < (uint64_t)sweep_ms(loop) * NS_PER_MS)
        return;
    loop->swept_ns = now_ns;
    sweep_calls(loop, now_ns);
    sweep_conns(loop, now_ns);
}

/* True: nothing is left. */
static bool wind_up(struct h2_loop *loop)
{
    uint64_t now_ns = clock_mono_ns();

    for (struct h2_conn *conn = loop->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (now_ns >= loop->stop_ns)
            end_conn(loop, conn);
        else if (!loop->said_goodbye) {
            h2_conn_goodbye(conn);
            h2_loop_touch(loop, conn);
        }
    }
    loop->said_goodbye = true;
    return loop->conns == NULL && loop->storing == 0;
}

static void turn(struct h2_loop *loop, int timeout_ms, bool *stopping)
{
    struct epoll_event events[EVENTS_MAX];
    int count;

    pulse_idle(&loop->pulse);
    count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, timeout_ms);
    pulse_busy(&loop->pulse);

    assert(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; i++) {
        struct h2_conn *conn = events[i].data.ptr;

        if (conn != NULL && !h2_conn_step(conn, events[i].events))
            end_conn(loop, conn);
    }
    *stopping = take_handed(loop);
    sweep(loop);
    flush_touched(loop);
}

static void *run(void *context)
{
    struct h2_loop *loop = context;
    bool stopping = false;

    for (;;) {
        turn(loop, stopping ? H2_STOPPING_MS : sweep_ms(loop), &stopping);
        if (!stopping)
            continue;
        if (wind_up(loop))
            return NULL;
        flush_touched(loop);
    }
}

/* --- start and end --------------------------------------------------------------- */

static int make(struct h2_loop *loop)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    loop->in = malloc(H2_READ_BYTES);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->in == NULL || loop->epoll_fd < 0 || loop->wake_fd < 0)
        return errno;
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) == 0 ? 0 : errno;
}

static void unmake(struct h2_loop *loop)
{
    pulse_stop(&loop->pulse);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop->in);
    intake_scratch_fini(&loop->scratch);
    pthread_mutex_destroy(&loop->lock);
}

int h2_loop_start(struct h2_loop *loop, struct h2_server *server, struct err *err)
{
    int rc;

    loop->server = server;
    pthread_mutex_init(&loop->lock, NULL);
    intake_scratch_init(&loop->scratch, INTAKE_SMALL_BYTES);
    pulse_start(&loop->pulse, "receiver gRPC", PULSE_RECEIVER_MS);
    rc = make(loop);
    if (rc == 0)
        rc = fault_point("receiver.thread");
    if (rc == 0)
        rc = pthread_create(&loop->thread, NULL, run, loop);
    if (rc == 0)
        return 0;
    unmake(loop);
    return err_set(err, ERR_RETRY, rc, "cannot start a thread: %s", strerror(rc));
}

void h2_loop_join(struct h2_loop *loop)
{
    pthread_join(loop->thread, NULL);
    assert(loop->conns == NULL && loop->arrived == NULL && loop->waiting_first == NULL);
    unmake(loop);
}
