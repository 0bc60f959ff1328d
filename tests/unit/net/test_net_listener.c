/*
 * test_net_listener.c - every kind of address, the bound, and what a listener survives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"
#include "metrics.h"
#include "net_fixture.h"

static char folder[] = "/tmp/tracespool-net-XXXXXX";
static char path[128], unix_address[160];

static int setup(void **state)
{
    (void)state;
    fixture_init();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_stop();
    return net_quota_used(&fixture.quota) == 0 ? 0 : -1;
}

static void assert_echo(int client)
{
    int server = fixture_accepted();
    char text[6];

    fixture_send(client, "hello", 5);
    fixture_receive(server, text, 5);
    assert_memory_equal(text, "hello", 5);
    fixture_send(server, "world!", 6);
    fixture_receive(client, text, 6);
    assert_memory_equal(text, "world!", 6);
    fixture_end(server);
    fixture_receive_end(client);
    close(client);
}

/* --- addresses -------------------------------------------------------------- */

static void test_start_v4_hands_out_plain_sockets(void **state)
{
    int client, server, value;
    socklen_t len = sizeof(value);

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    assert_true(net_listener_port(fixture.listener) > 0);
    assert_echo(fixture_connect(AF_INET, net_listener_port(fixture.listener)));

    client = fixture_connect(AF_INET, net_listener_port(fixture.listener));
    server = fixture_accepted();
    assert_true(fcntl(server, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(server, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(getsockopt(server, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
    assert_int_equal(value, 1);
    assert_int_equal(getsockopt(server, SOL_SOCKET, SO_KEEPALIVE, &value, &len), 0);
    assert_int_equal(value, 1);
    assert_int_equal(net_quota_used(&fixture.quota), 1);
    fixture_end(server);
    close(client);
}

static void test_start_v6(void **state)
{
    (void)state;
    fixture_start_ok("[::1]:0");
    assert_echo(fixture_connect(AF_INET6, net_listener_port(fixture.listener)));
}

static void test_start_any_v6_takes_v4(void **state)
{
    (void)state;
    fixture_start_ok("[::]:0");
    assert_echo(fixture_connect(AF_INET6, net_listener_port(fixture.listener)));
    assert_echo(fixture_connect(AF_INET, net_listener_port(fixture.listener)));
}

static void test_start_name(void **state)
{
    (void)state;
    fixture_start_ok("localhost:0");
    assert_echo(fixture_connect(AF_INET, net_listener_port(fixture.listener)));
}

static void test_start_taken_port_says_so(void **state)
{
    struct net_listener_options options;
    struct net_listener *second;
    char address[64], text[128];
    struct err err = {0};

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    snprintf(address, sizeof(address), "127.0.0.1:%d", net_listener_port(fixture.listener));
    options = fixture.options;
    options.address = address;
    assert_int_equal(net_listener_start(&second, &options, &err), -1);
    assert_null(second);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_int_equal(err.code, EADDRINUSE);
    snprintf(text, sizeof(text), "cannot listen on %s: Address already in use", address);
    assert_string_equal(err.text, text);
    net_listener_quiesce(fixture.listener);
    assert_int_equal(net_listener_start(&second, &options, &err), 0); /* free again at once */
    net_listener_stop(second);
}

static void assert_start_fails(const char *address, int code, const char *text)
{
    struct err err = {0};

    assert_int_equal(fixture_start(address, &err), -1);
    assert_null(fixture.listener);
    assert_string_equal(err.text, text);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_int_equal(err.code, code);
}

static void test_start_bad_address_is_config(void **state)
{
    static const char *const malformed[] = {"4317",     ":4317", "host:", "127.0.0.1:http", "h:65536",  "127.0.0.1:-1",
                                            "::1:4317", "[]:1",  "",      "h:1 ",           "h:000000", "127.0.0.1:1/"};
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        snprintf(text, sizeof(text), "cannot listen on %s: it is none of host:port, [v6]:port, unix:/path",
                 malformed[i]);
        assert_start_fails(malformed[i], EINVAL, text);
    }
    assert_start_fails("[::g]:1", EADDRNOTAVAIL, "cannot listen on [::g]:1: Name or service not known");
    assert_start_fails("192.0.2.1:0", EADDRNOTAVAIL, "cannot listen on 192.0.2.1:0: Cannot assign requested address");
}

/* --- Unix sockets ----------------------------------------------------------- */

static void test_unix_path_is_private_and_removed(void **state)
{
    mode_t before = umask(0);
    struct stat found;

    (void)state;
    fixture_start_ok(unix_address);
    assert_int_equal(net_listener_port(fixture.listener), 0);
    assert_int_equal(lstat(path, &found), 0);
    assert_true(S_ISSOCK(found.st_mode));
    assert_int_equal(found.st_mode & 07777, 0660);
    assert_echo(fixture_connect_unix(path));
    fixture_stop();
    assert_int_equal(lstat(path, &found), -1);

    umask(077);
    fixture_start_ok(unix_address);
    assert_int_equal(lstat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0660);
    umask(before);
}

static void test_unix_live_socket_is_in_use(void **state)
{
    struct net_listener_options options;
    struct net_listener *second;
    struct err err = {0};
    char text[256];

    (void)state;
    fixture_start_ok(unix_address);
    options = fixture.options;
    assert_int_equal(net_listener_start(&second, &options, &err), -1);
    snprintf(text, sizeof(text), "cannot listen on %s: Address already in use", unix_address);
    assert_string_equal(err.text, text);
    assert_int_equal(err.class, ERR_CONFIG);
    fixture_end(fixture_accepted()); /* that was the look whether somebody is there */
    assert_echo(fixture_connect_unix(path));
}

static void test_unix_stale_socket_is_replaced(void **state)
{
    char stale[160];

    (void)state;
    fixture_start_ok(unix_address);
    snprintf(stale, sizeof(stale), "%s.stale", path);
    assert_int_equal(rename(path, stale), 0); /* so it is left behind, as by a kill */
    fixture_stop();
    assert_int_equal(rename(stale, path), 0);
    fixture_start_ok(unix_address);
    assert_echo(fixture_connect_unix(path));
}

static void test_unix_other_file_is_left_alone(void **state)
{
    int file = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
    char text[256];

    (void)state;
    assert_true(file >= 0);
    close(file);
    snprintf(text, sizeof(text), "cannot listen on %s: a file that is no socket is there", unix_address);
    assert_start_fails(unix_address, EEXIST, text);
    assert_int_equal(unlink(path), 0);
}

static void test_unix_successors_socket_is_left_alone(void **state)
{
    struct net_listener_options options;
    struct net_listener *second;
    struct err err;

    (void)state;
    fixture_start_ok(unix_address);
    assert_int_equal(unlink(path), 0);
    options = fixture.options;
    assert_int_equal(net_listener_start(&second, &options, &err), 0);
    fixture_stop();
    assert_echo(fixture_connect_unix(path));
    net_listener_stop(second);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_unix_bad_path_is_config(void **state)
{
    char address[200] = "unix:/", text[400];

    (void)state;
    assert_start_fails("unix:", EINVAL, "cannot listen on unix:: Invalid argument");
    assert_start_fails("unix:/nowhere/at/all", ENOENT,
                       "cannot listen on unix:/nowhere/at/all: No such file or directory");
    memset(address + 6, 'p', 107);
    snprintf(text, sizeof(text), "cannot listen on %s: the path is longer than 107 bytes", address);
    assert_start_fails(address, ENAMETOOLONG, text);
}

/* --- the bound and the system's ---------------------------------------------- */

static void test_at_the_bound_connections_are_closed(void **state)
{
    uint64_t refused = metrics_get(METRIC_NET_REFUSED_BOUND);
    int clients[FIXTURE_QUOTA], servers[FIXTURE_QUOTA], more;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    for (int i = 0; i < FIXTURE_QUOTA; i++) {
        clients[i] = fixture_connect(AF_INET, net_listener_port(fixture.listener));
        servers[i] = fixture_accepted();
    }
    for (int i = 0; i < 3; i++) {
        more = fixture_connect(AF_INET, net_listener_port(fixture.listener));
        assert_true(fixture_is_cut(more));
        close(more);
    }
    assert_int_equal(metrics_get(METRIC_NET_REFUSED_BOUND) - refused, 3);
    fixture_end(servers[0]);
    assert_echo(fixture_connect(AF_INET, net_listener_port(fixture.listener)));
    for (int i = 0; i < FIXTURE_QUOTA; i++) {
        if (i > 0)
            fixture_end(servers[i]);
        close(clients[i]);
    }
}

/* The process is at its limit, so that accept fails with EMFILE until the limit is back. */
static void test_without_descriptors_connections_are_shed(void **state)
{
    uint64_t refused = metrics_get(METRIC_NET_REFUSED_SYSTEM);
    struct rlimit before, limit;
    int clients[8];

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    for (int i = 0; i < 8; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(clients[i] >= 0);
    }
    limit.rlim_cur = (rlim_t)clients[7] + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < 8; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)net_listener_port(fixture.listener)),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

        assert_int_equal(connect(clients[i], (struct sockaddr *)&address, sizeof(address)), 0);
        assert_true(fixture_is_cut(clients[i]));
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < 8; i++)
        close(clients[i]);
    assert_int_equal(metrics_get(METRIC_NET_REFUSED_SYSTEM) - refused, 8);
    assert_int_equal(net_quota_used(&fixture.quota), 0);
    assert_echo(fixture_connect(AF_INET, net_listener_port(fixture.listener)));
}

static void test_failures_of_accept_are_survived(void **state)
{
    static const int failures[] = {ECONNABORTED, EINTR, EPROTO, ENETDOWN, EHOSTUNREACH, EPERM, ENOMEM, ENOBUFS, EINVAL};

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        fault_arm("net.accept", 1, failures[i]);
        assert_echo(fixture_connect(AF_INET, net_listener_port(fixture.listener)));
    }
}

/* The system is out of descriptors for one accept; that client is turned away and the next one is served. */
static void test_system_without_descriptors_is_survived(void **state)
{
    static const int failures[] = {ENFILE, EMFILE};

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        int client;

        fault_arm("net.accept", 1, failures[i]);
        client = fixture_connect(AF_INET, net_listener_port(fixture.listener));
        assert_true(fixture_is_cut(client));
        close(client);
        assert_echo(fixture_connect(AF_INET, net_listener_port(fixture.listener)));
    }
}

