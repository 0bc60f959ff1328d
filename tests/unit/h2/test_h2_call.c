/*
 * test_h2_call.c - calls and their answers as they are on the wire.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"
#include "h2_fixture.h"
#include "h2_internal.h"
#include "metrics.h"
#include "otlp_field.h"
#include "otlp_response.h"
#include "otlp_status.h"
#include "packers.h"

#define HEALTH_METHOD "/grpc.health.v1.Health/Check"

static struct h2_client *client;

static int start(void **state)
{
    fixture_start(state);
    rig_start();
    client = client_open(WINDOW);
    return 0;
}

static int stop(void **state)
{
    client_close(client);
    return fixture_stop(state);
}

/* Another server, with what the test has set in rig's options. */
static void restart(void)
{
    client_close(client);
    rig_restart();
    client = client_open(WINDOW);
}

static struct h2_stream *call(const struct h2_call_options *options, struct slice bytes)
{
    struct h2_stream *stream = client_call(client, options, bytes);

    client_finish(client, stream);
    return stream;
}

static void assert_field(const struct h2_stream *stream, const char *name, const char *expected)
{
    const char *value = client_field(stream, name);

    if (expected == NULL)
        assert_null(value);
    else {
        if (value == NULL)
            fail_msg("no field %s", name);
        assert_string_equal(value, expected);
    }
}

static void assert_ok(const struct h2_stream *stream)
{
    if (client_grpc_status(stream) != 0)
        fail_msg("grpc-status %d: %s", client_grpc_status(stream), client_field(stream, "grpc-message"));
    assert_true(stream->is_ended);
    assert_false(stream->is_reset);
}

/* "Trailers-Only" in gRPC's protocol: one HEADERS frame, and nothing after it. */
static void assert_refused(const struct h2_stream *stream, int code, const char *text)
{
    assert_true(stream->is_trailers_only);
    assert_int_equal(client_status(stream), 200);
    assert_field(stream, "content-type", "application/grpc");
    assert_field(stream, "grpc-message", text);
    assert_int_equal(client_grpc_status(stream), code);
    assert_int_equal(stream->body.len, 0);
    assert_int_equal(stream->trailers.len, 0);
    assert_true(!stream->is_reset || stream->reset_code == NGHTTP2_NO_ERROR);
}

static void assert_still_works(void)
{
    assert_ok(call(NULL, buf_slice(&upload)));
}

/* --- OK ---------------------------------------------------------------------------- */

static void test_ok_is_head_message_and_trailers(void **state)
{
    struct h2_stream *stream = call(NULL, buf_slice(&upload));

    (void)state;
    assert_ok(stream);
    assert_false(stream->is_trailers_only);
    assert_int_equal(client_status(stream), 200);
    assert_field(stream, "content-type", "application/grpc");
    assert_field(stream, "grpc-accept-encoding", "gzip, deflate, zstd, snappy, identity");
    assert_int_equal(stream->body.len, H2_PREFIX_BYTES); /* an empty message: partial_success is unset */
    assert_memory_equal(stream->body.data, "\0\0\0\0\0", H2_PREFIX_BYTES);
    assert_int_equal(stream->trailers.len, strlen("grpc-status: 0\n"));
    assert_memory_equal(stream->trailers.data, "grpc-status: 0\n", stream->trailers.len);
    home_assert_stored(&rig.home, 1, buf_slice(&request));
}

static void test_rejected_spans_are_in_the_message(void **state)
{
    struct h2_stream *stream;
    char message[ERR_TEXT_MAX];
    int64_t rejected;

    (void)state;
    home_put_span(&request, "short", HOME_SPAN_ID, slice_of_text("bad trace"));
    buf_clear(&upload);
    client_put_message(&upload, 0, buf_slice(&request));
    stream = call(NULL, buf_slice(&upload));
    assert_ok(stream);
    assert_int_equal(stream->body.data[4], stream->body.len - H2_PREFIX_BYTES);
    assert_int_equal(otlp_response_read(slice_of(stream->body.data + H2_PREFIX_BYTES, stream->body.data[4]), &rejected,
                                        message, sizeof(message)),
                     0);
    assert_int_equal(rejected, 1);
    assert_string_equal(message, "1 of 2 spans rejected: 1 with an invalid trace_id");
}

