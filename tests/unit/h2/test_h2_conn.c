/*
 * test_h2_conn.c - connections whose clients are slow, silent, idle, or keep
 * to no rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"
#include "h2_fixture.h"
#include "h2_internal.h"
#include "metrics.h"

static uint32_t number_at(const struct buf *payload, size_t at)
{
    assert_true(payload->len >= at + 4);
    return (uint32_t)payload->data[at] << 24 | (uint32_t)payload->data[at + 1] << 16 |
           (uint32_t)payload->data[at + 2] << 8 | payload->data[at + 3];
}

static void assert_goaway(int fd, uint32_t code)
{
    struct buf payload;

    buf_init(&payload, 65536);
    assert_true(client_await_frame(fd, NGHTTP2_GOAWAY, &payload));
    assert_int_equal(number_at(&payload, 4), code);
    buf_fini(&payload);
}

static void assert_over(int fd)
{
    struct buf payload;

    buf_init(&payload, 65536);
    while (client_await_frame(fd, NGHTTP2_SETTINGS, &payload)) /* until there is none */
        continue;
    buf_fini(&payload);
}

/* --- greetings ------------------------------------------------------------------------ */

/* However much of the greeting there is. */
static void test_silent_client_is_cut(void **state)
{
    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    client_put_greeting(&wire);
    for (size_t len = 0; len < wire.len; len += 11) {
        int fd = rig_connect();

        rig_write(fd, slice_of(wire.data, len));
        assert_over(fd);
        close(fd);
    }
    rig_wait_connections(0);
}

static void test_greeting_is_enough_to_stay(void **state)
{
    int greeted, silent;

    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    greeted = rig_connect();
    client_put_greeting(&wire);
    rig_write(greeted, buf_slice(&wire));
    silent = rig_connect(); /* later than the other, and over earlier */
    assert_over(silent);
    rig_wait_connections(1);
    close(silent);
    close(greeted);
    rig_wait_connections(0);
}

static void test_client_of_another_protocol_is_closed(void **state)
{
    static const char *const greetings[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01",
                                            "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n-------------"};

    (void)state;
    rig_start();
    for (size_t i = 0; i < 3; i++) {
        int fd = rig_connect();

        rig_write(fd, slice_of_text(greetings[i]));
        assert_over(fd);
        close(fd);
    }
    rig_wait_connections(0);
    fixture_assert_works();
}

static void test_connection_without_memory_is_closed(void **state)
{
    int fd;

    (void)state;
    rig_start();
    fault_arm("buf.grow", 1, ENOMEM);
    fd = rig_connect();
    assert_over(fd);
    close(fd);
    fixture_assert_works();
}

/* --- rules of the protocol -------------------------------------------------------------- */

static void test_violation_gets_goaway(void **state)
{
    int fd;

    (void)state;
    rig_start();
    fd = rig_connect();
    client_put_greeting(&wire);
    client_put_frame(&wire, NGHTTP2_DATA, 0, 0, slice_of_text("data of no stream"));
    rig_write(fd, buf_slice(&wire));
    assert_goaway(fd, NGHTTP2_PROTOCOL_ERROR);
    assert_over(fd);
    rig_wait_connections(0); /* also of a client that does not close */
    close(fd);
    fixture_assert_works();
}

/* The call's message is longer or shorter than its content-length: a stream error, and the others go on. */
static void test_violation_of_one_stream_resets_it(void **state)
{
    const struct h2_call_options options = {.name = "content-length", .value = "7"};
    struct h2_client *client;
    struct h2_stream *stream;

    (void)state;
    rig_start();
    client = client_open(WINDOW);
    stream = client_call(client, &options, buf_slice(&upload));
    client_finish(client, stream);
    assert_true(stream->is_reset);
    assert_int_equal(stream->reset_code, NGHTTP2_PROTOCOL_ERROR);
    stream = client_call(client, NULL, buf_slice(&upload));
    client_finish(client, stream);
    assert_int_equal(client_grpc_status(stream), 0);
    client_close(client);
}

/* A field in HPACK's table, and then a byte for each time that it is meant: a few times the bound is read, no more. */
static void test_fields_far_above_the_bound_reset_the_stream(void **state)
{
    struct buf fields, payload;
    char value[101] = "";
    int fd;

    (void)state;
    rig_start();
    buf_init(&fields, 65536);
    buf_init(&payload, 65536);
    memset(value, 'v', 100);
    client_put_export_fields(&fields);
    client_put_field(&fields, "x-long", value);
    fields.data[fields.len - 100 - 1 - 6 - 2] = 0x40; /* RFC 7541, 6.2.1: the same, but indexed */
    while (fields.len < 16000)
        buf_append(&fields, "\xbe", 1); /* index 62, the newest */
    fd = rig_connect();
    client_put_greeting(&wire);
    client_put_frame(&wire, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, EXPORT_STREAM, buf_slice(&fields));
    client_put_export_headers(&wire, NGHTTP2_FLAG_END_HEADERS, EXPORT_STREAM + 2);
    client_put_frame(&wire, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, EXPORT_STREAM + 2, buf_slice(&upload));
    rig_write(fd, buf_slice(&wire));
    assert_true(client_await_frame(fd, NGHTTP2_RST_STREAM, &payload));
    assert_int_equal(number_at(&payload, 0), NGHTTP2_INTERNAL_ERROR);
    assert_true(client_await_frame(fd, NGHTTP2_DATA, &payload)); /* the other call is answered */
    home_wait_calls(0, 0);
    close(fd);
    buf_fini(&payload);
    buf_fini(&fields);
}

