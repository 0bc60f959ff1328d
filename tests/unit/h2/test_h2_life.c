/*
 * test_h2_life.c - connections that end, by their client or by the stop of the
 * server, in every state of a call; and many of both at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "h2_fixture.h"
#include "h2_internal.h"
#include "metrics.h"

/* --- clients that go away ----------------------------------------------------------------- */

static void assert_reset_leaves_nothing(struct h2_client *client, struct h2_stream *stream)
{
    client_reset(client, stream, NGHTTP2_CANCEL);
    home_wait_idle();
    stream = client_call(client, NULL, buf_slice(&upload));
    client_finish(client, stream);
    assert_int_equal(client_grpc_status(stream), 0);
}

static void test_reset_while_reading_leaves_nothing(void **state)
{
    static const size_t lens[] = {0, 3, 5, 20};
    struct h2_client *client;

    (void)state;
    rig_start();
    client = client_open(WINDOW);
    for (size_t i = 0; i < 4; i++) {
        struct h2_stream *stream = client_call(client, &open_call, slice_of(upload.data, lens[i]));

        home_wait_calls(1, SIZE_MAX);
        assert_reset_leaves_nothing(client, stream);
    }
    client_close(client);
    assert_int_equal(home_stat(&rig.home).received_records, 4);
}

static bool is_with_writer(void *context)
{
    (void)context;
    /* What is stored is not the message itself, which has room of a power of two at least. */
    return metrics_get(METRIC_RECEIVER_CALLS) == 1 && metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES) > 0 &&
           metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES) != request.len;
}

/* A server, and a client whose call is with the writer, which is held. */
static struct h2_client *start_storing(struct h2_stream **stream, struct home_block *block)
{
    struct h2_client *client;

    rig_start();
    client = client_open(WINDOW);
    home_block_writer(&rig.home, block);
    *stream = client_call(client, NULL, buf_slice(&upload));
    home_wait(is_with_writer, NULL);
    return client;
}

static void test_reset_while_storing_is_stored(void **state)
{
    struct h2_client *client;
    struct home_block block;
    struct h2_stream *stream;

    (void)state;
    client = start_storing(&stream, &block);
    client_reset(client, stream, NGHTTP2_CANCEL);
    stream = client_call(client, &open_call, slice_of(NULL, 0)); /* when it is in hand, the reset has been read */
    home_wait_calls(2, SIZE_MAX);
    home_release_writer(&block);
    home_wait_calls(1, 0);
    assert_reset_leaves_nothing(client, stream);
    client_close(client);
    assert_int_equal(home_stat(&rig.home).received_records, 3); /* the block's, the one that was reset, the last */
}

static void test_reset_while_answering_leaves_nothing(void **state)
{
    struct h2_client *client;
    struct h2_stream *stream;

    (void)state;
    rig_start();
    client = fixture_open_untaken(&stream);
    client_reset(client, stream, NGHTTP2_CANCEL);
    home_wait_idle();
    client_close(client);
    assert_int_equal(home_stat(&rig.home).received_records, 1);
}

static void test_closed_in_fields_leaves_nothing(void **state)
{
    int fd;

    (void)state;
    rig_start();
    fd = rig_connect();
    client_put_greeting(&wire);
    client_put_export_headers(&wire, 0, EXPORT_STREAM);
    rig_write(fd, buf_slice(&wire));
    close(fd);
    rig_wait_connections(0);
    fixture_assert_works();
}

static void test_closed_while_reading_leaves_nothing(void **state)
{
    struct h2_client *client;

    (void)state;
    rig_start();
    client = client_open(WINDOW);
    for (int i = 0; i < 20; i++)
        client_call(client, &open_call, slice_of(upload.data, (size_t)i));
    home_wait_calls(20, SIZE_MAX);
    client_close(client);
    rig_wait_connections(0);
    home_wait_idle();
    assert_int_equal(home_stat(&rig.home).received_records, 0);
}

/* The writer has the memory: it is stored, nobody is told, and then it is given back. */
static void test_closed_while_storing_is_stored(void **state)
{
    struct h2_client *client;
    struct home_block block;

    (void)state;
    rig_start();
    client = client_open(WINDOW);
    home_block_writer(&rig.home, &block);
    for (int i = 0; i < 20; i++)
        client_call(client, NULL, buf_slice(&upload));
    home_wait_calls(20, SIZE_MAX);
    client_close(client);
    rig_wait_connections(0);
    assert_int_equal(metrics_get(METRIC_RECEIVER_CALLS), 20);
    home_release_writer(&block);
    home_wait_idle();
    assert_int_equal(home_stat(&rig.home).received_records, 21);
}

static void test_closed_while_answering_leaves_nothing(void **state)
{
    struct h2_client *client;
    struct h2_stream *stream;

    (void)state;
    rig_start();
    client = fixture_open_untaken(&stream);
    client_close(client);
    rig_wait_connections(0);
    home_wait_idle();
}

