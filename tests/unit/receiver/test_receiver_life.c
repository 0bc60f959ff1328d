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
#include "receiver_fixture.h"

#define CLIENTS 32
#define CLIENT_SENDS 20

static struct buf request;

static int start(void **state)
{
    buf_init(&request, 1UL << 20);
    fixture_put_span(&request, "0123456789abcdef", "01234567", slice_of_text("a span"));
    return fixture_start(state);
}

static int stop(void **state)
{
    buf_fini(&request);
    return fixture_stop(state);
}

/* --- start -------------------------------------------------------------------- */

static void assert_no_start(struct fixture *fixture, const char *listen, const char *text)
{
    struct receiver_options options = {.listen = listen, .threads = 2, .max_request_bytes = 1UL << 20};
    struct receiver *receiver = NULL;
    struct err err;

    assert_int_equal(receiver_start(&receiver, &options, fixture->writer, &err), -1);
    assert_null(receiver);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_string_equal(err.text, text);
}

static void test_start_on_taken_port_fails(void **state)
{
    struct fixture *fixture = *state;
    char text[256];

    snprintf(text, sizeof(text), "cannot listen on %s: Address already in use", fixture->endpoint);
    assert_no_start(fixture, fixture->endpoint, text);
    assert_int_equal(fixture_send(fixture, buf_slice(&request), false).code, 0);
}

static void test_start_on_malformed_address_fails(void **state)
{
    assert_no_start(*state, "127.0.0.1", "cannot listen on \"127.0.0.1\": it is not host:port");
    assert_no_start(*state, "127.0.0.1:", "cannot listen on \"127.0.0.1:\": it is not host:port");
    assert_no_start(*state, "127.0.0.1:http", "cannot listen on \"127.0.0.1:http\": it is not host:port");
    assert_no_start(*state, "127.0.0.1:65536", "cannot listen on \"127.0.0.1:65536\": it is not host:port");
    assert_no_start(*state, ":4317", "cannot listen on \":4317\": it is not host:port");
    assert_no_start(*state, "[::1]", "cannot listen on \"[::1]\": it is not host:port");
    assert_no_start(*state, "192.0.2.1:4317", "cannot listen on 192.0.2.1:4317: Cannot assign requested address");
}

static void test_start_on_ipv6_answers(void **state)
{
    struct fixture *fixture = *state;
    struct receiver_options options = {.listen = "[::]:0", .threads = 1, .max_request_bytes = 1UL << 20};
    struct receiver *receiver;
    struct export_client *client;
    struct export_answer answer;
    char endpoint[64];
    struct err err;

    assert_int_equal(receiver_start(&receiver, &options, fixture->writer, &err), 0);
    snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%d", receiver_port(receiver));
    assert_int_equal(export_client_open(&client, endpoint, &err), 0);
    assert_int_equal(export_client_send(client, buf_slice(&request), true, FIXTURE_TIMEOUT_MS, &answer, &err), 0);
    assert_int_equal(answer.code, 0);
    export_client_close(client);
    receiver_stop(receiver, FIXTURE_TIMEOUT_MS);
}

static void test_start_without_threads_fails(void **state)
{
    struct fixture *fixture = *state;
    struct receiver_options options = {.listen = "127.0.0.1:0", .threads = 4, .max_request_bytes = 1UL << 20};
    struct receiver *receiver;
    struct err err;

    for (unsigned pass = 1; pass <= 4; pass++) {
        fault_arm("receiver.thread", pass, EAGAIN);
        assert_int_equal(receiver_start(&receiver, &options, fixture->writer, &err), -1);
        assert_int_equal(err.class, ERR_RETRY);
        assert_string_equal(err.text, "cannot start a thread: Resource temporarily unavailable");
    }
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

    if (export_client_open(&client, sender->fixture->endpoint, &err) != 0)
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
    *sender = (struct sender){.fixture = fixture, .sends = sends, .timeout_ms = FIXTURE_TIMEOUT_MS};
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
    assert_int_equal(fixture_stat(*state).received_records, CLIENTS * CLIENT_SENDS);
    fixture_wait_idle(*state);
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
    fixture_wait_idle(fixture);
    assert_int_equal(fixture_send(fixture, buf_slice(&request), false).code, 0);
    assert_true(fixture_stat(fixture).received_records > oks);
}

/* --- stop ------------------------------------------------------------------------- */

/* A put of the test's own whose `done` holds the writer's thread until it is let go: calls stay with the writer. */
struct block {
    struct spool_put put;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool reached;
    bool released;
};

static void hold_writer(struct spool_put *put, const struct err *failure)
{
    struct block *block = put->context;

    (void)failure;
    pthread_mutex_lock(&block->lock);
    block->reached = true;
    pthread_cond_broadcast(&block->changed);
    while (!block->released)
        pthread_cond_wait(&block->changed, &block->lock);
    pthread_mutex_unlock(&block->lock);
}