static void test_every_codec_is_stored(void **state)
{
    static const enum otlp_codec codecs[] = {OTLP_CODEC_GZIP, OTLP_CODEC_DEFLATE, OTLP_CODEC_ZSTD, OTLP_CODEC_SNAPPY};
    struct buf packed;

    (void)state;
    buf_init(&packed, 64UL << 20);
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        struct h2_call_options options = {.encoding = otlp_codec_name(codecs[i])};

        pack(codecs[i], buf_slice(&request), &packed);
        buf_clear(&upload);
        client_put_message(&upload, 1, buf_slice(&packed));
        assert_ok(call(&options, buf_slice(&upload)));
        home_assert_stored(&rig.home, i + 1, buf_slice(&request));
    }
    buf_fini(&packed);
}

/* An encoding is what a message may have: one that is not flagged has none. */
static void test_encoding_of_a_message_that_is_not_flagged(void **state)
{
    struct h2_call_options options = {.encoding = "gzip"};

    (void)state;
    assert_ok(call(&options, buf_slice(&upload)));
    home_assert_stored(&rig.home, 1, buf_slice(&request));
}

static void test_empty_message_is_ok_and_not_stored(void **state)
{
    (void)state;
    buf_clear(&upload);
    client_put_message(&upload, 0, slice_of("", 0));
    assert_ok(call(NULL, buf_slice(&upload)));
    assert_int_equal(home_stat(&rig.home).received_records, 0);
}

/* However the message is cut into frames. */
static void test_message_in_frames_of_one_byte(void **state)
{
    struct h2_call_options options = {.piece = 1};

    (void)state;
    assert_ok(call(&options, buf_slice(&upload)));
    home_assert_stored(&rig.home, 1, buf_slice(&request));
}

static void test_large_message_in_every_frame_size(void **state)
{
    static const size_t pieces[] = {0, 7, 1000, 16384};
    char *name = calloc(1, 900000);

    (void)state;
    assert_non_null(name);
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of(name, 900000));
    buf_clear(&upload);
    client_put_message(&upload, 0, buf_slice(&request));
    assert_true(upload.len > H2_MESSAGE_ROOM); /* the room is doubled on the way */
    for (size_t i = 0; i < 4; i++) {
        struct h2_call_options options = {.piece = pieces[i]};

        assert_ok(call(&options, buf_slice(&upload)));
        home_assert_stored(&rig.home, i + 1, buf_slice(&request));
    }
    free(name);
}

/* Of more than INTAKE_SMALL_BYTES, as they come or inflated: they are checked on another thread. */
static void test_large_requests_are_answered_alike(void **state)
{
    struct h2_call_options gzip = {.encoding = "gzip"};
    char *name = calloc(1, 8UL << 20);
    struct buf packed;

    (void)state;
    assert_non_null(name);
    buf_init(&packed, 64UL << 20);
    rig.intake_options.max_request_bytes = 4UL << 20;
    restart();
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of(name, 3UL << 20));
    buf_clear(&upload);
    client_put_message(&upload, 0, buf_slice(&request));
    assert_ok(call(NULL, buf_slice(&upload)));
    home_assert_stored(&rig.home, 1, buf_slice(&request));
    pack(OTLP_CODEC_GZIP, buf_slice(&request), &packed);
    buf_clear(&upload);
    client_put_message(&upload, 1, buf_slice(&packed));
    assert_ok(call(&gzip, buf_slice(&upload)));
    home_assert_stored(&rig.home, 2, buf_slice(&request));
    pack(OTLP_CODEC_GZIP, slice_of(name, 8UL << 20), &packed);
    buf_clear(&upload);
    client_put_message(&upload, 1, buf_slice(&packed));
    assert_refused(call(&gzip, buf_slice(&upload)), 8, "gzip: more than 4194304 bytes when inflated");
    buf_fini(&packed);
    free(name);
}

