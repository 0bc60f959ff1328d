/*
 * net_fixture.c - see net_fixture.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "net_fixture.h"

#define ACCEPTED_MAX 64

struct fixture fixture;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int accepted_fds[ACCEPTED_MAX];
static unsigned accepted_count, accepted_taken;

static void keep_accepted(void *context, int fd)
{
    (void)context;
    pthread_mutex_lock(&lock);
    if (accepted_count < ACCEPTED_MAX)
        accepted_fds[accepted_count++] = fd;
    pthread_mutex_unlock(&lock);
}

void fixture_init(void)
{
    accepted_count = accepted_taken = 0;
    net_quota_init(&fixture.quota, FIXTURE_QUOTA);
    fixture.listener = NULL;
    fixture.options = (struct net_listener_options){
        .quota = &fixture.quota, .handshake_timeout_ms = FIXTURE_DEADLINE_MS, .accepted = keep_accepted};
}

int fixture_start(const char *address, struct err *err)
{
    fixture.options.address = address;
    return net_listener_start(&fixture.listener, &fixture.options, err);
}

void fixture_start_ok(const char *address)
{
    struct err err;

    if (fixture_start(address, &err) != 0)
        fail_msg("%s", err.text);
}

static bool has_accepted(void *context)
{
    bool has;

    (void)context;
    pthread_mutex_lock(&lock);
    has = accepted_taken < accepted_count;
    pthread_mutex_unlock(&lock);
    return has;
}

int fixture_accepted(void)
{
    int fd;

    fixture_wait(has_accepted, NULL);
    pthread_mutex_lock(&lock);
    fd = accepted_fds[accepted_taken++];
    pthread_mutex_unlock(&lock);
    return fd;
}

void fixture_end(int fd)
{
    close(fd);
    net_quota_release(&fixture.quota);
}

void fixture_stop(void)
{
    if (fixture.listener != NULL)
        net_listener_quiesce(fixture.listener);
    while (has_accepted(NULL))
        fixture_end(fixture_accepted());
    net_listener_stop(fixture.listener);
    fixture.listener = NULL;
}

static int connected(int family, const void *address, socklen_t len)
{
    struct timeval deadline = {.tv_sec = FIXTURE_DEADLINE_MS / 1000};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)), 0);
    assert_int_equal(connect(fd, address, len), 0);
    return fd;
}

int fixture_connect(int family, int port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_addr = in6addr_loopback;
    return family == AF_INET ? connected(family, &v4, sizeof(v4)) : connected(family, &v6, sizeof(v6));
}

int fixture_connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert_true(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    return connected(AF_UNIX, &address, sizeof(address));
}

/* Waits, for the sockets under test are non-blocking. */
static void wait_for(int fd, short events)
{
    struct pollfd polled = {.fd = fd, .events = events};

    assert_int_equal(poll(&polled, 1, FIXTURE_DEADLINE_MS), 1);
}

void fixture_send(int fd, const void *data, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        ssize_t n;

        wait_for(fd, POLLOUT);
        n = send(fd, (const char *)data + sent, len - sent, MSG_NOSIGNAL);
        assert_true(n > 0 || errno == EAGAIN);
        sent += n > 0 ? (size_t)n : 0;
    }
}

void fixture_receive(int fd, void *data, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n;

        wait_for(fd, POLLIN);
        n = recv(fd, (char *)data + got, len - got, 0);
        assert_true(n > 0 || (n < 0 && errno == EAGAIN));
        got += n > 0 ? (size_t)n : 0;
    }
}

void fixture_receive_end(int fd)
{
    char byte;

    wait_for(fd, POLLIN);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

bool fixture_is_cut(int fd)
{
    char byte;
    ssize_t n;

    wait_for(fd, POLLIN);
    n = recv(fd, &byte, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

void fixture_wait(bool (*reached)(void *context), void *context)
{
    uint64_t deadline_ns = clock_mono_ns() + FIXTURE_DEADLINE_MS * NS_PER_MS;

    while (!reached(context)) {
        if (clock_mono_ns() > deadline_ns)
            fail_msg("waited for %d ms", FIXTURE_DEADLINE_MS);
        usleep(1000);
    }
}

static bool quota_is(void *context)
{
    return net_quota_used(&fixture.quota) == *(unsigned *)context;
}

void fixture_wait_quota(unsigned used)
{
    fixture_wait(quota_is, &used);
}

void fixture_capture_stderr(void (*act)(void), char *text, size_t size)
{
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);
    size_t len;

    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    act();
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    close(before);
    rewind(file);
    len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    fclose(file);
}
