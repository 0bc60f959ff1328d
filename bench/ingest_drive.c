/*
 * ingest_drive.c - one thread, one epoll, all connections.
 *
 * Sockets are watched for edges, so each turn reads and writes until the
 * socket would block.  A timer ends the turn that waits for the next call that
 * is due, or for the end.
 */
#include "ingest_drive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "ingest_connection.h"

#define EVENTS_A_TURN 64
#define LOOK_NS (100 * NS_PER_MS) /* for silence, when nothing else is to come */

struct drive {
    const struct ingest_load *load;
    struct ingest_result *result;
    struct ingest_connection *connections;
    unsigned opened;
    unsigned next; /* connection that is asked first for the next call */
    int epoll;
    int timer;
    uint64_t begin_ns;
    uint64_t window_ns; /* where it begins */
    uint64_t end_ns;
    uint64_t due; /* calls that were due and begun */
    uint64_t now_ns;
    uint64_t heard_ns; /* the last answer */
};

/* --- answers ------------------------------------------------------------------- */

static void add_to(struct ingest_count *count, const struct ingest_request *request)
{
    count->requests++;
    count->spans += request->spans;
    count->bytes += ingest_request_message(request).len;
}

static void count_ok(struct drive *drive, const struct ingest_call *call)
{
    add_to(&drive->result->acknowledged, call->request);
    if (drive->now_ns >= drive->window_ns && drive->now_ns < drive->end_ns)
        add_to(&drive->result->in_window, call->request);
    if (call->due_ns >= drive->window_ns)
        ingest_histogram_add(&drive->result->latency, drive->now_ns - call->due_ns);
}

static void take_answer(void *context, const struct ingest_call *call, enum ingest_verdict verdict)
{
    struct drive *drive = context;

    drive->heard_ns = drive->now_ns;
    drive->result->answers[verdict]++;
    if (verdict == INGEST_OK || verdict == INGEST_PARTIAL || verdict == INGEST_REFUSED)
        drive->result->codes[call->reply.grpc_status]++;
    if (verdict == INGEST_OK)
        count_ok(drive, call);
}

/* --- calls that are due ---------------------------------------------------------- */

/* When the next call is due; UINT64_MAX: none is to come. */
static uint64_t next_due(const struct drive *drive)
{
    uint64_t at = drive->now_ns;

    if (drive->load->rate > 0)
        at = drive->begin_ns + (uint64_t)((double)drive->due * (double)NS_PER_S / drive->load->rate);
    return at < drive->end_ns ? at : UINT64_MAX;
}

/* In turn, so that all have their share. */
static struct ingest_connection *find_room(struct drive *drive)
{
    for (unsigned i = 0; i < drive->opened; i++) {
        struct ingest_connection *connection = &drive->connections[(drive->next + i) % drive->opened];

        if (ingest_connection_takes(connection)) {
            drive->next = (drive->next + i + 1) % drive->opened;
            return connection;
        }
    }
    return NULL;
}

static int begin_calls(struct drive *drive, struct err *err)
{
    struct ingest_connection *connection;
    uint64_t due;

    while ((due = next_due(drive)) <= drive->now_ns && (connection = find_room(drive)) != NULL) {
        if (ingest_connection_call(connection, due, err) < 0)
            return -1;
        drive->due++;
    }
    return 0;
}

static int write_all(struct drive *drive, struct err *err)
{
    for (unsigned i = 0; i < drive->opened; i++) {
        if (ingest_connection_write(&drive->connections[i], err) < 0)
            return -1;
    }
    return 0;
}

/* --- turns ------------------------------------------------------------------------ */

static unsigned in_flight(const struct drive *drive)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < drive->opened; i++)
        sum += drive->connections[i].in_flight;
    return sum;
}

static int set_timer(const struct drive *drive, struct err *err)
{
    uint64_t due = next_due(drive), look = drive->now_ns + LOOK_NS;
    /* What is due already waits for room, which an answer makes. */
    uint64_t at = due > drive->now_ns && due < look ? due : look;
    struct itimerspec when = {.it_value = clock_timespec(at)};

    if (timerfd_settime(drive->timer, TFD_TIMER_ABSTIME, &when, NULL) == 0)
        return 0;
    return err_set(err, ERR_FATAL, errno, "timerfd_settime: %s", strerror(errno));
}