static void test_calls_on_one_connection_are_independent(void **state)
{
    struct h2_call_options open = {.keep_open = true};
    struct h2_stream *waiting = client_call(client, &open, slice_of(upload.data, upload.len / 2));

    (void)state;
    for (int i = 0; i < 100; i++)
        client_call(client, NULL, buf_slice(&upload));
    for (int i = 1; i <= 100; i++) {
        client_finish(client, &client->streams[i]);
        assert_ok(&client->streams[i]);
    }
    assert_false(waiting->is_closed);
    client_reset(client, waiting, NGHTTP2_CANCEL);
    assert_int_equal(home_stat(&rig.home).received_records, 100);
}

/* --- what is wrong with the message ---------------------------------------------------- */

static void assert_invalid(const struct h2_call_options *options, struct slice bytes, const char *text)
{
    uint64_t invalid = metrics_get(METRIC_RECEIVER_INVALID);
    const char *details;
    struct h2_stream *stream = call(options, bytes);

    assert_refused(stream, 3, text);
    details = client_field(stream, "grpc-status-details-bin");
    assert_non_null(details);
    assert_null(strchr(details, '='));
    assert_int_equal(metrics_get(METRIC_RECEIVER_INVALID), invalid + 1);
    assert_int_equal(home_stat(&rig.home).received_records, 0);
}

static void test_no_message_is_invalid(void **state)
{
    struct h2_call_options bare = {.without_upload = true};

    (void)state;
    assert_invalid(&bare, slice_of("", 0), "the call carried no message");
    assert_invalid(NULL, slice_of("", 0), "the call carried no message");
    assert_invalid(NULL, slice_of(upload.data, 4), "the call carried no message");
    assert_still_works();
}

static void test_half_a_message_is_invalid(void **state)
{
    (void)state;
    assert_invalid(NULL, slice_of(upload.data, 5), "the message ends after 0 of its 42 bytes");
    assert_invalid(NULL, slice_of(upload.data, upload.len - 1), "the message ends after 41 of its 42 bytes");
    assert_still_works();
}

static void test_two_messages_are_invalid(void **state)
{
    struct h2_call_options options = {.piece = 0};

    (void)state;
    client_put_message(&upload, 0, buf_slice(&request));
    for (size_t piece = 0; piece < 60; piece += 11) {
        options.piece = piece;
        assert_invalid(&options, buf_slice(&upload), "the call carries more than one message");
    }
    assert_invalid(NULL, slice_of("\0\0\0\0\0x", 6), "the call carries more than one message");
}

static void test_flag_byte_is_zero_or_one(void **state)
{
    (void)state;
    upload.data[0] = 2;
    assert_invalid(NULL, buf_slice(&upload), "the message's flag is 2: it must be 0 or 1 (compressed)");
    upload.data[0] = 255;
    assert_invalid(NULL, buf_slice(&upload), "the message's flag is 255: it must be 0 or 1 (compressed)");
}

/* gRPC's compression document has INTERNAL for it. */
static void test_flag_without_an_encoding_is_internal(void **state)
{
    const char *text = "the message is flagged as compressed, and the call names no grpc-encoding";
    struct h2_call_options identity = {.encoding = "identity"};

    (void)state;
    upload.data[0] = 1;
    assert_refused(call(NULL, buf_slice(&upload)), 13, text);
    assert_refused(call(&identity, buf_slice(&upload)), 13, text);
}

static void test_damaged_compression_is_invalid(void **state)
{
    struct h2_call_options options = {.encoding = "gzip"};
    struct h2_stream *stream;

    (void)state;
    upload.data[0] = 1;
    stream = call(&options, buf_slice(&upload));
    assert_int_equal(client_grpc_status(stream), 3);
    assert_non_null(strstr(client_field(stream, "grpc-message"), "gzip"));
}

