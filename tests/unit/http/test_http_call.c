/*
 * test_http_call.c - requests and their answers as they are on the wire.
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
#include "http_client.h"
#include "http_internal.h"
#include "metrics.h"
#include "otlp_field.h"
#include "otlp_status.h"
#include "packers.h"

#define JSON_SPAN                                                                                                      \
    "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"30313233343536373839616263646566\","              \
    "\"spanId\":\"3031323334353637\",\"name\":\"a span\"}]}]}]}"

static struct buf request;
static struct buf packed;
static int fd;

static int start(void **state)
{
    (void)state;
    buf_init(&request, 64UL << 20);
    buf_init(&packed, 64UL << 20);
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of_text("a span"));
    rig_init(&http_protocol);
    rig_start();
    fd = rig_connect();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    close(fd);
    rig_fini();
    buf_fini(&packed);
    buf_fini(&request);
    return 0;
}

static void reconnect(void)
{
    close(fd);
    fd = rig_connect();
}

/* Another server, with what the test has set in rig's options. */
static void restart(void)
{
    close(fd);
    rig_restart();
    fd = rig_connect();
}

static void assert_body(const struct answer *answer, const char *expected)
{
    assert_int_equal(answer->body_len, strlen(expected));
    assert_memory_equal(answer->body, expected, answer->body_len);
}

static void assert_field(const struct answer *answer, const char *name, const char *expected)
{
    const char *value = client_field(answer, name);

    if (value == NULL)
        fail_msg("no field %s in: %s", name, answer->head);
    assert_string_equal(value, expected);
}

/* google.rpc.Status { int32 code = 1; string message = 2; }, as protobuf. */
static void assert_refused(const struct answer *answer, int status, uint64_t code, const char *text)
{
    struct slice body = slice_of(answer->body, answer->body_len);
    struct otlp_field field;

    assert_int_equal(answer->status, status);
    assert_field(answer, "Content-Type", "application/x-protobuf");
    assert_true(otlp_field_next(&body, &field));
    assert_int_equal(field.number, 1);
    assert_int_equal(field.value, code);
    assert_true(otlp_field_next(&body, &field));
    assert_int_equal(field.number, 2);
    assert_true(slice_equal(field.bytes, slice_of_text(text)));
}

static void assert_busy(const struct answer *answer, const char *text)
{
    uint64_t delay_ms;

    assert_refused(answer, 503, 14, text);
    assert_field(answer, "Retry-After", "1");
    assert_true(otlp_status_find_retry(slice_of(answer->body, answer->body_len), &delay_ms));
    assert_int_equal(delay_ms, SPOOL_RETRY_MIN_MS);
}

static struct answer read_answer(void)
{
    static struct answer answer;

    if (!client_read(fd, &answer))
        fail_msg("the server closed, and there was no answer");
    return answer;
}

static void assert_works(void)
{
    assert_int_equal(client_post(fd, buf_slice(&request), "").status, 200);
}

/* --- OK ---------------------------------------------------------------------------- */

static void test_ok_has_an_empty_message_of_the_type(void **state)
{
    struct answer answer = client_post(fd, buf_slice(&request), "");

    (void)state;
    assert_int_equal(answer.status, 200);
    assert_field(&answer, "Content-Type", "application/x-protobuf");
    assert_int_equal(answer.body_len, 0);
    home_assert_stored(&rig.home, 1, buf_slice(&request));
}

