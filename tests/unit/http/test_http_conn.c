/*
 * test_http_conn.c - connections: clients that are slow, silent or gone, in
 * every state of a request; and the end of the server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_client.h"
#include "http_internal.h"
#include "metrics.h"

#define SHORT_MS 100 /* a timeout that a test does wait for */

static struct buf request;

static int start(void **state)
{
    (void)state;
    buf_init(&request, 64UL << 20);
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of_text("a span"));
    rig_init(&http_protocol);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_fini();
    buf_fini(&request);
    return 0;
}

static void assert_works(void)
{
    int fd = rig_connect();

    assert_int_equal(client_post(fd, buf_slice(&request), "").status, 200);
    close(fd);
}

static void post(int fd)
{
    client_post_head(fd, request.len, "");
    rig_write(fd, buf_slice(&request));
}

static int read_status(int fd)
{
    struct answer answer;

    return client_read(fd, &answer) ? answer.status : 0;
}

static bool is_with_writer(void *count)
{
    uint64_t calls = *(unsigned *)count, bytes = metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES);

    /* What is stored is a fraction of the room that a body has. */
    return metrics_get(METRIC_RECEIVER_CALLS) == calls && bytes > 0 && bytes < HTTP_MESSAGE_ROOM;
}

static void wait_with_writer(unsigned count)
{
    home_wait(is_with_writer, &count);
}

/* --- clients that are slow ---------------------------------------------------------- */

/* However much of a head there is. */
static void test_slow_head_is_cut(void **state)
{
    static const char head[] = "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-protobuf\r\n";

    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    for (size_t len = 0; len < sizeof(head); len += 20) {
        int fd = rig_connect();

        rig_write(fd, slice_of(head, len));
        client_await_end(fd);
        close(fd);
    }
    assert_works();
}

/* A byte now and then is not enough either. */
static void test_trickled_head_is_cut(void **state)
{
    int fd;

    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    fd = rig_connect();
    client_print(fd, "POST /v1/traces HTTP/1.1\r\nX-Long: ");
    while (rig_write(fd, slice_of_text("v")))
        usleep(1000);
    client_await_end(fd);
    close(fd);
}

static void test_slow_body_is_cut(void **state)
{
    static const size_t lens[] = {0, 1, 20};

    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    for (size_t i = 0; i < 3; i++) {
        int fd = rig_connect();

        client_post_head(fd, request.len, "");
        rig_write(fd, slice_of(request.data, lens[i]));
        client_await_end(fd);
        home_wait_idle();
        close(fd);
    }
    assert_works();
    assert_int_equal(home_stat(&rig.home).received_records, 1);
}

