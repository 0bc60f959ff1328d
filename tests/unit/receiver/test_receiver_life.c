/*
 * test_receiver_life.c - start, many clients, clients that go away, stop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "metrics.h"
#include "receiver_fixture.h"

#define CLIENTS 32
#define CLIENT_SENDS 20

static struct buf request;

static int start(void **state)
{
    buf_init(&request, 1UL << 20);
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID,
                  slice_of_text("a span with a name that zstd makes shorter, shorter, shorter, shorter, shorter"));
    return fixture_start(state);
}

static int stop(void **state)
{
    buf_fini(&request);
    return fixture_stop(state);
}

static struct home *home_of(void **state)
{
    return &((struct fixture *)*state)->home;
}

/* --- start -------------------------------------------------------------------- */

static void assert_no_start(struct fixture *fixture, struct receiver_options options, enum err_class class,
                            const char *text)
{
    struct receiver *receiver = NULL;
    struct err err;

    assert_int_equal(receiver_start(&receiver, &options, fixture->home.writer, &err), -1);
    assert_null(receiver);
    assert_int_equal(err.class, class);
    assert_string_equal(err.text, text);
}

static void assert_no_address(struct fixture *fixture, const char *grpc, const char *http, const char *text)
{
    struct receiver_options options = fixture_options();

    options.grpc = grpc;
    options.http = http;
    assert_no_start(fixture, options, ERR_CONFIG, text);
}

static void test_start_on_taken_port_fails(void **state)
{
    struct fixture *fixture = *state;
    char text[256];

    snprintf(text, sizeof(text), "cannot listen on %s: Address already in use", fixture->endpoint);
    assert_no_address(fixture, fixture->endpoint, "", text);
    assert_no_address(fixture, "127.0.0.1:0", fixture->endpoint, text);
    assert_int_equal(fixture_send(fixture, buf_slice(&request), false).code, 0);
}

/* What an address may be is net_socket's, whose tests have the rest of it. */
static void test_start_on_malformed_address_fails(void **state)
{
    assert_no_address(*state, "127.0.0.1", "",
                      "cannot listen on 127.0.0.1: it is none of host:port, [v6]:port, unix:/path");
    assert_no_address(*state, "", "127.0.0.1:65536",
                      "cannot listen on 127.0.0.1:65536: it is none of host:port, [v6]:port, unix:/path");
    assert_no_address(*state, "192.0.2.1:4317", "", "cannot listen on 192.0.2.1:4317: Cannot assign requested address");
}

