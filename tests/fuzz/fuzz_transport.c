/*
 * fuzz_transport.c - the servers, made once.
 *
 * They have their own threads, so an input is over when the server has closed
 * or is quiet; then the client goes.  The spool drops its oldest records
 * when it is full, so that it always takes more; it is best on a memory disk,
 * since every record is synced.
 */
#include "fuzz_transport.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "buf.h"
#include "clock.h"
#include "h2_server.h"
#include "http_server.h"
#include "log.h"
#include "metrics.h"
#include "spool.h"
#include "spool_writer.h"

#define ANSWER_BYTES_MAX (4UL << 20)
#define OVER_MS 5000 /* for all answers, and for everything to be given back */
#define QUIET_MS 5   /* without an answer, after which the client goes */

static struct net_quota quota;
static struct spool_writer *writer;
static struct intake *intake;
static struct h2_server *h2;
static struct http_server *http;
static struct buf answer;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_transport: does not hold: %s\n", what);
    abort();
}

static void die(const struct err *err)
{
    require(false, err->text);
}

static char path[] = "/dev/shm/tracespool-fuzz-XXXXXX";

/* At the end of a run; the servers' threads may still have the files, which is all the same. */
static void remove_spool(void)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "lock"};
    char name[sizeof(path) + 16];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(name, sizeof(name), "%s/%s", path, names[i]);
        unlink(name);
    }
    rmdir(path);
}

static void start_spool(void)
{
    struct spool_options options = {.path = path, .size_bytes = 64UL << 20, .drop_oldest = true};
    struct spool *spool;
    struct err err;

    require(mkdtemp(path) != NULL && atexit(remove_spool) == 0, "a folder can be made in /dev/shm");
    require(spool_open(&spool, &options, &err) == 0 && spool_writer_start(&writer, spool, die, &err) == 0, "a spool");
}

static void start_servers(void)
{
    const struct intake_options bounds = {
        .max_request_bytes = 1UL << 20, .max_depth = OTLP_DEPTH_MAX, .max_in_flight_bytes = 4UL << 20, .max_calls = 64};
    const struct h2_server_options h2_options = {.threads = 1,
                                                 .max_header_bytes = 16UL << 10,
                                                 .read_timeout_ms = 60000,
                                                 .idle_timeout_ms = 60000,
                                                 .quota = &quota};
    const struct http_server_options http_options = {.threads = 1,
                                                     .max_header_bytes = 16UL << 10,
                                                     .read_timeout_ms = 60000,
                                                     .idle_timeout_ms = 60000,
                                                     .max_connections = 16,
                                                     .quota = &quota};
    struct err err;

    net_quota_init(&quota, 16);
    require(intake_new(&intake, &bounds, writer, &err) == 0 && h2_server_start(&h2, &h2_options, intake, &err) == 0 &&
                http_server_start(&http, &http_options, intake, &err) == 0,
            "the servers start");
}

static void start(void)
{
    static bool started;

    if (started)
        return;
    started = true;
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
    buf_init(&answer, ANSWER_BYTES_MAX);
    start_spool();
    start_servers();
}

/* Sends what the server takes, reads what it answers, until it closes or is quiet. */
static void exchange(int fd, struct slice bytes)
{
    uint64_t deadline_ns = clock_mono_ns() + OVER_MS * NS_PER_MS;

    for (;;) {
        struct pollfd poller = {.fd = fd, .events = (short)(POLLIN | (bytes.len > 0 ? POLLOUT : 0))};
        uint8_t *to = buf_reserve(&answer, 4096);
        ssize_t len;

        require(to != NULL, "an answer has a bound");
        require(clock_mono_ns() < deadline_ns, "the server answers or waits");
        if (poll(&poller, 1, QUIET_MS) == 0)
            return; /* it waits for the rest of a request, as it may */
        if (poller.revents & POLLOUT) {
            len = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
            bytes = len < 0 ? slice_of(NULL, 0) : slice_of(bytes.data + len, bytes.len - (size_t)len);
            if (bytes.len == 0)
                shutdown(fd, SHUT_WR);
        }
        if ((poller.revents & ~POLLOUT) == 0)
            continue;
        len = recv(fd, to, 4096, MSG_DONTWAIT);
        if (len == 0 || (len < 0 && errno != EAGAIN))
            return;
        answer.len += len > 0 ? (size_t)len : 0;
    }
}

static struct slice exchange_with(void (*accept)(void *server, int fd), void *server, struct slice bytes)
{
    int pair[2];

    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0 && net_quota_take(&quota),
            "a connection can be made");
    buf_clear(&answer);
    accept(server, pair[0]);
    if (bytes.len == 0)
        shutdown(pair[1], SHUT_WR);
    exchange(pair[1], bytes);
    close(pair[1]);
    return buf_slice(&answer);
}

struct slice fuzz_h2_exchange(struct slice bytes)
{
    start();
    return exchange_with(h2_server_accept, h2, bytes);
}

struct slice fuzz_http_exchange(struct slice bytes)
{
    start();
    return exchange_with(http_server_accept, http, bytes);
}

static bool is_idle(void)
{
    return net_quota_used(&quota) == 0 && metrics_get(METRIC_RECEIVER_CALLS) == 0 &&
           metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES) == 0;
}

void fuzz_transport_check_idle(void)
{
    const struct timespec pause = {.tv_nsec = 50000};
    uint64_t deadline_ns = clock_mono_ns() + OVER_MS * NS_PER_MS;

    while (!is_idle()) {
        require(clock_mono_ns() < deadline_ns, "everything is given back");
        nanosleep(&pause, NULL);
    }
}