static void block_writer(struct block *block, struct fixture *fixture)
{
    struct err err;

    *block = (struct block){.put = {.payload = buf_slice(&request), .done = hold_writer, .context = block}};
    pthread_mutex_init(&block->lock, NULL);
    pthread_cond_init(&block->changed, NULL);
    assert_int_equal(spool_writer_put(fixture->writer, &block->put, &err), 0);
    pthread_mutex_lock(&block->lock);
    while (!block->reached)
        pthread_cond_wait(&block->changed, &block->lock);
    pthread_mutex_unlock(&block->lock);
}

static void release_writer(struct block *block)
{
    pthread_mutex_lock(&block->lock);
    block->released = true;
    pthread_cond_broadcast(&block->changed);
    pthread_mutex_unlock(&block->lock);
}

static void free_block(struct block *block)
{
    pthread_cond_destroy(&block->changed);
    pthread_mutex_destroy(&block->lock);
}

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

/* The one call in hand has been read and is with the writer: it holds less than a call that is being read. */
static bool is_with_writer(void *context)
{
    struct receiver *receiver = context;
    bool with_writer;

    pthread_mutex_lock(&receiver->lock);
    with_writer = receiver->in_hand == 1 && receiver->in_hand_bytes > 0 && receiver->reading_first == NULL;
    pthread_mutex_unlock(&receiver->lock);
    return with_writer;
}

static bool is_stopping(void *context)
{
    struct receiver *receiver = context;
    bool stopping;

    pthread_mutex_lock(&receiver->lock);
    stopping = receiver->stopping;
    pthread_mutex_unlock(&receiver->lock);
    return stopping;
}

static void test_stop_finishes_calls_in_hand_and_refuses_new_ones(void **state)
{
    struct fixture *fixture = *state;
    struct receiver *receiver = fixture->receiver;
    struct export_answer answer;
    struct sender sender;
    struct stopper stopper;
    struct block block;

    block_writer(&block, fixture);
    start_sender(&sender, fixture, 1);
    fixture_wait(is_with_writer, receiver);
    start_stopper(&stopper, fixture, FIXTURE_TIMEOUT_MS);
    fixture_wait(is_stopping, receiver);
    answer = fixture_send(fixture, buf_slice(&request), false);
    assert_string_equal(export_code_name(answer.code), "UNAVAILABLE");
    assert_string_equal(answer.message, "the receiver is stopping");
    assert_int_equal(answer.retry_delay_ms, SPOOL_RETRY_MIN_MS);
    assert_false(atomic_load(&stopper.stopped));
    release_writer(&block);
    join_sender(&sender);
    assert_int_equal(sender.last.code, 0);
    pthread_join(stopper.thread, NULL);
    free_block(&block);
    assert_int_equal(fixture_stat(fixture).received_records, 2);
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
    struct block block;

    block_writer(&block, fixture);
    start_sender(&sender, fixture, 1);
    fixture_wait(is_with_writer, fixture->receiver);
    start_stopper(&stopper, fixture, 1);
    join_sender(&sender);
    assert_int_not_equal(sender.last.code, 0);
    assert_true(sender.last.retryable);
    assert_false(atomic_load(&stopper.stopped));
    release_writer(&block);
    pthread_join(stopper.thread, NULL);
    free_block(&block);
    assert_int_equal(fixture_stat(fixture).received_records, 2);
}

/* Under load: whoever was told OK is in the spool, and whoever was not may come back. */
static void test_stop_under_load_keeps_every_ok(void **state)
{
    struct fixture *fixture = *state;
    struct sender senders[CLIENTS];
    unsigned oks = 0;

    for (unsigned i = 0; i < CLIENTS; i++)
        start_sender(&senders[i], fixture, 0);
    while (fixture_stat(fixture).received_records < 100)
        sched_yield();
    fixture_stop_receiver(fixture, FIXTURE_TIMEOUT_MS);
    for (unsigned i = 0; i < CLIENTS; i++) {
        join_sender(&senders[i]);
        if (!senders[i].last.retryable)
            fail_msg("%s: %s", export_code_name(senders[i].last.code), senders[i].last.message);
        oks += senders[i].oks;
    }
    assert_int_equal(fixture_stat(fixture).received_records, oks);
}

static void test_stop_at_once_under_load(void **state)
{
    struct fixture *fixture = *state;
    struct sender senders[CLIENTS];
    unsigned oks = 0;

    for (unsigned i = 0; i < CLIENTS; i++)
        start_sender(&senders[i], fixture, 0);
    while (fixture_stat(fixture).received_records < 100)
        sched_yield();
    fixture_stop_receiver(fixture, 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        join_sender(&senders[i]);
        if (!senders[i].last.retryable)
            fail_msg("%s: %s", export_code_name(senders[i].last.code), senders[i].last.message);
        oks += senders[i].oks;
    }
    assert_true(fixture_stat(fixture).received_records >= oks);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_start_on_taken_port_fails),
        TEST(test_start_on_malformed_address_fails),
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