static void test_start_without_a_file_fails(void **state)
{
    struct receiver_options options = fixture_options();
    struct receiver *receiver = NULL;
    struct fixture *fixture = *state;
    struct err err;

    options.bearer_tokens_file = "/nonexistent/tokens";
    assert_int_equal(receiver_start(&receiver, &options, fixture->home.writer, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_non_null(strstr(err.text, "/nonexistent/tokens"));
    options = fixture_options();
    options.tls = (struct net_tls_options){.cert_file = "/nonexistent/cert", .key_file = "/nonexistent/key"};
    assert_int_equal(receiver_start(&receiver, &options, fixture->home.writer, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_non_null(strstr(err.text, "/nonexistent/cert"));
    assert_null(receiver);
}

static void test_start_on_one_endpoint(void **state)
{
    struct receiver_options options = fixture_options();
    struct fixture *fixture = *state;

    options.http = "";
    fixture_restart(fixture, &options);
    assert_int_equal(receiver_http_port(fixture->receiver), 0);
    assert_int_equal(fixture_send(fixture, buf_slice(&request), false).code, 0);
    fixture_stop_receiver(fixture, HOME_TIMEOUT_MS);
    options.grpc = NULL;
    options.http = "127.0.0.1:0";
    fixture_restart(fixture, &options);
    assert_int_equal(receiver_grpc_port(fixture->receiver), 0);
    assert_true(receiver_http_port(fixture->receiver) > 0);
}

static void test_start_on_ipv6_answers(void **state)
{
    struct receiver_options options = fixture_options();

    options.grpc = "[::]:0";
    fixture_restart(*state, &options);
    assert_int_equal(fixture_send(*state, buf_slice(&request), true).code, 0);
}

static void test_start_without_threads_fails(void **state)
{
    struct receiver_options options = fixture_options();

    options.threads = 4;
    for (unsigned pass = 1; pass <= 5; pass++) { /* that of large requests, then the loops */
        fault_arm("receiver.thread", pass, EAGAIN);
        assert_no_start(*state, options, ERR_RETRY, "cannot start a thread: Resource temporarily unavailable");
    }
    for (unsigned pass = 1; pass <= 4; pass++) {
        fault_arm("http.thread", pass, EAGAIN);
        assert_no_start(*state, options, ERR_RETRY, "cannot start the HTTP server: libmicrohttpd gives no reason");
    }
    fault_arm("net.thread", 1, EAGAIN);
    assert_no_start(*state, options, ERR_RETRY,
                    "cannot listen on 127.0.0.1:0: no thread: Resource temporarily unavailable");
    fault_arm("net.thread", 2, EAGAIN);
    assert_no_start(*state, options, ERR_RETRY,
                    "cannot listen on 127.0.0.1:0: no thread: Resource temporarily unavailable");
}

static void test_stop_null_is_allowed(void **state)
{
    (void)state;
    receiver_stop(NULL, 0);
}

/* --- many clients --------------------------------------------------------------- */

struct sender {
    struct fixture *fixture;
    pthread_t thread;
    unsigned sends; /* 0: until an answer is not OK */
    unsigned timeout_ms;
    bool gzip;
    unsigned oks;
    struct export_answer last;
};

static void *send_many(void *context)
{
    struct sender *sender = context;
    struct export_client *client;
    struct err err;

    if (export_client_open(&client, sender->fixture->endpoint, NULL, &err) != 0)
        abort();
    for (unsigned i = 0; sender->sends == 0 || i < sender->sends; i++) {
        if (export_client_send(client, buf_slice(&request), sender->gzip, sender->timeout_ms, &sender->last, &err) != 0)
            abort();
        sender->oks += sender->last.code == 0;
        if (sender->sends == 0 && sender->last.code != 0)
            break;
    }
    export_client_close(client);
    return NULL;
}

static void start_sender(struct sender *sender, struct fixture *fixture, unsigned sends)
{
    *sender = (struct sender){.fixture = fixture, .sends = sends, .timeout_ms = HOME_TIMEOUT_MS};
    assert_int_equal(pthread_create(&sender->thread, NULL, send_many, sender), 0);
}

static void join_sender(struct sender *sender)
{
    assert_int_equal(pthread_join(sender->thread, NULL), 0);
}

static void test_many_clients_are_all_stored(void **state)
{
    struct sender senders[CLIENTS];

    for (unsigned i = 0; i < CLIENTS; i++)
        start_sender(&senders[i], *state, CLIENT_SENDS);
    for (unsigned i = 0; i < CLIENTS; i++) {
        join_sender(&senders[i]);
        assert_int_equal(senders[i].oks, CLIENT_SENDS);
    }
    assert_int_equal(home_stat(home_of(state)).received_records, CLIENTS * CLIENT_SENDS);
    home_wait_idle();
}

/* Clients that give up at once, in whatever state their call is by then: nothing stays behind. */
static void test_cancelled_calls_leave_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct sender senders[8];
    unsigned oks = 0;

    for (unsigned i = 0; i < 8; i++) {
        senders[i] = (struct sender){.fixture = fixture, .sends = 200, .timeout_ms = 1 + i % 3, .gzip = i % 2 == 0};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_many, &senders[i]), 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        join_sender(&senders[i]);
        oks += senders[i].oks;
    }
    home_wait_idle();
    assert_int_equal(fixture_send(fixture, buf_slice(&request), false).code, 0);
    assert_true(home_stat(&fixture->home).received_records > oks);
}

/* --- stop ------------------------------------------------------------------------- */

struct stopper {
    struct fixture *fixture;
    pthread_t thread;
    unsigned timeout_ms;
    atomic_bool stopped;
};

static void *stop_receiver(void *context)
{
    struct stopper *stopper = context;

    fixture_stop_receiver(stopper->fixture, stopper->timeout_ms);
    atomic_store(&stopper->stopped, true);
    return NULL;
}

static void start_stopper(struct stopper *stopper, struct fixture *fixture, unsigned timeout_ms)
{
    stopper->fixture = fixture;
    stopper->timeout_ms = timeout_ms;
    atomic_init(&stopper->stopped, false);
    assert_int_equal(pthread_create(&stopper->thread, NULL, stop_receiver, stopper), 0);
}

/* The one call in hand has been read and is with the writer: it holds what is stored, less than its message. */
static bool is_with_writer(void *context)
{
    uint64_t bytes = metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES);

    (void)context;
    return metrics_get(METRIC_RECEIVER_CALLS) == 1 && bytes > 0 && bytes < request.len;
}

/* The writer admits, so it is the stop. */
static bool is_stopping(void *receiver)
{
    return !receiver_is_open(receiver);
}

static void test_stop_finishes_calls_in_hand_and_refuses_new_ones(void **state)
{
    struct fixture *fixture = *state;
    struct receiver *receiver = fixture->receiver;
    struct export_answer answer;
    struct sender sender;
    struct stopper stopper;
    struct home_block block;

    home_block_writer(&fixture->home, &block);
    start_sender(&sender, fixture, 1);
    home_wait(is_with_writer, NULL);
    start_stopper(&stopper, fixture, HOME_TIMEOUT_MS);
    home_wait(is_stopping, receiver);
    answer = fixture_send(fixture, buf_slice(&request), false);
    assert_string_equal(export_code_name(answer.code), "UNAVAILABLE");
    assert_string_equal(answer.message, "the receiver is stopping");
    assert_int_equal(answer.retry_delay_ms, SPOOL_RETRY_MIN_MS);
    assert_false(atomic_load(&stopper.stopped));
    home_release_writer(&block);
    join_sender(&sender);
    assert_int_equal(sender.last.code, 0);
    pthread_join(stopper.thread, NULL);
    assert_int_equal(home_stat(&fixture->home).received_records, 2);
    answer = fixture_send(fixture, buf_slice(&request), false);
    assert_string_equal(export_code_name(answer.code), "UNAVAILABLE");
    assert_true(answer.retryable);
}

/* Past the timeout the client is let go, but not the memory that the writer has. */
static void test_stop_past_timeout_cancels_and_waits_for_writer(void **state)
{
    struct fixture *fixture = *state;
    struct sender sender;
    struct stopper stopper;
    struct home_block block;

    home_block_writer(&fixture->home, &block);
    start_sender(&sender, fixture, 1);
    home_wait(is_with_writer, NULL);
    start_stopper(&stopper, fixture, 1);
    join_sender(&sender);
    assert_int_not_equal(sender.last.code, 0);
    assert_true(sender.last.retryable);
    assert_false(atomic_load(&stopper.stopped));
    home_release_writer(&block);
    pthread_join(stopper.thread, NULL);
    assert_int_equal(home_stat(&fixture->home).received_records, 2);
}

/* Under load: whoever was told OK is in the spool, and whoever was not may come back. */
static void test_stop_under_load_keeps_every_ok(void **state)
{
    struct fixture *fixture = *state;
    struct sender senders[CLIENTS];
    unsigned oks = 0;

    for (unsigned i = 0; i < CLIENTS; i++)
        start_sender(&senders[i], fixture, 0);
    while (home_stat(&fixture->home).received_records < 100)
        sched_yield();
    fixture_stop_receiver(fixture, HOME_TIMEOUT_MS);
    for (unsigned i = 0; i < CLIENTS; i++) {
        join_sender(&senders[i]);
        if (!senders[i].last.retryable)
            fail_msg("%s: %s", export_code_name(senders[i].last.code), senders[i].last.message);
        oks += senders[i].oks;
    }
    assert_int_equal(home_stat(&fixture->home).received_records, oks);
}

static void test_stop_at_once_under_load(void **state)
{
    struct fixture *fixture = *state;
    struct sender senders[CLIENTS];
    unsigned oks = 0;

    for (unsigned i = 0; i < CLIENTS; i++)
        start_sender(&senders[i], fixture, 0);
    while (home_stat(&fixture->home).received_records < 100)
        sched_yield();
    fixture_stop_receiver(fixture, 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        join_sender(&senders[i]);
        if (!senders[i].last.retryable)
            fail_msg("%s: %s", export_code_name(senders[i].last.code), senders[i].last.message);
        oks += senders[i].oks;
    }
    assert_true(home_stat(&fixture->home).received_records >= oks);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_start_on_taken_port_fails),
        TEST(test_start_on_malformed_address_fails),
        TEST(test_start_without_a_file_fails),
        TEST(test_start_on_one_endpoint),
        TEST(test_start_on_ipv6_answers),
        TEST(test_start_without_threads_fails),
        cmocka_unit_test(test_stop_null_is_allowed),
        TEST(test_many_clients_are_all_stored),
        TEST(test_cancelled_calls_leave_nothing),
        TEST(test_stop_finishes_calls_in_hand_and_refuses_new_ones),
        TEST(test_stop_past_timeout_cancels_and_waits_for_writer),
        TEST(test_stop_under_load_keeps_every_ok),
        TEST(test_stop_at_once_under_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
