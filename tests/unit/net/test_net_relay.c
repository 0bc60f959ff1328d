/*
 * test_net_relay.c - bytes through TLS both ways, their ends, and what cuts a connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"
#include "metrics.h"
#include "net_fixture.h"
#include "net_fixture_tls.h"
#include "net_tls.h"

#define MUCH_BYTES (10UL << 20)
#define MORE_THAN_ALL_BUFFERS_BYTES (64UL << 20)
#define CHUNK_BYTES 65536
#define STALLED_MS 200 /* without room to write, after which a writer gives up */

static char folder[] = "/tmp/tracespool-relay-XXXXXX";
static char cert_path[128], key_path[128];
static struct net_tls *tls;

static int setup(void **state)
{
    (void)state;
    fixture_init();
    fixture.options.tls = tls;
    fixture.options.alpn = "h2";
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_stop();
    return net_quota_used(&fixture.quota) == 0 ? 0 : -1;
}

static int port(void)
{
    return net_listener_port(fixture.listener);
}

/* A connection with both of its ends. */
static struct fixture_client connect_both(int *server)
{
    struct fixture_client client = fixture_client_new(NULL);

    assert_true(fixture_client_connect(&client, port()));
    *server = fixture_accepted();
    return client;
}

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + (at >> 9));
}

static void fill(uint8_t *data, size_t at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] = pattern(at + i);
}

static void check(const uint8_t *data, size_t at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != pattern(at + i))
            fail_msg("byte %zu is not what was sent", at + i);
    }
}

/* --- bytes --------------------------------------------------------------------- */

/* Sends back what comes, until the end. */
static void *echo(void *argument)
{
    int fd = *(int *)argument;
    static _Thread_local uint8_t data[CHUNK_BYTES];

    for (;;) {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        ssize_t count;

        if (poll(&polled, 1, FIXTURE_DEADLINE_MS) != 1)
            return argument;
        count = recv(fd, data, sizeof(data), 0);
        if (count == 0)
            return NULL;
        if (count > 0)
            fixture_send(fd, data, (size_t)count);
    }
}

struct flow {
    struct fixture_client *client;
    size_t sent, received, total;
    uint8_t out[CHUNK_BYTES], in[CHUNK_BYTES];
    bool blocked; /* on both */
};

static size_t try_to_send(struct flow *flow)
{
    size_t len = flow->total - flow->sent < CHUNK_BYTES ? flow->total - flow->sent : CHUNK_BYTES, count = 0;

    if (len == 0)
        return 0;
    fill(flow->out, flow->sent, len);
    if (SSL_write_ex(flow->client->ssl, flow->out, len, &count) != 1)
        assert_true(SSL_get_error(flow->client->ssl, 0) == SSL_ERROR_WANT_WRITE);
    flow->sent += count;
    return count;
}

static size_t try_to_receive(struct flow *flow)
{
    size_t count = 0;

    if (SSL_read_ex(flow->client->ssl, flow->in, CHUNK_BYTES, &count) != 1)
        assert_true(SSL_get_error(flow->client->ssl, 0) == SSL_ERROR_WANT_READ);
    check(flow->in, flow->received, count);
    flow->received += count;
    return count;
}

static void run_flow(struct flow *flow)
{
    while (flow->received < flow->total) {
        struct pollfd polled = {.fd = flow->client->fd, .events = POLLIN};

        if (try_to_send(flow) + try_to_receive(flow) > 0)
            continue;
        if (flow->sent < flow->total)
            polled.events |= POLLOUT;
        assert_int_equal(poll(&polled, 1, FIXTURE_DEADLINE_MS), 1);
    }
}