static void post_json(const char *json)
{
    client_print(fd,
                 "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 strlen(json), json);
}

static void test_json_is_answered_as_json_and_stored_as_protobuf(void **state)
{
    struct answer answer;

    (void)state;
    post_json(JSON_SPAN);
    answer = read_answer();
    assert_int_equal(answer.status, 200);
    assert_field(&answer, "Content-Type", "application/json");
    assert_body(&answer, "{}");
    home_assert_stored(&rig.home, 1, buf_slice(&request));
    post_json("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"\",\"spanId\":\"\"}]}]}]}");
    answer = read_answer();
    assert_int_equal(answer.status, 200);
    assert_body(&answer, "{\"partialSuccess\":{\"rejectedSpans\":\"1\","
                         "\"errorMessage\":\"1 of 1 spans rejected: 1 with an invalid trace_id\"}}");
}

static void test_every_encoding_is_stored(void **state)
{
    static const enum otlp_codec codecs[] = {OTLP_CODEC_GZIP, OTLP_CODEC_DEFLATE, OTLP_CODEC_ZSTD, OTLP_CODEC_SNAPPY};

    (void)state;
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        char field[64];

        snprintf(field, sizeof(field), "Content-Encoding: %s\r\n", otlp_codec_name(codecs[i]));
        pack(codecs[i], buf_slice(&request), &packed);
        assert_int_equal(client_post(fd, buf_slice(&packed), field).status, 200);
        home_assert_stored(&rig.home, i + 1, buf_slice(&request));
    }
    pack_snappy_block(buf_slice(&request), &packed); /* as clients of HTTP send snappy */
    assert_int_equal(client_post(fd, buf_slice(&packed), "Content-Encoding: snappy\r\n").status, 200);
    home_assert_stored(&rig.home, 5, buf_slice(&request));
}

static void test_empty_body_is_an_empty_request(void **state)
{
    (void)state;
    assert_int_equal(client_post(fd, slice_of("", 0), "").status, 200);
    client_print(fd, "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-protobuf\r\n\r\n");
    assert_int_equal(read_answer().status, 200);
    client_print(fd, "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-protobuf\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_int_equal(read_answer().status, 200);
    assert_works();
    assert_int_equal(home_stat(&rig.home).received_records, 1);
}

static void test_connection_is_kept_alive(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        assert_works();
    assert_int_equal(home_stat(&rig.home).received_records, 50);
    assert_int_equal(net_quota_used(&rig.quota), 1);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
    struct answer answer;

    (void)state;
    for (int i = 0; i < 20; i++) {
        client_post_head(fd, request.len - (i % 2 == 1), "");
        rig_write(fd, slice_of(request.data, request.len - (i % 2 == 1)));
    }
    for (int i = 0; i < 20; i++) {
        answer = read_answer();
        assert_int_equal(answer.status, i % 2 == 1 ? 400 : 200);
    }
    assert_int_equal(home_stat(&rig.home).received_records, 10);
}

static void test_body_in_pieces_of_one_byte(void **state)
{
    (void)state;
    client_post_head(fd, request.len, "");
    for (size_t i = 0; i < request.len; i++)
        rig_write(fd, slice_of(request.data + i, 1));
    assert_int_equal(read_answer().status, 200);
    home_assert_stored(&rig.home, 1, buf_slice(&request));
}

static void put_chunks(struct slice body, size_t piece)
{
    client_print(fd, "POST /v1/traces HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-protobuf\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < body.len; at += piece) {
        size_t len = body.len - at < piece ? body.len - at : piece;

        client_print(fd, "%zx\r\n", len);
        rig_write(fd, slice_of(body.data + at, len));
        client_print(fd, "\r\n");
    }
    client_print(fd, "0\r\n\r\n");
}

static void test_large_body_with_a_length_and_in_chunks(void **state)
{
    char *name = calloc(1, 900000);

    (void)state;
    assert_non_null(name);
    buf_clear(&request);
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of(name, 900000));
    assert_works();
    put_chunks(buf_slice(&request), 50000);
    assert_int_equal(read_answer().status, 200);
    put_chunks(buf_slice(&request), 100);
    assert_int_equal(read_answer().status, 200);
    for (uint64_t seq = 1; seq <= 3; seq++)
        home_assert_stored(&rig.home, seq, buf_slice(&request));
    free(name);
}

/* --- what is wrong with the head ------------------------------------------------------- */