/* Refused by what the prefix says: nothing of it is read, and the client is told to stop sending. */
static void test_too_large_is_refused_before_it_is_read(void **state)
{
    static const struct {
        const char *prefix;
        const char *text;
    } rows[] = {{"\0\0\x10\0\x01", "the request is 1048577 bytes, 1048576 are allowed"},
                {"\0\xff\xff\xff\xff", "the request is 4294967295 bytes, 1048576 are allowed"}};
    struct h2_call_options open = {.keep_open = true};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint64_t too_large = metrics_get(METRIC_RECEIVER_TOO_LARGE);
        struct h2_stream *stream = call(&open, slice_of(rows[i].prefix, 5));

        assert_refused(stream, 8, rows[i].text);
        assert_field(stream, "grpc-status-details-bin", NULL);
        assert_true(stream->is_reset);
        assert_int_equal(stream->reset_code, NGHTTP2_NO_ERROR);
        assert_int_equal(metrics_get(METRIC_RECEIVER_TOO_LARGE), too_large + 1);
    }
    home_wait_idle();
    assert_still_works();
}

/* --- what is wrong with the call -------------------------------------------------------- */

static void test_other_methods_are_unimplemented(void **state)
{
    struct h2_call_options options = {.path = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"};
    struct h2_stream *stream = call(&options, buf_slice(&upload));

    (void)state;
    assert_refused(stream, 12,
                   "tracespool takes traces only, by opentelemetry.proto.collector.trace.v1.TraceService/Export; not "
                   "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
    assert_field(stream, "grpc-status-details-bin", NULL);
}

static void test_unknown_codec_names_those_that_work(void **state)
{
    struct h2_call_options options = {.encoding = "br"};
    struct h2_stream *stream = call(&options, buf_slice(&upload));

    (void)state;
    assert_refused(stream, 12,
                   "the request is compressed by br; gzip, deflate, zstd, snappy and identity (no compression) work");
    assert_field(stream, "grpc-accept-encoding", "gzip, deflate, zstd, snappy, identity");
}

static void assert_http(const struct h2_call_options *options, int status, const char *allow)
{
    struct h2_stream *stream = call(options, buf_slice(&upload));

    assert_true(stream->is_trailers_only);
    assert_int_equal(client_status(stream), status);
    assert_int_equal(client_grpc_status(stream), -1);
    assert_field(stream, "allow", allow);
}

static void test_what_is_no_grpc_is_refused_as_http(void **state)
{
    (void)state;
    assert_http(&(struct h2_call_options){.content_type = "application/json"}, 415, NULL);
    assert_http(&(struct h2_call_options){.content_type = "application/grpc-web+proto"}, 415, NULL);
    assert_http(&(struct h2_call_options){.method = "PUT"}, 405, "POST");
    assert_still_works();
}

static void test_fields_above_the_bound_are_resource_exhausted(void **state)
{
    struct h2_call_options options = {.name = "x-long"};
    char *value = malloc(60000);
    struct h2_stream *stream;

    (void)state;
    assert_non_null(value);
    memset(value, 'v', 60000);
    value[15000] = '\0';
    options.value = value;
    assert_ok(call(&options, buf_slice(&upload)));
    value[15000] = 'v';
    value[59999] = '\0';
    stream = call(&options, buf_slice(&upload));
    assert_int_equal(client_grpc_status(stream), 8);
    assert_non_null(strstr(client_field(stream, "grpc-message"), "bytes, 16384 are allowed"));
    free(value);
    assert_still_works();
}

static void test_credentials(void **state)
{
    struct h2_call_options options = {.name = "authorization", .value = "Bearer a-token-of-32-characters-or-more"};
    struct h2_call_options health = {.path = HEALTH_METHOD};
    uint64_t refused = metrics_get(METRIC_RECEIVER_UNAUTHENTICATED);
    char path[] = "/tmp/tracespool-tokens-XXXXXX";
    struct net_tokens *tokens = NULL;
    int fd = mkstemp(path);
    struct err err;

    (void)state;
    assert_int_equal(dprintf(fd, "a-token-of-32-characters-or-more\n") > 0, 1);
    close(fd);
    assert_int_equal(net_tokens_load(&tokens, path, &err), 0);
    unlink(path);
    rig.options.tokens = tokens;
    restart();
    assert_ok(call(&options, buf_slice(&upload)));
    assert_refused(call(NULL, buf_slice(&upload)), 16,
                   "the call has no bearer token that is known here (metadata \"authorization\")");
    options.value = "Bearer a-token-of-32-characters-or-mor";
    assert_int_equal(client_grpc_status(call(&options, buf_slice(&upload))), 16);
    assert_int_equal(metrics_get(METRIC_RECEIVER_UNAUTHENTICATED), refused + 2);
    buf_clear(&upload);
    client_put_message(&upload, 0, slice_of("", 0));
    assert_ok(call(&health, buf_slice(&upload)));
    rig_stop();
    net_tokens_free(tokens);
}

/* --- refused for now ------------------------------------------------------------------- */

static size_t decode_base64(uint8_t *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t word = 0;
    unsigned bits = 0;
    size_t len = 0;

    for (; *text != '\0'; text++) {
        const char *digit = strchr(digits, *text);

        assert_non_null(digit);
        word = word << 6 | (uint32_t)(digit - digits);
        bits += 6;
        if (bits >= 8)
            out[len++] = (uint8_t)(word >> (bits -= 8));
    }
    return len;
}

static void assert_busy(const struct h2_stream *stream, const char *text)
{
    uint8_t details[INTAKE_ANSWER_BYTES_MAX];
    uint64_t delay_ms;
    size_t len;

    assert_refused(stream, 14, text);
    len = decode_base64(details, client_field(stream, "grpc-status-details-bin"));
    assert_true(otlp_status_find_retry(slice_of(details, len), &delay_ms));
    assert_int_equal(delay_ms, SPOOL_RETRY_MIN_MS);
}

static void test_stopping_is_unavailable_with_retry(void **state)
{
    (void)state;
    intake_close(rig.intake);
    assert_busy(call(NULL, buf_slice(&upload)), "the receiver is stopping");
    assert_int_equal(home_stat(&rig.home).received_records, 0);
}

static void test_calls_above_the_bound_are_unavailable(void **state)
{
    struct h2_call_options open = {.keep_open = true};
    struct h2_stream *first;

    (void)state;
    rig.intake_options.max_calls = 1;
    restart();
    first = client_call(client, &open, slice_of(upload.data, 10));
    assert_busy(call(NULL, buf_slice(&upload)), "the receiver has 1 calls in hand, which is receiver.max_calls");
    client_reset(client, first, NGHTTP2_CANCEL);
    assert_still_works();
}

/* Held while it comes in, before it is whole; given back when its client goes. */
static void test_bytes_above_the_bound_are_unavailable(void **state)
{
    struct h2_call_options open = {.keep_open = true};
    struct h2_stream *first;

    (void)state;
    rig.intake_options.max_in_flight_bytes = 2 * request.len - 1; /* one, and what is stored of it */
    restart();
    first = client_call(client, &open, slice_of(upload.data, 10));
    home_wait_calls(1, upload.len - H2_PREFIX_BYTES);
    assert_busy(call(NULL, buf_slice(&upload)), "the receiver has 42 bytes in hand, near receiver.max_in_flight_bytes");
    client_reset(client, first, NGHTTP2_CANCEL);
    home_wait_idle();
    assert_still_works();
}

/* What is only announced is not held. */
static void test_announced_bytes_are_not_held(void **state)
{
    struct h2_call_options open = {.keep_open = true};
    struct h2_stream *stream = client_call(client, &open, slice_of("\0\0\x10\0\0x", 6)); /* 1 MiB */

    (void)state;
    home_wait_calls(1, H2_HOLD_STEP);
    client_reset(client, stream, NGHTTP2_CANCEL);
}

static void test_without_memory_is_unavailable(void **state)
{
    (void)state;
    fault_arm("buf.grow", 1, ENOMEM);
    assert_busy(call(NULL, buf_slice(&upload)), "no memory for the request");
    fault_arm("receiver.received", 1, ENOMEM);
    assert_busy(call(NULL, buf_slice(&upload)), "fault before the request was stored");
    fault_arm("receiver.durable", 1, EIO);
    assert_busy(call(NULL, buf_slice(&upload)), "fault after the request was stored");
    assert_still_works();
}

/* Not even memory for a refusal: the stream is reset in a way that says "try again". */
static void test_without_memory_to_answer_is_refused_stream(void **state)
{
    struct h2_call_options options = {.path = "/x"};
    struct h2_stream *stream;

    (void)state;
    fault_arm("buf.grow", 1, ENOMEM);
    stream = call(&options, buf_slice(&upload));
    assert_true(stream->is_reset);
    assert_int_equal(stream->reset_code, NGHTTP2_REFUSED_STREAM);
    assert_still_works();
}

/* --- health ---------------------------------------------------------------------------- */

static struct h2_stream *ask_health(struct slice message)
{
    struct h2_call_options options = {.path = HEALTH_METHOD};

    buf_clear(&upload);
    client_put_message(&upload, 0, message);
    return call(&options, buf_slice(&upload));
}

static void test_health_says_what_an_export_would(void **state)
{
    struct h2_stream *stream = ask_health(slice_of("", 0));

    (void)state;
    assert_ok(stream);
    assert_int_equal(stream->body.len, H2_PREFIX_BYTES + 2);
    assert_memory_equal(stream->body.data, "\0\0\0\0\x02\x08\x01", stream->body.len);
    intake_close(rig.intake);
    stream = ask_health(slice_of("", 0));
    assert_ok(stream);
    assert_memory_equal(stream->body.data, "\0\0\0\0\x02\x08\x02", stream->body.len);
}

static void test_health_refusals(void **state)
{
    struct h2_call_options watch = {.path = "/grpc.health.v1.Health/Watch"};
    static uint8_t long_message[H2_HEALTH_BYTES_MAX + 1];

    (void)state;
    assert_refused(ask_health(slice_of("\x0a\x01x", 3)), 5, "there is no service of that name here");
    assert_refused(ask_health(slice_of("\xff", 1)), 3, "the request is not a HealthCheckRequest");
    assert_refused(ask_health(slice_of(long_message, sizeof(long_message))), 3,
                   "the request is 1025 bytes, 1024 are allowed");
    assert_int_equal(client_grpc_status(call(&watch, buf_slice(&upload))), 12);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ok_is_head_message_and_trailers),
        TEST(test_rejected_spans_are_in_the_message),
        TEST(test_every_codec_is_stored),
        TEST(test_encoding_of_a_message_that_is_not_flagged),
        TEST(test_empty_message_is_ok_and_not_stored),
        TEST(test_message_in_frames_of_one_byte),
        TEST(test_large_message_in_every_frame_size),
        TEST(test_large_requests_are_answered_alike),
        TEST(test_calls_on_one_connection_are_independent),
        TEST(test_no_message_is_invalid),
        TEST(test_half_a_message_is_invalid),
        TEST(test_two_messages_are_invalid),
        TEST(test_flag_byte_is_zero_or_one),
        TEST(test_flag_without_an_encoding_is_internal),
        TEST(test_damaged_compression_is_invalid),
        TEST(test_too_large_is_refused_before_it_is_read),
        TEST(test_other_methods_are_unimplemented),
        TEST(test_unknown_codec_names_those_that_work),
        TEST(test_what_is_no_grpc_is_refused_as_http),
        TEST(test_fields_above_the_bound_are_resource_exhausted),
        TEST(test_credentials),
        TEST(test_stopping_is_unavailable_with_retry),
        TEST(test_calls_above_the_bound_are_unavailable),
        TEST(test_bytes_above_the_bound_are_unavailable),
        TEST(test_announced_bytes_are_not_held),
        TEST(test_without_memory_is_unavailable),
        TEST(test_without_memory_to_answer_is_refused_stream),
        TEST(test_health_says_what_an_export_would),
        TEST(test_health_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