static void put_streams(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        client_put_export_headers(&wire, NGHTTP2_FLAG_END_HEADERS, 1 + 2 * i);
}

/* Whoever does not know the bound yet is refused the stream, which says that nothing of it was done. */
static void test_streams_above_the_bound_are_refused(void **state)
{
    struct buf payload;
    int fd;

    (void)state;
    rig_start();
    buf_init(&payload, 65536);
    fd = rig_connect();
    client_put_greeting(&wire);
    put_streams(H2_STREAMS_MAX + 1);
    rig_write(fd, buf_slice(&wire));
    assert_true(client_await_frame(fd, NGHTTP2_RST_STREAM, &payload));
    assert_int_equal(number_at(&payload, 0), NGHTTP2_REFUSED_STREAM);
    home_wait_calls(H2_STREAMS_MAX, 0);
    close(fd);
    home_wait_idle();
    buf_fini(&payload);
}

static void put_health_call(int32_t stream_id)
{
    static const char *const fields[][2] = {{":method", "POST"},
                                            {":scheme", "http"},
                                            {":path", "/grpc.health.v1.Health/Check"},
                                            {":authority", "x"},
                                            {"content-type", "application/grpc"}};
    struct buf block;

    buf_init(&block, 4096);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        client_put_field(&block, fields[i][0], fields[i][1]);
    client_put_frame(&wire, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream_id, buf_slice(&block));
    buf_fini(&block);
}

/* Calls that the intake does not admit, such as health checks that do not end, have a bound as well. */
static void test_calls_above_all_bounds_are_refused_streams(void **state)
{
    struct buf payload;
    int fd;

    (void)state;
    rig.intake_options.max_calls = 2;
    rig_start();
    buf_init(&payload, 65536);
    fd = rig_connect();
    client_put_greeting(&wire);
    for (int32_t i = 0; i <= H2_CALLS_FACTOR * 2; i++)
        put_health_call(1 + 2 * i);
    rig_write(fd, buf_slice(&wire));
    assert_true(client_await_frame(fd, NGHTTP2_RST_STREAM, &payload));
    assert_int_equal(number_at(&payload, 0), NGHTTP2_REFUSED_STREAM);
    close(fd);
    home_wait_idle();
    fixture_assert_works(); /* once they are over there is room */
    buf_fini(&payload);
}

/* Whoever has confirmed the bound, and passes it, breaks the protocol. */
static void test_streams_above_the_confirmed_bound_end_the_connection(void **state)
{
    int fd;

    (void)state;
    rig_start();
    fd = rig_connect();
    client_put_greeting(&wire);
    client_put_frame(&wire, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, slice_of(NULL, 0));
    put_streams(H2_STREAMS_MAX + 1);
    rig_write(fd, buf_slice(&wire));
    assert_goaway(fd, NGHTTP2_PROTOCOL_ERROR);
    close(fd);
    home_wait_idle();
}

/* --- clients that are slow -------------------------------------------------------------- */

static void assert_too_slow(struct h2_client *client, struct h2_stream *stream)
{
    client_finish(client, stream);
    assert_true(stream->is_trailers_only);
    assert_int_equal(client_grpc_status(stream), 4);
    assert_string_equal(client_field(stream, "grpc-message"), "the request did not come in within 100 ms");
}

/* Whatever of its message has come. */
static void test_slow_message_is_answered_deadline_exceeded(void **state)
{
    uint64_t too_slow = metrics_get(METRIC_RECEIVER_TOO_SLOW);
    static const size_t lens[] = {0, 3, 5, 20};
    struct h2_client *client;

    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    client = client_open(WINDOW);
    for (size_t i = 0; i < 4; i++)
        assert_too_slow(client, client_call(client, &open_call, slice_of(upload.data, lens[i])));
    assert_int_equal(metrics_get(METRIC_RECEIVER_TOO_SLOW), too_slow + 4);
    client_close(client);
    fixture_assert_works();
}