static void test_what_is_not_ours_is_refused_by_its_head(void **state)
{
    struct answer answer;

    (void)state;
    client_print(fd, "POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n\r\n");
    answer = read_answer();
    assert_refused(&answer, 404, 12, "tracespool takes traces only, by POST /v1/traces");
    client_print(fd, "GET /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n");
    answer = read_answer();
    assert_refused(&answer, 405, 12, "/v1/traces takes POST only");
    assert_field(&answer, "Allow", "POST");
    client_print(fd, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n\r\n");
    answer = read_answer();
    assert_refused(&answer, 415, 3, "the Content-Type is neither application/x-protobuf nor application/json");
    client_post_head(fd, 0, "Content-Encoding: br\r\n");
    answer = read_answer();
    assert_refused(&answer, 415, 3,
                   "the Content-Encoding is not known here; gzip, deflate, zstd, snappy and identity (no compression) "
                   "work");
    assert_field(&answer, "Accept-Encoding", "gzip, deflate, zstd, snappy, identity");
    assert_works(); /* on the same connection */
}

static void test_refusal_of_json_is_json(void **state)
{
    struct answer answer;

    (void)state;
    post_json("{");
    answer = read_answer();
    assert_int_equal(answer.status, 400);
    assert_field(&answer, "Content-Type", "application/json");
    assert_memory_equal(answer.body, "{\"code\":3,\"message\":\"", 21);
    client_print(fd, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n");
    answer = read_answer();
    assert_int_equal(answer.status, 404);
    assert_body(&answer, "{\"code\":12,\"message\":\"tracespool takes traces only, by POST /v1/traces\"}");
}

static void test_head_above_the_bound_is_431(void **state)
{
    struct answer answer;
    char *value = malloc(200000);

    (void)state;
    assert_non_null(value);
    memset(value, 'v', 200000);
    client_print(fd, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nX-Long: ");
    rig_write(fd, slice_of(value, 16384));
    client_print(fd, "\r\n\r\n");
    answer = read_answer();
    assert_int_equal(answer.status, 431);
    assert_field(&answer, "Content-Type", "application/x-protobuf");
    /* What does not fit into a connection's memory at all is libmicrohttpd's to refuse. */
    reconnect();
    client_print(fd, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-Long: ");
    rig_write(fd, slice_of(value, 200000));
    answer = read_answer();
    assert_int_equal(answer.status, 431);
    reconnect();
    free(value);
    assert_works();
}

static void test_credentials(void **state)
{
    uint64_t refused = metrics_get(METRIC_RECEIVER_UNAUTHENTICATED);
    char path[] = "/tmp/tracespool-tokens-XXXXXX";
    struct net_tokens *tokens = NULL;
    struct answer answer;
    int file = mkstemp(path);
    struct err err;

    (void)state;
    assert_true(dprintf(file, "a-token-of-32-characters-or-more\n") > 0);
    close(file);
    assert_int_equal(net_tokens_load(&tokens, path, &err), 0);
    unlink(path);
    rig.options.tokens = tokens;
    restart();
    answer = client_post(fd, buf_slice(&request), "Authorization: Bearer a-token-of-32-characters-or-more\r\n");
    assert_int_equal(answer.status, 200);
    answer = client_post(fd, buf_slice(&request), "Authorization: Bearer a-token-of-32-characters-or-mor\r\n");
    assert_refused(&answer, 401, 16, "the request has no bearer token that is known here (field Authorization)");
    assert_field(&answer, "WWW-Authenticate", "Bearer");
    answer = client_post(fd, buf_slice(&request), "");
    assert_int_equal(answer.status, 401);
    assert_int_equal(metrics_get(METRIC_RECEIVER_UNAUTHENTICATED), refused + 2);
    assert_int_equal(home_stat(&rig.home).received_records, 1);
    close(fd);
    rig_wait_connections(0);
    rig_stop();
    net_tokens_free(tokens);
}

/* --- what is wrong with the body -------------------------------------------------------- */

static void test_truncated_is_400(void **state)
{
    uint64_t invalid = metrics_get(METRIC_RECEIVER_INVALID);
    struct answer answer = client_post(fd, slice_of(request.data, request.len - 1), "");

    (void)state;
    assert_refused(&answer, 400, 3, "request: a length that passes the end, at byte 0");
    assert_int_equal(metrics_get(METRIC_RECEIVER_INVALID), invalid + 1);
    assert_works(); /* on the same connection */
}

static void test_damaged_compression_is_400(void **state)
{
    (void)state;
    assert_int_equal(client_post(fd, buf_slice(&request), "Content-Encoding: gzip\r\n").status, 400);
    assert_works();
}

/* Refused by its length: nothing of it is held, whether or not it comes. */
static void test_too_large_length_is_413(void **state)
{
    uint64_t too_large = metrics_get(METRIC_RECEIVER_TOO_LARGE);
    struct answer answer;

    (void)state;
    client_post_head(fd, RIG_MAX_REQUEST_BYTES + 1, "Expect: 100-continue\r\n");
    answer = read_answer();
    assert_refused(&answer, 413, 8, "the request is 1048577 bytes or more, 1048576 are allowed");
    assert_int_equal(metrics_get(METRIC_RECEIVER_TOO_LARGE), too_large + 1);
    home_wait_idle();
    reconnect();
    assert_works();
}

/* Its client sends all of it before it looks for an answer, and must find one, or it would send it again for ever. */
static void assert_answer_after(size_t len, const char *fields, int status)
{
    uint8_t *zeroes = calloc(1, len);

    assert_non_null(zeroes);
    client_post_head(fd, len, fields);
    assert_true(rig_write(fd, slice_of(zeroes, len)));
    assert_int_equal(read_answer().status, status);
    free(zeroes);
}

static void test_refused_body_is_taken_before_the_answer(void **state)
{
    (void)state;
    assert_answer_after(HTTP_DROPPED_FACTOR * RIG_MAX_REQUEST_BYTES, "", 413);
    assert_answer_after(HTTP_DROPPED_FACTOR * RIG_MAX_REQUEST_BYTES, "Content-Encoding: br\r\n", 415);
    intake_close(rig.intake);
    assert_answer_after(1UL << 20, "", 503);
}

/* A body that is far beyond the bound is not waited for. */
static void test_refused_body_has_a_bound(void **state)
{
    size_t most = HTTP_DROPPED_FACTOR * RIG_MAX_REQUEST_BYTES;
    uint8_t *zeroes = calloc(1, most);
    struct answer answer;

    (void)state;
    assert_non_null(zeroes);
    client_post_head(fd, most + 1, "");
    answer = read_answer();
    assert_refused(&answer, 413, 8, "the request is 4194305 bytes or more, 1048576 are allowed");
    client_await_end(fd);
    reconnect();
    client_post_head(fd, SIZE_MAX / 4, "Content-Encoding: br\r\n");
    assert_int_equal(read_answer().status, 415);
    client_await_end(fd);
    reconnect();
    client_print(fd, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        client_print(fd, "%zx\r\n", most);
        if (!rig_write(fd, slice_of(zeroes, most)))
            break;
        client_print(fd, "\r\n");
    }
    client_await_end(fd);
    home_wait_idle();
    free(zeroes);
    reconnect();
    assert_works();
}

static void test_too_many_chunks_are_413(void **state)
{
    uint8_t *zeroes = calloc(1, 2UL << 20);

    (void)state;
    assert_non_null(zeroes);
    put_chunks(slice_of(zeroes, RIG_MAX_REQUEST_BYTES + 1), 10000);
    assert_int_equal(read_answer().status, 413);
    free(zeroes);
    home_wait_idle();
    assert_works(); /* all of it has been taken, so the connection goes on */
}

static void test_too_large_when_inflated_is_413(void **state)
{
    uint8_t *zeroes = calloc(1, 32UL << 20);
    struct answer answer;

    (void)state;
    assert_non_null(zeroes);
    pack(OTLP_CODEC_GZIP, slice_of(zeroes, 32UL << 20), &packed);
    answer = client_post(fd, buf_slice(&packed), "Content-Encoding: gzip\r\n");
    assert_refused(&answer, 413, 8, "gzip: more than 1048576 bytes when inflated");
    free(zeroes);
    assert_works();
}

/* Of more than INTAKE_SMALL_BYTES, as they come or inflated: they are checked on another thread. */
static void test_large_requests_are_answered_alike(void **state)
{
    char *name = calloc(1, 8UL << 20);
    struct answer answer;

    (void)state;
    assert_non_null(name);
    rig.intake_options.max_request_bytes = 4UL << 20;
    restart();
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of(name, 3UL << 20));
    answer = client_post(fd, buf_slice(&request), "");
    assert_int_equal(answer.status, 200);
    home_assert_stored(&rig.home, 1, buf_slice(&request));
    pack(OTLP_CODEC_GZIP, buf_slice(&request), &packed);
    answer = client_post(fd, buf_slice(&packed), "Content-Encoding: gzip\r\n");
    assert_int_equal(answer.status, 200);
    home_assert_stored(&rig.home, 2, buf_slice(&request));
    pack(OTLP_CODEC_GZIP, slice_of(name, 8UL << 20), &packed);
    answer = client_post(fd, buf_slice(&packed), "Content-Encoding: gzip\r\n");
    assert_refused(&answer, 413, 8, "gzip: more than 4194304 bytes when inflated");
    assert_works();
    free(name);
}

static void test_malformed_http_is_400(void **state)
{
    static const char *const heads[] = {
        "POST /v1/traces HTTP/1.1\r\nContent-Type: application/x-protobuf\r\nContent-Length: x\r\nHost: x\r\n\r\n",
        "POST /v1/traces HTTP/1.1\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1\r\n\r\nx", /* no Host */
        "nonsense\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct answer answer;

        client_print(fd, "%s", heads[i]);
        if (client_read(fd, &answer))
            assert_int_equal(answer.status, 400);
        client_await_end(fd);
        reconnect();
    }
    assert_works();
}

/* Of which two readers could take different lengths: refused at once, and nothing behind it is read. */
static void test_ambiguous_length_is_400_and_the_end(void **state)
{
    static const char *const fields[] = {
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 0\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct answer answer;

        client_print(fd,
                     "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n%s\r\n0\r\n\r\n",
                     fields[i]);
        answer = read_answer();
        assert_refused(&answer, 400, 3,
                       "the request has more than one length, or a Transfer-Encoding other than chunked");
        assert_field(&answer, "Connection", "close");
        client_await_end(fd);
        reconnect();
    }
    assert_works();
}

/* --- 100-continue ----------------------------------------------------------------------- */

static void test_expectation_is_met(void **state)
{
    (void)state;
    client_post_head(fd, request.len, "Expect: 100-continue\r\n");
    assert_int_equal(read_answer().status, 100);
    rig_write(fd, buf_slice(&request));
    assert_int_equal(read_answer().status, 200);
    assert_works();
}

/* The body is not asked for when it would be refused. */
static void test_expectation_of_what_is_refused_is_not_met(void **state)
{
    struct answer answer;

    (void)state;
    intake_close(rig.intake);
    client_post_head(fd, request.len, "Expect: 100-continue\r\n");
    answer = read_answer();
    assert_busy(&answer, "the receiver is stopping");
}

/* --- refused for now ---------------------------------------------------------------------- */

static void test_stopping_is_503_with_retry(void **state)
{
    struct answer answer;

    (void)state;
    intake_close(rig.intake);
    answer = client_post(fd, buf_slice(&request), "");
    assert_busy(&answer, "the receiver is stopping");
    assert_int_equal(home_stat(&rig.home).received_records, 0);
}

static void test_calls_above_the_bound_are_503(void **state)
{
    struct answer answer;
    int first;

    (void)state;
    rig.intake_options.max_calls = 1;
    restart();
    first = fd;
    client_post_head(first, request.len, "");
    home_wait_calls(1, 0);
    fd = rig_connect();
    answer = client_post(fd, buf_slice(&request), "");
    assert_busy(&answer, "the receiver has 1 calls in hand, which is receiver.max_calls");
    close(first);
    home_wait_idle();
    reconnect();
    assert_works();
}

static void test_bytes_above_the_bound_are_503(void **state)
{
    struct answer answer;
    int first;

    (void)state;
    rig.intake_options.max_in_flight_bytes = 2 * HTTP_MESSAGE_ROOM - 1;
    restart();
    first = fd;
    client_post_head(first, request.len, "");
    rig_write(first, slice_of(request.data, 10));
    home_wait_calls(1, HTTP_MESSAGE_ROOM);
    fd = rig_connect();
    answer = client_post(fd, buf_slice(&request), "");
    assert_busy(&answer, "the receiver has 65536 bytes in hand, near receiver.max_in_flight_bytes");
    close(first);
    home_wait_idle();
    assert_works(); /* on the same connection: its body has been taken */
}

static void test_without_memory_is_503(void **state)
{
    struct answer answer;

    (void)state;
    fault_arm("buf.grow", 1, ENOMEM);
    answer = client_post(fd, buf_slice(&request), "");
    assert_busy(&answer, "no memory for the request");
    fault_arm("receiver.received", 1, ENOMEM);
    answer = client_post(fd, buf_slice(&request), "");
    assert_busy(&answer, "fault before the request was stored");
    fault_arm("receiver.durable", 1, EIO);
    answer = client_post(fd, buf_slice(&request), "");
    assert_busy(&answer, "fault after the request was stored");
    assert_works();
    assert_int_equal(home_stat(&rig.home).received_records, 2);
}

/* Not even memory for an answer: the connection is closed, which a client may try again. */
static void test_without_memory_to_answer_is_closed(void **state)
{
    (void)state;
    fault_arm("buf.grow", 1, ENOMEM);
    client_print(fd, "GET /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n");
    client_await_end(fd);
    reconnect();
    assert_works();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ok_has_an_empty_message_of_the_type),
        TEST(test_json_is_answered_as_json_and_stored_as_protobuf),
        TEST(test_every_encoding_is_stored),
        TEST(test_empty_body_is_an_empty_request),
        TEST(test_connection_is_kept_alive),
        TEST(test_pipelined_requests_are_answered_in_order),
        TEST(test_body_in_pieces_of_one_byte),
        TEST(test_large_body_with_a_length_and_in_chunks),
        TEST(test_what_is_not_ours_is_refused_by_its_head),
        TEST(test_refusal_of_json_is_json),
        TEST(test_head_above_the_bound_is_431),
        TEST(test_credentials),
        TEST(test_truncated_is_400),
        TEST(test_damaged_compression_is_400),
        TEST(test_too_large_length_is_413),
        TEST(test_refused_body_is_taken_before_the_answer),
        TEST(test_refused_body_has_a_bound),
        TEST(test_too_many_chunks_are_413),
        TEST(test_too_large_when_inflated_is_413),
        TEST(test_large_requests_are_answered_alike),
        TEST(test_malformed_http_is_400),
        TEST(test_ambiguous_length_is_400_and_the_end),
        TEST(test_expectation_is_met),
        TEST(test_expectation_of_what_is_refused_is_not_met),
        TEST(test_stopping_is_503_with_retry),
        TEST(test_calls_above_the_bound_are_503),
        TEST(test_bytes_above_the_bound_are_503),
        TEST(test_without_memory_is_503),
        TEST(test_without_memory_to_answer_is_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