static void make_nonblocking(struct fixture_client *client)
{
    assert_int_equal(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
    SSL_set_mode(client->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

/* Twice at a time, so that one waits for the other's turn. */
static void test_much_goes_both_ways(void **state)
{
    static struct flow flow;
    struct fixture_client clients[2];
    int servers[2];
    pthread_t threads[2];
    void *failed;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    for (int i = 0; i < 2; i++) {
        clients[i] = connect_both(&servers[i]);
        make_nonblocking(&clients[i]);
        assert_int_equal(pthread_create(&threads[i], NULL, echo, &servers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        flow = (struct flow){.client = &clients[i], .total = MUCH_BYTES};
        run_flow(&flow);
        assert_true(SSL_shutdown(clients[i].ssl) >= 0);
        pthread_join(threads[i], &failed);
        assert_null(failed);
        fixture_end(servers[i]);
        fixture_client_free(&clients[i]);
    }
}

/* The server does not read: the client is stopped, and not one byte is lost or kept beyond the buffers. */
static void test_server_that_does_not_read_stops_the_client(void **state)
{
    static struct flow flow;
    static uint8_t data[CHUNK_BYTES];
    int server, answered;
    struct fixture_client client;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    client = connect_both(&server);
    make_nonblocking(&client);
    flow = (struct flow){.client = &client, .total = MORE_THAN_ALL_BUFFERS_BYTES};
    do {
        struct pollfd polled = {.fd = client.fd, .events = POLLOUT};

        try_to_send(&flow);
        answered = poll(&polled, 1, STALLED_MS);
    } while (answered == 1 && flow.sent < flow.total);
    assert_true(flow.sent < flow.total);
    for (size_t got = 0; got < flow.sent;) {
        size_t len = flow.sent - got < sizeof(data) ? flow.sent - got : sizeof(data);

        fixture_receive(server, data, len);
        check(data, got, len);
        got += len;
    }
    fixture_end(server);
    fixture_client_free(&client);
}

static void test_client_that_does_not_read_stops_the_server(void **state)
{
    static uint8_t data[CHUNK_BYTES];
    size_t sent = 0;
    int server;
    struct fixture_client client;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    client = connect_both(&server);
    for (;;) {
        struct pollfd polled = {.fd = server, .events = POLLOUT};
        ssize_t count;

        fill(data, sent, sizeof(data));
        count = send(server, data, sizeof(data), MSG_NOSIGNAL);
        sent += count > 0 ? (size_t)count : 0;
        assert_true(sent < MORE_THAN_ALL_BUFFERS_BYTES);
        if (poll(&polled, 1, STALLED_MS) == 0)
            break;
    }
    for (size_t got = 0; got < sent;) {
        size_t len = sent - got < sizeof(data) ? sent - got : sizeof(data);

        fixture_client_receive(&client, data, len);
        check(data, got, len);
        got += len;
    }
    fixture_end(server);
    fixture_client_receive_end(&client);
    fixture_client_free(&client);
}

static atomic_bool enough;

static void *send_until_enough(void *argument)
{
    static uint8_t data[CHUNK_BYTES];

    while (!atomic_load(&enough))
        fixture_send(*(int *)argument, data, sizeof(data));
    assert_int_equal(shutdown(*(int *)argument, SHUT_WR), 0);
    return NULL;
}

static void *receive_to_the_end(void *argument)
{
    static uint8_t data[CHUNK_BYTES];

    while (SSL_read(argument, data, sizeof(data)) > 0)
        ;
    return NULL;
}

/* Were a connection served as long as it has bytes, the light one would wait for ever. */
static void test_busy_connection_leaves_turns_to_others(void **state)
{
    int heavy_server, light_server;
    struct fixture_client heavy, light;
    pthread_t sender, receiver;
    char text[4];

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    heavy = connect_both(&heavy_server);
    light = connect_both(&light_server);
    atomic_store(&enough, false);
    assert_int_equal(pthread_create(&sender, NULL, send_until_enough, &heavy_server), 0);
    assert_int_equal(pthread_create(&receiver, NULL, receive_to_the_end, heavy.ssl), 0);
    for (int i = 0; i < 100; i++) {
        fixture_client_send(&light, "ping", 4);
        fixture_receive(light_server, text, 4);
        fixture_send(light_server, "pong", 4);
        fixture_client_receive(&light, text, 4);
    }
    atomic_store(&enough, true);
    pthread_join(sender, NULL);
    pthread_join(receiver, NULL);
    fixture_end(heavy_server);
    fixture_end(light_server);
    fixture_client_free(&heavy);
    fixture_client_free(&light);
}

/* --- ends ------------------------------------------------------------------------ */

static void test_client_may_end_first(void **state)
{
    char text[7];
    int server;
    struct fixture_client client;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    client = connect_both(&server);
    fixture_client_send(&client, "request", 7);
    assert_true(SSL_shutdown(client.ssl) >= 0);
    assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
    fixture_receive(server, text, 7);
    assert_memory_equal(text, "request", 7);
    fixture_receive_end(server);
    fixture_send(server, "answer", 6);
    fixture_client_receive(&client, text, 6);
    assert_memory_equal(text, "answer", 6);
    fixture_send(server, "more", 4);
    fixture_end(server);
    fixture_client_receive(&client, text, 4);
    assert_memory_equal(text, "more", 4);
    fixture_client_receive_end(&client);
    fixture_client_free(&client);
}

static void test_server_may_end_first(void **state)
{
    char text[4];
    int server;
    struct fixture_client client;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    client = connect_both(&server);
    fixture_send(server, "last", 4);
    assert_int_equal(shutdown(server, SHUT_WR), 0);
    fixture_client_receive(&client, text, 4);
    assert_memory_equal(text, "last", 4);
    fixture_client_receive_end(&client);
    fixture_client_send(&client, "late", 4);
    fixture_receive(server, text, 4);
    assert_memory_equal(text, "late", 4);
    assert_true(SSL_shutdown(client.ssl) >= 0);
    fixture_receive_end(server);
    fixture_end(server);
    fixture_client_free(&client);
}

/* The server has closed before the client reads, and the client goes on sending. */
static void test_answer_arrives_after_the_server_has_closed(void **state)
{
    static uint8_t data[3 * CHUNK_BYTES];
    int server;
    struct fixture_client client;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    client = connect_both(&server);
    fixture_client_send(&client, "unread", 6);
    fill(data, 0, sizeof(data));
    fixture_send(server, data, sizeof(data));
    fixture_end(server);
    for (int i = 0; i < 8; i++)
        fixture_client_send(&client, data, CHUNK_BYTES);
    fixture_client_receive(&client, data, sizeof(data));
    check(data, 0, sizeof(data));
    fixture_client_receive_end(&client);
    fixture_client_free(&client);
}

static void test_request_arrives_after_the_client_has_gone(void **state)
{
    static uint8_t data[CHUNK_BYTES];
    int server;
    struct fixture_client client;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    client = connect_both(&server);
    fixture_send(server, "go", 2);
    fixture_client_receive(&client, data, 2); /* closing over unread bytes would be a reset */
    fill(data, 0, sizeof(data));
    fixture_client_send(&client, data, sizeof(data));
    fixture_client_free(&client); /* without close_notify */
    fixture_receive(server, data, sizeof(data));
    check(data, 0, sizeof(data));
    fixture_receive_end(server);
    fixture_end(server);
}

static void test_reset_by_the_client_ends_the_server(void **state)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int server;
    struct fixture_client client;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    client = connect_both(&server);
    assert_int_equal(setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    fixture_client_free(&client);
    assert_true(fixture_is_cut(server));
    fixture_end(server);
}

/* Writing to a client that has ended and then gone is SIGPIPE, which must not end the process. */
static void test_answer_to_a_client_that_has_gone_is_dropped(void **state)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    static uint8_t data[CHUNK_BYTES];
    int server;
    struct fixture_client client;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    client = connect_both(&server);
    assert_true(SSL_shutdown(client.ssl) >= 0);
    assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
    fixture_receive_end(server);
    assert_int_equal(setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    fixture_client_free(&client);
    for (;;) {
        struct pollfd polled = {.fd = server, .events = POLLOUT};

        if (send(server, data, sizeof(data), MSG_NOSIGNAL) < 0 && errno != EAGAIN)
            break;
        assert_int_equal(poll(&polled, 1, FIXTURE_DEADLINE_MS), 1);
    }
    fixture_end(server);
}

/* The client reads nothing and does not end: it is cut at the bound on closing. */
static void test_client_that_does_not_end_is_cut(void **state)
{
    static uint8_t data[2 * CHUNK_BYTES];
    int server;
    struct fixture_client client;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    client = connect_both(&server);
    fixture_send(server, data, sizeof(data));
    fixture_end(server);
    fixture_client_receive(&client, data, sizeof(data));
    fixture_client_receive_end(&client);
    for (;;) { /* its own end is read and dropped, then answered by a reset */
        struct pollfd polled = {.fd = client.fd, .events = POLLOUT};
        ssize_t count = send(client.fd, data, sizeof(data), MSG_NOSIGNAL);

        if (count < 0 && errno != EAGAIN)
            break;
        assert_int_equal(poll(&polled, 1, FIXTURE_DEADLINE_MS), 1);
    }
    fixture_client_free(&client);
}

/* As many may be closing as may be open; beyond it the oldest is cut before its time. */
static void test_closing_connections_are_bounded(void **state)
{
    struct fixture_client clients[4 * FIXTURE_QUOTA];

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    for (int i = 0; i < 4 * FIXTURE_QUOTA; i++) {
        int server;

        clients[i] = connect_both(&server);
        fixture_end(server);
    }
    for (int i = 0; i < 4 * FIXTURE_QUOTA; i++) {
        fixture_client_receive_end(&clients[i]);
        fixture_client_free(&clients[i]);
    }
}

/* --- handshakes ---------------------------------------------------------------------- */

static void test_slow_handshake_is_cut(void **state)
{
    uint64_t failed = metrics_get(METRIC_NET_HANDSHAKES_FAILED);
    int silent;

    (void)state;
    fixture.options.handshake_timeout_ms = 50;
    fixture_start_ok("127.0.0.1:0");
    silent = fixture_connect(AF_INET, port());
    fixture_receive_end(silent);
    fixture_wait_quota(0);
    assert_int_equal(metrics_get(METRIC_NET_HANDSHAKES_FAILED) - failed, 1);
    close(silent);
}

static void test_handshake_of_no_tls_fails(void **state)
{
    static const char *const texts[] = {"GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
    uint64_t failed = metrics_get(METRIC_NET_HANDSHAKES_FAILED);

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    for (int i = 0; i < 2; i++) {
        int client = fixture_connect(AF_INET, port());
        char alert[7];

        fixture_send(client, texts[i], strlen(texts[i]));
        while (recv(client, alert, sizeof(alert), 0) > 0)
            ; /* an alert, or nothing, and the end */
        close(client);
        fixture_wait_quota(0);
    }
    close(fixture_connect(AF_INET, port()));
    fixture_wait_quota(0);
    fixture_stop();
    assert_in_range(metrics_get(METRIC_NET_HANDSHAKES_FAILED) - failed, 2, 3);
}

/* A handshake takes a place, so clients that only connect are bounded as well. */
static void test_handshakes_count_for_the_bound(void **state)
{
    int silent[FIXTURE_QUOTA], more;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    for (int i = 0; i < FIXTURE_QUOTA; i++)
        silent[i] = fixture_connect(AF_INET, port());
    more = fixture_connect(AF_INET, port());
    fixture_receive_end(more);
    close(more);
    for (int i = 0; i < FIXTURE_QUOTA; i++)
        close(silent[i]);
    fixture_wait_quota(0);
}

static void test_without_room_the_client_is_cut_and_the_next_is_served(void **state)
{
    static const char *const points[] = {"net.link", "net.session", "net.socketpair"};

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        uint64_t refused = metrics_get(METRIC_NET_REFUSED_SYSTEM);
        struct fixture_client client = fixture_client_new(NULL);
        int server;

        fault_arm(points[i], 1, ENOMEM);
        if (fixture_client_connect(&client, port()))
            assert_true(fixture_client_is_cut(&client));
        fixture_client_free(&client);
        fixture_wait_quota(0);
        assert_int_equal(metrics_get(METRIC_NET_REFUSED_SYSTEM) - refused, 1);
        client = connect_both(&server);
        fixture_end(server);
        fixture_client_receive_end(&client);
        fixture_client_free(&client);
    }
}

/* --- start and stop -------------------------------------------------------------------- */

static void test_start_without_relay_thread_fails(void **state)
{
    struct err err = {0};

    (void)state;
    fault_arm("net.relay_thread", 1, EAGAIN);
    assert_int_equal(fixture_start("127.0.0.1:0", &err), -1);
    assert_string_equal(err.text, "cannot listen on 127.0.0.1:0: no thread: Resource temporarily unavailable");
    assert_int_equal(err.class, ERR_RETRY);
    fault_arm("net.thread", 1, EAGAIN);
    assert_int_equal(fixture_start("127.0.0.1:0", &err), -1);
}

static void test_quiesce_breaks_handshakes_off_and_keeps_connections(void **state)
{
    uint64_t failed = metrics_get(METRIC_NET_HANDSHAKES_FAILED);
    char text[4];
    int server, silent;
    struct fixture_client client;

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    client = connect_both(&server);
    silent = fixture_connect(AF_INET, port());
    fixture_wait_quota(2);
    net_listener_quiesce(fixture.listener);
    fixture_receive_end(silent);
    assert_int_equal(net_quota_used(&fixture.quota), 1);
    assert_int_equal(metrics_get(METRIC_NET_HANDSHAKES_FAILED), failed);
    fixture_client_send(&client, "on", 2);
    fixture_receive(server, text, 2);
    fixture_send(server, "go", 2);
    fixture_client_receive(&client, text, 2);
    fixture_end(server);
    fixture_client_receive_end(&client);
    close(silent);
    fixture_client_free(&client);
}

static void test_stop_delivers_what_servers_wrote(void **state)
{
    static uint8_t data[CHUNK_BYTES];
    int servers[4];
    struct fixture_client clients[4];

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    for (int i = 0; i < 4; i++)
        clients[i] = connect_both(&servers[i]);
    net_listener_quiesce(fixture.listener);
    fill(data, 0, sizeof(data));
    for (int i = 0; i < 4; i++) {
        fixture_send(servers[i], data, sizeof(data));
        fixture_end(servers[i]);
    }
    fixture_stop();
    for (int i = 0; i < 4; i++) {
        memset(data, 0, sizeof(data));
        fixture_client_receive(&clients[i], data, sizeof(data));
        check(data, 0, sizeof(data));
        fixture_client_receive_end(&clients[i]);
        fixture_client_free(&clients[i]);
    }
}

/* Servers that were not stopped, clients that do not end: all are cut. */
static void test_stop_ends_what_is_open(void **state)
{
    int servers[2], silent;
    struct fixture_client clients[2];

    (void)state;
    fixture_start_ok("127.0.0.1:0");
    for (int i = 0; i < 2; i++)
        clients[i] = connect_both(&servers[i]);
    silent = fixture_connect(AF_INET, port());
    fixture_send(servers[0], "last", 4);
    fixture_stop();
    for (int i = 0; i < 2; i++) {
        char text[4];

        if (i == 0)
            fixture_client_receive(&clients[i], text, 4);
        fixture_client_receive_end(&clients[i]);
        assert_true(fixture_is_cut(servers[i]));
        fixture_end(servers[i]);
        fixture_client_free(&clients[i]);
    }
    assert_true(fixture_is_cut(silent));
    close(silent);
}

static int make_tls(void **state)
{
    struct net_tls_options options = {cert_path, key_path, NULL};
    struct fixture_cert cert = fixture_cert_make("server", NULL);
    struct err err;

    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(cert_path, sizeof(cert_path), "%s/cert", folder);
    snprintf(key_path, sizeof(key_path), "%s/key", folder);
    fixture_cert_write(cert_path, cert.cert);
    fixture_key_write(key_path, cert.key, NULL);
    fixture_cert_free(&cert);
    return net_tls_new(&tls, &options, &err);
}

static int remove_tls(void **state)
{
    (void)state;
    net_tls_free(tls);
    unlink(cert_path);
    unlink(key_path);
    return rmdir(folder);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_much_goes_both_ways),
        CASE(test_server_that_does_not_read_stops_the_client),
        CASE(test_client_that_does_not_read_stops_the_server),
        CASE(test_busy_connection_leaves_turns_to_others),
        CASE(test_client_may_end_first),
        CASE(test_server_may_end_first),
        CASE(test_answer_arrives_after_the_server_has_closed),
        CASE(test_request_arrives_after_the_client_has_gone),
        CASE(test_reset_by_the_client_ends_the_server),
        CASE(test_answer_to_a_client_that_has_gone_is_dropped),
        CASE(test_client_that_does_not_end_is_cut),
        CASE(test_closing_connections_are_bounded),
        CASE(test_slow_handshake_is_cut),
        CASE(test_handshake_of_no_tls_fails),
        CASE(test_handshakes_count_for_the_bound),
        CASE(test_without_room_the_client_is_cut_and_the_next_is_served),
        CASE(test_start_without_relay_thread_fails),
        CASE(test_quiesce_breaks_handshakes_off_and_keeps_connections),
        CASE(test_stop_delivers_what_servers_wrote),
        CASE(test_stop_ends_what_is_open),
    };

    return cmocka_run_group_tests(tests, make_tls, remove_tls);
}