static void test_start_without_thread_or_descriptors_fails(void **state)
{
    struct rlimit before, limit;
    struct err err = {0};
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    close(lowest);
    fault_arm("net.thread", 1, EAGAIN);
    assert_int_equal(fixture_start("127.0.0.1:0", &err), -1);
    assert_int_equal(err.class, ERR_RETRY);
    assert_string_equal(err.text, "cannot listen on 127.0.0.1:0: no thread: Resource temporarily unavailable");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    for (rlim_t more = 0; more < 3; more++) {
        limit.rlim_cur = (rlim_t)lowest + more;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(fixture_start("127.0.0.1:0", &err), -1);
        assert_string_equal(err.text, "cannot listen on 127.0.0.1:0: Too many open files");
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_quiesce_refuses_new_and_keeps_old(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client, server, late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[2];

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    client = fixture_connect(AF_INET, net_listener_port(fixture.listener));
    server = fixture_accepted();
    net_listener_quiesce(fixture.listener);
    net_listener_quiesce(fixture.listener);
    address.sin_port = htons((uint16_t)net_listener_port(fixture.listener));
    assert_int_equal(connect(late, (struct sockaddr *)&address, sizeof(address)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    fixture_send(client, "ok", 2);
    fixture_receive(server, text, 2);
    fixture_end(server);
    close(client);
    close(late);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/socket", folder);
    snprintf(unix_address, sizeof(unix_address), "unix:%s", path);
    net_listener_stop(NULL);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_start_v4_hands_out_plain_sockets),
        CASE(test_start_v6),
        CASE(test_start_any_v6_takes_v4),
        CASE(test_start_name),
        CASE(test_start_taken_port_says_so),
        CASE(test_start_bad_address_is_config),
        CASE(test_unix_path_is_private_and_removed),
        CASE(test_unix_live_socket_is_in_use),
        CASE(test_unix_stale_socket_is_replaced),
        CASE(test_unix_other_file_is_left_alone),
        CASE(test_unix_successors_socket_is_left_alone),
        CASE(test_unix_bad_path_is_config),
        CASE(test_at_the_bound_connections_are_closed),
        CASE(test_without_descriptors_connections_are_shed),
        CASE(test_failures_of_accept_are_survived),
        CASE(test_system_without_descriptors_is_survived),
        CASE(test_start_without_thread_or_descriptors_fails),
        CASE(test_quiesce_refuses_new_and_keeps_old),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