/* Waits until there is something to do, and reads what has come. */
static int wait_and_read(struct drive *drive, struct err *err)
{
    struct epoll_event events[EVENTS_A_TURN];
    int count;

    if (set_timer(drive, err) < 0)
        return -1;
    count = epoll_wait(drive->epoll, events, EVENTS_A_TURN, -1);
    if (count < 0)
        return errno == EINTR ? 0 : err_set(err, ERR_FATAL, errno, "epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        struct ingest_connection *connection = events[i].data.ptr;

        drive->now_ns = clock_mono_ns();
        if (connection != NULL && ingest_connection_read(connection, err) < 0)
            return -1;
    }
    drive->now_ns = clock_mono_ns();
    return 0;
}

static int run(struct drive *drive, struct err *err)
{
    do {
        if (begin_calls(drive, err) < 0 || write_all(drive, err) < 0 || wait_and_read(drive, err) < 0)
            return -1;
        if (in_flight(drive) > 0 && drive->now_ns > drive->heard_ns + INGEST_SILENCE_NS)
            return err_set(err, ERR_RETRY, ETIMEDOUT, "no answer for a minute to %u calls", in_flight(drive));
        if (in_flight(drive) == 0)
            drive->heard_ns = drive->now_ns; /* nobody is asked */
    } while (in_flight(drive) > 0 || next_due(drive) != UINT64_MAX);
    return 0;
}

/* --- before and after --------------------------------------------------------------- */

static int watch(const struct drive *drive, int fd, uint32_t events, void *who, struct err *err)
{
    struct epoll_event event = {.events = events, .data.ptr = who};

    if (fd != -1 && epoll_ctl(drive->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return 0;
    return err_set(err, ERR_FATAL, errno, "cannot watch a descriptor: %s", strerror(errno));
}

static int open_all(struct drive *drive, const struct ingest_pool *pool, struct err *err)
{
    const struct ingest_load *load = drive->load;

    if (watch(drive, drive->timer, EPOLLIN | EPOLLET, NULL, err) < 0)
        return -1;
    while (drive->opened < load->connections) {
        struct ingest_connection *connection = &drive->connections[drive->opened];

        connection->ended = take_answer;
        connection->context = drive;
        if (ingest_connection_open(connection, load->target, load->in_flight, pool, drive->opened, load->connections,
                                   load->seed + drive->opened, err) < 0)
            return -1;
        drive->opened++;
        if (watch(drive, connection->fd, EPOLLIN | EPOLLOUT | EPOLLET, connection, err) < 0)
            return -1;
    }
    return 0;
}

static uint64_t own_cpu_ns(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static int run_timed(struct drive *drive, struct err *err)
{
    uint64_t cpu_ns = own_cpu_ns();
    int rc;

    drive->now_ns = drive->heard_ns = drive->begin_ns = clock_mono_ns();
    drive->window_ns = drive->begin_ns + drive->load->warm_up_ns;
    drive->end_ns = drive->window_ns + drive->load->duration_ns;
    rc = run(drive, err);
    drive->result->elapsed_ns = clock_mono_ns() - drive->begin_ns;
    drive->result->cpu_ns = own_cpu_ns() - cpu_ns;
    return rc;
}

int ingest_drive(const struct ingest_load *load, const struct ingest_pool *pool, struct ingest_result *result,
                 struct err *err)
{
    struct drive drive = {.load = load, .result = result};
    int rc = -1;

    *result = (struct ingest_result){.elapsed_ns = 0};
    drive.epoll = epoll_create1(EPOLL_CLOEXEC);
    drive.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    drive.connections = calloc(load->connections, sizeof(*drive.connections));
    if (drive.connections == NULL)
        err_set(err, ERR_BUSY, ENOMEM, "out of memory for %u connections", load->connections);
    else if (open_all(&drive, pool, err) == 0)
        rc = run_timed(&drive, err);
    for (unsigned i = 0; i < drive.opened; i++)
        ingest_connection_close(&drive.connections[i]);
    free(drive.connections);
    close(drive.timer);
    close(drive.epoll);
    return rc;
}