/* Fields that do not end: the answer comes in the middle of them. */
static void test_slow_fields_are_answered_deadline_exceeded(void **state)
{
    struct buf payload;
    int fd;

    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    buf_init(&payload, 65536);
    fd = rig_connect();
    client_put_greeting(&wire);
    client_put_export_headers(&wire, 0, EXPORT_STREAM);
    rig_write(fd, buf_slice(&wire));
    assert_true(client_await_frame(fd, NGHTTP2_HEADERS, &payload));
    assert_true(client_await_frame(fd, NGHTTP2_RST_STREAM, &payload));
    assert_int_equal(number_at(&payload, 0), NGHTTP2_NO_ERROR);
    /* The rest of the fields may still come, and the connection is good for another call. */
    buf_clear(&wire);
    client_put_frame(&wire, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, EXPORT_STREAM, slice_of(NULL, 0));
    client_put_export_headers(&wire, NGHTTP2_FLAG_END_HEADERS, EXPORT_STREAM + 2);
    client_put_frame(&wire, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, EXPORT_STREAM + 2, buf_slice(&upload));
    rig_write(fd, buf_slice(&wire));
    assert_true(client_await_frame(fd, NGHTTP2_DATA, &payload));
    close(fd);
    buf_fini(&payload);
}

/* The client's window has no room for the message of the answer. */
static void test_answer_that_is_not_taken_is_reset(void **state)
{
    struct h2_client *client;
    struct h2_stream *stream;

    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    client = fixture_open_untaken(&stream);
    assert_int_equal(metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES), 0); /* it waits, and holds nothing */
    client_finish(client, stream);
    assert_true(stream->is_reset);
    assert_int_equal(stream->reset_code, NGHTTP2_CANCEL);
    home_wait_idle();
    client_close(client);
    assert_int_equal(home_stat(&rig.home).received_records, 1);
}

/* Its socket takes nothing: nothing can be told to it either. */
static void test_client_that_never_reads_is_cut(void **state)
{
    int fd;

    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    fd = rig_connect_narrow();
    client_put_greeting(&wire);
    for (uint32_t id = 1; id < 500; id += 2) {
        client_put_export_headers(&wire, NGHTTP2_FLAG_END_HEADERS, id);
        client_put_frame(&wire, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, id, slice_of_text("\2aaaa"));
    }
    rig_write(fd, buf_slice(&wire));
    rig_wait_connections(0);
    home_wait_idle();
    close(fd);
    fixture_assert_works();
}

/* Pings whose answers are not read: bounded, by nghttp2's bound or because we stop reading. */
static void test_flood_of_pings_is_cut(void **state)
{
    int fd;

    (void)state;
    rig_start_impatient(SHORT_MS, HOME_TIMEOUT_MS);
    fd = rig_connect_narrow();
    client_put_greeting(&wire);
    for (int i = 0; i < 5000; i++)
        client_put_frame(&wire, NGHTTP2_PING, 0, 0, slice_of_text("12345678"));
    rig_write(fd, buf_slice(&wire));
    rig_wait_connections(0);
    close(fd);
    fixture_assert_works();
}

/* --- idle connections -------------------------------------------------------------------- */

static void test_idle_connection_gets_goaway(void **state)
{
    struct h2_client *client;
    struct h2_stream *stream;

    (void)state;
    rig_start_impatient(HOME_TIMEOUT_MS, SHORT_MS);
    client = client_open(WINDOW);
    stream = client_call(client, NULL, buf_slice(&upload));
    client_finish(client, stream);
    client_await_end(client);
    assert_true(client->has_goaway);
    assert_int_equal(client->goaway_code, NGHTTP2_NO_ERROR);
    assert_int_equal(client->goaway_last, stream->id);
    client_close(client);
}

/* A call in hand is no idleness, however long it takes. */
static void test_connection_with_a_call_is_not_idle(void **state)
{
    struct h2_client *busy, *idle;
    struct home_block block;
    struct h2_stream *stream;

    (void)state;
    rig_start_impatient(HOME_TIMEOUT_MS, SHORT_MS);
    home_block_writer(&rig.home, &block);
    busy = client_open(WINDOW);
    stream = client_call(busy, NULL, buf_slice(&upload));
    idle = client_open(WINDOW); /* later than the other, and over earlier */
    client_await_end(idle);
    client_close(idle);
    home_release_writer(&block);
    client_finish(busy, stream);
    assert_int_equal(client_grpc_status(stream), 0);
    client_await_end(busy);
    client_close(busy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_silent_client_is_cut),
        TEST(test_greeting_is_enough_to_stay),
        TEST(test_client_of_another_protocol_is_closed),
        TEST(test_connection_without_memory_is_closed),
        TEST(test_violation_gets_goaway),
        TEST(test_violation_of_one_stream_resets_it),
        TEST(test_fields_far_above_the_bound_reset_the_stream),
        TEST(test_streams_above_the_bound_are_refused),
        TEST(test_streams_above_the_confirmed_bound_end_the_connection),
        TEST(test_calls_above_all_bounds_are_refused_streams),
        TEST(test_slow_message_is_answered_deadline_exceeded),
        TEST(test_slow_fields_are_answered_deadline_exceeded),
        TEST(test_answer_that_is_not_taken_is_reset),
        TEST(test_client_that_never_reads_is_cut),
        TEST(test_flood_of_pings_is_cut),
        TEST(test_idle_connection_gets_goaway),
        TEST(test_connection_with_a_call_is_not_idle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