/* A client that says goodbye still gets the answers to its calls. */
static void test_goaway_of_the_client_ends_after_its_calls(void **state)
{
    struct h2_client *client;
    struct home_block block;
    struct h2_stream *stream;

    (void)state;
    client = start_storing(&stream, &block);
    nghttp2_submit_goaway(client->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
    client_send(client);
    home_release_writer(&block);
    client_finish(client, stream);
    assert_int_equal(client_grpc_status(stream), 0);
    client_await_end(client);
    client_close(client);
}

/* --- the end -------------------------------------------------------------------------------- */

static void test_stop_without_connections(void **state)
{
    (void)state;
    rig.options.threads = 4;
    rig_start();
    rig_stop();
}

static void test_stop_says_goaway_to_idle_connections(void **state)
{
    struct h2_client *client;
    struct rig_stopper stopper;

    (void)state;
    rig_start();
    client = client_open(WINDOW);
    rig_begin_stop(&stopper, HOME_TIMEOUT_MS);
    client_await_end(client);
    assert_true(client->has_goaway);
    assert_int_equal(client->goaway_code, NGHTTP2_NO_ERROR);
    client_close(client);
    rig_await_stop(&stopper);
}

/* Calls in hand are answered, whether they are still coming in or with the writer. */
static void test_stop_answers_calls_in_hand(void **state)
{
    struct h2_client *client;
    struct h2_stream *storing, *reading;
    struct home_block block;
    struct rig_stopper stopper;

    (void)state;
    rig_start();
    client = client_open(WINDOW);
    home_block_writer(&rig.home, &block);
    storing = client_call(client, NULL, buf_slice(&upload));
    reading = client_call(client, &open_call, slice_of(upload.data, 10));
    home_wait_calls(2, SIZE_MAX);
    rig_begin_stop(&stopper, HOME_TIMEOUT_MS);
    while (!client->has_goaway)
        client_step(client);
    assert_int_equal(client->goaway_last, reading->id);
    reading->upload = buf_slice(&upload);
    reading->keep_open = false;
    nghttp2_session_resume_data(client->session, reading->id);
    client_send(client);
    home_release_writer(&block);
    client_finish_all(client);
    assert_int_equal(client_grpc_status(storing), 0);
    assert_int_equal(client_grpc_status(reading), 0);
    client_await_end(client);
    client_close(client);
    rig_await_stop(&stopper);
    assert_int_equal(home_stat(&rig.home).received_records, 3);
}

/* Past the deadline clients are cut, but not the memory that the writer has. */
static void test_stop_past_the_deadline_cuts_and_waits_for_the_writer(void **state)
{
    struct h2_client *client;
    struct home_block block;
    struct rig_stopper stopper;

    (void)state;
    rig_start();
    client = client_open(WINDOW);
    home_block_writer(&rig.home, &block);
    client_call(client, NULL, buf_slice(&upload));
    client_call(client, &open_call, slice_of(upload.data, 10));
    home_wait_calls(2, SIZE_MAX);
    rig_begin_stop(&stopper, 1);
    client_await_end(client);
    client_close(client);
    home_wait_calls(1, SIZE_MAX);
    assert_false(rig_is_stopped(&stopper));
    home_release_writer(&block);
    rig_await_stop(&stopper);
    assert_int_equal(home_stat(&rig.home).received_records, 2);
}

static void test_stop_past_the_deadline_cuts_who_does_not_read(void **state)
{
    int silent, never_reads;

    (void)state;
    rig_start();
    silent = rig_connect();
    never_reads = rig_connect_narrow();
    client_put_greeting(&wire);
    for (uint32_t id = 1; id < 200; id += 2)
        client_put_export_headers(&wire, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, id);
    rig_write(never_reads, buf_slice(&wire));
    rig_stop_within(SHORT_MS);
    assert_int_equal(net_quota_used(&rig.quota), 0);
    close(never_reads);
    close(silent);
}

/* --- many ------------------------------------------------------------------------------------- */

#define ROUNDS 40

/* What a client does in its round: a few calls, some of them reset, some connections closed without a word. */
static void be_a_client(unsigned seed)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct h2_client *client = client_open(rand_r(&seed) % 4 == 0 ? 0 : WINDOW);

        for (unsigned i = 0; i < 8; i++) {
            const struct h2_call_options *options = rand_r(&seed) % 3 == 0 ? &open_call : NULL;
            struct h2_stream *stream = client_call(client, options, buf_slice(&upload));

            if (options != NULL && rand_r(&seed) % 2 == 0)
                client_reset(client, stream, NGHTTP2_CANCEL);
        }
        if (rand_r(&seed) % 2 == 0)
            client_step(client);
        client_close(client);
    }
}

static void test_many_clients_leave_nothing(void **state)
{
    (void)state;
    rig_run_many(be_a_client);
    fixture_assert_works();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reset_while_reading_leaves_nothing),
        TEST(test_reset_while_storing_is_stored),
        TEST(test_reset_while_answering_leaves_nothing),
        TEST(test_closed_in_fields_leaves_nothing),
        TEST(test_closed_while_reading_leaves_nothing),
        TEST(test_closed_while_storing_is_stored),
        TEST(test_closed_while_answering_leaves_nothing),
        TEST(test_goaway_of_the_client_ends_after_its_calls),
        TEST(test_stop_without_connections),
        TEST(test_stop_says_goaway_to_idle_connections),
        TEST(test_stop_answers_calls_in_hand),
        TEST(test_stop_past_the_deadline_cuts_and_waits_for_the_writer),
        TEST(test_stop_past_the_deadline_cuts_who_does_not_read),
        TEST(test_many_clients_leave_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
