/*
 * intake_rig.c - see intake_rig.h.
 */
#include "intake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "bounds.h"

#define MANY 6

struct rig rig;

/* --- the server ------------------------------------------------------------------ */

void rig_init(const struct rig_protocol *protocol)
{
    rig = (struct rig){
        .protocol = protocol,
        .intake_options = {.max_request_bytes = RIG_MAX_REQUEST_BYTES,
                           .max_depth = OTLP_DEPTH_MAX,
                           .max_in_flight_bytes = 64UL << 20,
                           .max_calls = 1000},
        .options = {.threads = 1,
                    .max_header_bytes = 16UL << 10,
                    .read_timeout_ms = HOME_TIMEOUT_MS,
                    .idle_timeout_ms = HOME_TIMEOUT_MS},
    };
    net_quota_init(&rig.quota, RIG_CONNECTIONS_MAX);
    home_open(&rig.home, HOME_SPOOL_BYTES);
}

void rig_start(void)
{
    struct err err = {0};

    if (intake_new(&rig.intake, &rig.intake_options, rig.home.writer, &err) != 0 ||
        rig.protocol->start(&rig.server, rig.intake, &err) != 0)
        fail_msg("%s", err.text);
}

void rig_start_impatient(unsigned read_timeout_ms, unsigned idle_timeout_ms)
{
    rig.options.read_timeout_ms = read_timeout_ms;
    rig.options.idle_timeout_ms = idle_timeout_ms;
    rig_start();
}

void rig_stop_within(uint64_t timeout_ms)
{
    rig.protocol->stop(rig.server, timeout_ms);
    rig.server = NULL;
}

void rig_stop(void)
{
    rig_stop_within(HOME_TIMEOUT_MS);
}

static void stop_gently(void)
{
    if (rig.protocol->stop_cuts)
        rig_wait_connections(0);
    rig_stop();
}

void rig_restart(void)
{
    stop_gently();
    intake_free(rig.intake);
    rig_start();
}

void rig_fini(void)
{
    stop_gently();
    home_wait_idle();
    assert_int_equal(net_quota_used(&rig.quota), 0);
    intake_free(rig.intake);
    home_close(&rig.home);
}

static bool has_connections(void *count)
{
    return net_quota_used(&rig.quota) == *(unsigned *)count;
}

void rig_wait_connections(unsigned count)
{
    home_wait(has_connections, &count);
}

/* --- the client's end ------------------------------------------------------------ */

static int connect_with(int send_bytes)
{
    struct timeval deadline = {.tv_sec = HOME_TIMEOUT_MS / 1000};
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    if (send_bytes > 0)
        assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes)), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline)), 0);
    assert_true(net_quota_take(&rig.quota));
    rig.protocol->accept(rig.server, fds[1]);
    return fds[0];
}

int rig_connect(void)
{
    return connect_with(0);
}

int rig_connect_narrow(void)
{
    return connect_with(1); /* the kernel has a least size */
}

bool rig_write(int fd, struct slice bytes)
{
    for (size_t sent = 0; sent < bytes.len;) {
        ssize_t len = send(fd, bytes.data + sent, bytes.len - sent, MSG_NOSIGNAL);

        if (len < 0 && (errno == EPIPE || errno == ECONNRESET))
            return false;
        assert_true(len > 0);
        sent += (size_t)len;
    }
    return true;
}

bool rig_read(int fd, void *out, size_t len)
{
    ssize_t got = len == 0 ? 0 : recv(fd, out, len, MSG_WAITALL);

    assert_true(got >= 0 || errno == ECONNRESET); /* not the deadline */
    return got == (ssize_t)len;
}

/* --- threads --------------------------------------------------------------------- */

static void *stop_rig(void *context)
{
    struct rig_stopper *stopper = context;

    rig_stop_within(stopper->timeout_ms);
    atomic_store(&stopper->is_over, true);
    return NULL;
}

void rig_begin_stop(struct rig_stopper *stopper, uint64_t timeout_ms)
{
    stopper->timeout_ms = timeout_ms;
    atomic_init(&stopper->is_over, false);
    assert_int_equal(pthread_create(&stopper->thread, NULL, stop_rig, stopper), 0);
}

bool rig_is_stopped(struct rig_stopper *stopper)
{
    return atomic_load(&stopper->is_over);
}

void rig_await_stop(struct rig_stopper *stopper)
{
    assert_int_equal(pthread_join(stopper->thread, NULL), 0);
}

struct one_of_many {
    pthread_t thread;
    void (*client)(unsigned seed);
    unsigned seed;
};

static void *be_one_of_many(void *context)
{
    struct one_of_many *one = context;

    one->client(one->seed);
    return NULL;
}

void rig_run_many(void (*client)(unsigned seed))
{
    struct one_of_many many[MANY];

    rig.options.threads = 2;
    rig_start();
    for (unsigned i = 0; i < MANY; i++) {
        many[i] = (struct one_of_many){.client = client, .seed = i + 1};
        assert_int_equal(pthread_create(&many[i].thread, NULL, be_one_of_many, &many[i]), 0);
    }
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(pthread_join(many[i].thread, NULL), 0);
    rig_wait_connections(0);
    home_wait_idle();
}