/* Also of a request that is refused already, and whose body has no end. */
static void test_endless_refused_body_is_cut(void **state)
{
    int fd;

    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    fd = rig_connect();
    client_print(fd, "POST /v1/logs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (client_print(fd, "5\r\nabcde\r\n"))
        continue;
    client_await_end(fd);
    close(fd);
    assert_works();
}

static void test_client_that_never_reads_is_cut(void **state)
{
    int fd;

    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    fd = rig_connect_narrow();
    for (int i = 0; i < 200; i++)
        client_print(fd, "GET /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n");
    rig_wait_connections(0);
    close(fd);
    assert_works();
}

/* --- idle connections ---------------------------------------------------------------- */

static void test_idle_connection_is_closed(void **state)
{
    int fd;

    (void)state;
    rig_start_impatient(HOME_TIMEOUT_MS, SHORT_MS);
    rig.options.read_timeout_ms = HOME_TIMEOUT_MS;
    fd = rig_connect();
    post(fd);
    assert_int_equal(read_status(fd), 200);
    client_await_end(fd);
    close(fd);
}

/* A request in hand is no idleness, however long it takes. */
static void test_connection_with_a_request_is_not_idle(void **state)
{
    struct home_block block;
    int busy, idle;

    (void)state;
    rig_start_impatient(SHORT_MS, SHORT_MS);
    home_block_writer(&rig.home, &block);
    busy = rig_connect();
    post(busy);
    wait_with_writer(1);
    idle = rig_connect(); /* later than the other, and over earlier */
    client_await_end(idle);
    close(idle);
    home_release_writer(&block);
    assert_int_equal(read_status(busy), 200);
    client_await_end(busy);
    close(busy);
}

/* --- clients that go away -------------------------------------------------------------- */

static void test_closed_in_head_leaves_nothing(void **state)
{
    (void)state;
    rig_start();
    for (size_t len = 0; len < 40; len += 10) {
        int fd = rig_connect();

        rig_write(fd, slice_of("POST /v1/traces HTTP/1.1\r\nHost: test\r\n", len));
        close(fd);
    }
    rig_wait_connections(0);
    assert_works();
}

static void test_closed_in_body_leaves_nothing(void **state)
{
    (void)state;
    rig_start();
    for (size_t len = 0; len < request.len; len += 10) {
        int fd = rig_connect();

        client_post_head(fd, request.len, "");
        rig_write(fd, slice_of(request.data, len));
        home_wait_calls(1, SIZE_MAX);
        close(fd);
        home_wait_idle();
    }
    rig_wait_connections(0);
    assert_int_equal(home_stat(&rig.home).received_records, 0);
}

/* The writer has the memory: it is stored, and nobody is told. */
static void test_closed_while_storing_is_stored(void **state)
{
    struct home_block block;
    int fds[10];

    (void)state;
    rig_start();
    home_block_writer(&rig.home, &block);
    for (int i = 0; i < 10; i++) {
        fds[i] = rig_connect();
        post(fds[i]);
    }
    wait_with_writer(10);
    for (int i = 0; i < 10; i++)
        close(fds[i]);
    home_release_writer(&block);
    rig_wait_connections(0);
    home_wait_idle();
    assert_int_equal(home_stat(&rig.home).received_records, 11);
}

/* A client that has closed its side only may still read. */
static void test_half_closed_client_gets_its_answer(void **state)
{
    struct home_block block;
    int fd;

    (void)state;
    rig_start();
    home_block_writer(&rig.home, &block);
    fd = rig_connect();
    post(fd);
    shutdown(fd, SHUT_WR);
    wait_with_writer(1);
    home_release_writer(&block);
    assert_int_equal(read_status(fd), 200);
    close(fd);
}

static void test_closed_before_it_reads_the_answer(void **state)
{
    (void)state;
    rig_start();
    for (int i = 0; i < 50; i++) {
        int fd = rig_connect();

        post(fd);
        close(fd);
    }
    rig_wait_connections(0);
    home_wait_idle();
    assert_works();
}

/* --- the end ------------------------------------------------------------------------------ */

static void test_stop_without_connections(void **state)
{
    (void)state;
    rig.options.threads = 4;
    rig_start();
    rig_stop();
}

static void test_stop_cuts_what_is_open(void **state)
{
    int silent, in_head, in_body, idle;

    (void)state;
    rig.options.threads = 2;
    rig_start();
    silent = rig_connect();
    in_head = rig_connect();
    client_print(in_head, "POST /v1/traces HTTP/1.1\r\n");
    in_body = rig_connect();
    client_post_head(in_body, request.len, "");
    idle = rig_connect();
    post(idle);
    assert_int_equal(read_status(idle), 200);
    home_wait_calls(1, SIZE_MAX);
    rig_stop();
    home_wait_idle();
    client_await_end(silent);
    client_await_end(in_head);
    client_await_end(in_body);
    client_await_end(idle);
    close(silent);
    close(in_head);
    close(in_body);
    close(idle);
}

static void test_stop_waits_for_the_writer(void **state)
{
    struct home_block block;
    struct rig_stopper stopper;
    int fd, late;

    (void)state;
    rig_start();
    home_block_writer(&rig.home, &block);
    fd = rig_connect();
    post(fd);
    wait_with_writer(1);
    late = rig_connect();
    client_post_head(late, request.len, "");
    home_wait_calls(2, SIZE_MAX);
    rig_begin_stop(&stopper, HOME_TIMEOUT_MS);
    rig_write(late, buf_slice(&request)); /* it may be stored, or refused, or cut */
    usleep(1000 * SHORT_MS);              /* for a stop that would not wait */
    assert_false(rig_is_stopped(&stopper));
    home_release_writer(&block);
    rig_await_stop(&stopper);
    home_wait_idle();
    close(late);
    close(fd);
    assert_true(home_stat(&rig.home).received_records >= 2);
}

struct sender {
    pthread_t thread;
    unsigned oks;
};

static void *send_until_cut(void *context)
{
    struct sender *sender = context;
    int fd = rig_connect();

    for (;;) {
        int status;

        post(fd);
        status = read_status(fd);
        if (status == 0)
            break;
        sender->oks += status == 200;
    }
    close(fd);
    return NULL;
}

static bool has_stored(void *count)
{
    return home_stat(&rig.home).received_records > *(uint64_t *)count;
}

/* The intake is still open: requests come to the writer until the last moment. */
static void test_stop_under_load_keeps_every_ok(void **state)
{
    uint64_t stored = 0, oks = 0;

    (void)state;
    for (int round = 0; round < 20; round++) {
        struct sender senders[4] = {0};

        rig.options.threads = 2;
        rig_start();
        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&senders[i].thread, NULL, send_until_cut, &senders[i]), 0);
        rig_wait_connections(4);
        home_wait(has_stored, &stored);
        rig_stop();
        for (int i = 0; i < 4; i++) {
            assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
            oks += senders[i].oks;
        }
        home_wait_idle();
        if (round < 19)
            intake_free(rig.intake);
        stored = home_stat(&rig.home).received_records;
        assert_true(stored >= oks);
    }
}

/* --- many ---------------------------------------------------------------------------------- */

#define ROUNDS 60

/* A few requests, pipelined or not, some of them cut short, answers read or not. */
static void be_a_client(unsigned seed)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned requests = 1 + (unsigned)rand_r(&seed) % 5, cut = (unsigned)rand_r(&seed) % 3;
        int fd = rig_connect();

        for (unsigned i = 0; i < requests; i++)
            post(fd);
        if (cut == 0)
            client_post_head(fd, request.len, "");
        for (unsigned i = 0; cut != 1 && i < requests; i++)
            if (read_status(fd) != 200)
                abort();
        close(fd);
    }
}

static void test_many_clients_leave_nothing(void **state)
{
    (void)state;
    rig_run_many(be_a_client);
    assert_works();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_slow_head_is_cut),
        TEST(test_trickled_head_is_cut),
        TEST(test_slow_body_is_cut),
        TEST(test_endless_refused_body_is_cut),
        TEST(test_client_that_never_reads_is_cut),
        TEST(test_idle_connection_is_closed),
        TEST(test_connection_with_a_request_is_not_idle),
        TEST(test_closed_in_head_leaves_nothing),
        TEST(test_closed_in_body_leaves_nothing),
        TEST(test_closed_while_storing_is_stored),
        TEST(test_half_closed_client_gets_its_answer),
        TEST(test_closed_before_it_reads_the_answer),
        TEST(test_stop_without_connections),
        TEST(test_stop_cuts_what_is_open),
        TEST(test_stop_waits_for_the_writer),
        TEST(test_stop_under_load_keeps_every_ok),
        TEST(test_many_clients_leave_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
