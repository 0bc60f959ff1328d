/*
 * test_receiver.c - calls and their answers, over loopback, with a real spool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"
#include "metrics.h"
#include "otlp_response.h"
#include "packers.h"
#include "receiver_fixture.h"

static struct buf request;
static struct buf back;

static int start(void **state)
{
    buf_init(&request, 64UL << 20);
    buf_init(&back, 64UL << 20);
    return fixture_start(state);
}

static int start_small(void **state)
{
    buf_init(&request, 64UL << 20);
    buf_init(&back, 64UL << 20);
    return fixture_start_small(state);
}

static int stop(void **state)
{
    home_wait_idle();
    buf_fini(&back);
    buf_fini(&request);
    return fixture_stop(state);
}

static void load(const char *name)
{
    buf_clear(&request);
    home_load(&request, name);
}

static struct home *home_of(void **state)
{
    return &((struct fixture *)*state)->home;
}

static void assert_ok(const struct export_answer *answer)
{
    if (answer->code != 0)
        fail_msg("%s: %s", export_code_name(answer->code), answer->message);
}

static void assert_refused_for(const struct export_answer *answer, const char *text, uint64_t delay_ms)
{
    assert_string_equal(export_code_name(answer->code), "UNAVAILABLE");
    assert_string_equal(answer->message, text);
    assert_true(answer->retryable);
    assert_true(answer->has_retry_delay);
    assert_int_equal(answer->retry_delay_ms, delay_ms);
}

static void assert_busy(const struct export_answer *answer, const char *text)
{
    assert_refused_for(answer, text, SPOOL_RETRY_MIN_MS);
}

/* --- stored ----------------------------------------------------------------- */

static void test_export_plain_is_stored_whole(void **state)
{
    uint64_t ok = metrics_get(METRIC_RECEIVER_OK), spans = metrics_get(METRIC_RECEIVER_SPANS);
    uint64_t bytes = metrics_get(METRIC_RECEIVER_BYTES);
    struct export_answer answer;
    struct spool_record record;

    load("collector-batch-0002.pb");
    answer = fixture_send(*state, buf_slice(&request), false);
    assert_ok(&answer);
    assert_int_equal(answer.rejected_spans, 0);
    assert_string_equal(answer.partial_message, "");
    assert_true(answer.elapsed_ns > 0);
    record = home_read(home_of(state), 1, &back);
    assert_true(slice_equal(buf_slice(&back), buf_slice(&request)));
    assert_int_equal(record.codec, OTLP_CODEC_ZSTD);
    assert_int_equal(record.raw_bytes, request.len);
    assert_int_equal(record.spans, 40);
    assert_true(record.received_ns > 0);
    assert_int_equal(metrics_get(METRIC_RECEIVER_OK), ok + 1);
    assert_int_equal(metrics_get(METRIC_RECEIVER_SPANS), spans + 40);
    assert_int_equal(metrics_get(METRIC_RECEIVER_BYTES), bytes + request.len);
}

static void test_export_gzip_is_stored_as_it_came(void **state)
{
    struct raw_call raw = {.method = OTLP_EXPORT_METHOD, .encoding = "gzip"};
    struct fixture *fixture = *state;
    struct spool_record record;
    struct buf packed;
    struct slice bytes;
    struct arena arena;
    struct err err;

    load("java-0001.pb");
    buf_init(&packed, 64UL << 20);
    arena_init(&arena, 64UL << 20);
    assert_int_equal(otlp_codec_deflate(OTLP_CODEC_GZIP, buf_slice(&request), &packed, &err), 0);
    bytes = buf_slice(&packed);
    raw.message = &bytes;
    fixture_raw_call(fixture, &raw);
    assert_int_equal(raw.code, 0);
    assert_int_equal(spool_read(fixture->home.spool, 1, &arena, &record, &err), 1);
    assert_int_equal(record.codec, OTLP_CODEC_GZIP);
    assert_int_equal(record.raw_bytes, request.len);
    assert_true(slice_equal(record.payload, bytes));
    arena_fini(&arena);
    buf_fini(&packed);
}

/* The two that gRPC core's client names; test_h2_call has the others. */
static void test_export_gzip_and_deflate_are_stored(void **state)
{
    static const enum otlp_codec codecs[] = {OTLP_CODEC_GZIP, OTLP_CODEC_DEFLATE};
    struct buf packed;

    load("java-0001.pb");
    buf_init(&packed, 64UL << 20);
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        struct raw_call raw = {.method = OTLP_EXPORT_METHOD, .encoding = otlp_codec_name(codecs[i])};
        struct slice bytes;

        pack(codecs[i], buf_slice(&request), &packed);
        bytes = buf_slice(&packed);
        raw.message = &bytes;
        fixture_raw_call(*state, &raw);
        assert_int_equal(raw.code, 0);
        home_assert_stored(home_of(state), i + 1, buf_slice(&request));
    }
    buf_fini(&packed);
}

/* gRPC's own compression, and requests from every agent that there is a capture of. */
static void test_export_every_capture_comes_back(void **state)
{
    DIR *directory = opendir(TEST_DATA_DIR "/otlp");
    struct dirent *entry;
    uint64_t seq = 0;
    bool gzip = false;

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        struct export_answer answer;
        struct spool_record record;

        if (strstr(entry->d_name, ".pb") == NULL)
            continue;
        load(entry->d_name);
        answer = fixture_send(*state, buf_slice(&request), gzip);
        assert_ok(&answer);
        assert_int_equal(answer.rejected_spans, 0);
        if (request.len == 0)
            continue;
        record = home_read(home_of(state), ++seq, &back);
        assert_true(slice_equal(buf_slice(&back), buf_slice(&request)));
        assert_true(record.spans > 0);
        assert_int_equal(record.codec, gzip ? OTLP_CODEC_GZIP : OTLP_CODEC_ZSTD);
        gzip = !gzip;
    }
    closedir(directory);
    assert_true(seq > 40);
}

static void test_export_empty_is_ok_and_not_stored(void **state)
{
    struct export_answer answer = fixture_send(*state, slice_of("", 0), false);

    assert_ok(&answer);
    assert_string_equal(answer.partial_message, "");
    answer = fixture_send(*state, slice_of("\x0a\x00", 2), false);
    assert_ok(&answer);
    assert_int_equal(home_stat(home_of(state)).received_records, 0);
}

static void test_export_some_invalid_is_partial_success(void **state)
{
    uint64_t rejected = metrics_get(METRIC_RECEIVER_REJECTED_TRACE_ID), spans = metrics_get(METRIC_RECEIVER_SPANS);
    uint64_t span_id = metrics_get(METRIC_RECEIVER_REJECTED_SPAN_ID);
    struct export_answer answer;

    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of_text("good"));
    home_put_span(&request, "short", HOME_SPAN_ID, slice_of_text("bad trace"));
    home_put_span(&request, HOME_TRACE_ID, "", slice_of_text("bad span"));
    answer = fixture_send(*state, buf_slice(&request), false);
    assert_ok(&answer);
    assert_int_equal(answer.rejected_spans, 2);
    assert_string_equal(answer.partial_message,
                        "2 of 3 spans rejected: 1 with an invalid trace_id; 1 with an invalid span_id");
    assert_int_equal(home_read(home_of(state), 1, &back).spans, 1);
    assert_true(slice_equal(buf_slice(&back), buf_slice(&request)));
    assert_int_equal(metrics_get(METRIC_RECEIVER_REJECTED_TRACE_ID), rejected + 1);
    assert_int_equal(metrics_get(METRIC_RECEIVER_REJECTED_SPAN_ID), span_id + 1);
    assert_int_equal(metrics_get(METRIC_RECEIVER_SPANS), spans + 1);
}

static void test_export_all_invalid_is_ok_and_not_stored(void **state)
{
    struct export_answer answer;

    home_put_span(&request, "short", HOME_SPAN_ID, slice_of_text("bad trace"));
    answer = fixture_send(*state, buf_slice(&request), true);
    assert_ok(&answer);
    assert_int_equal(answer.rejected_spans, 1);
    assert_string_equal(answer.partial_message, "1 of 1 spans rejected: 1 with an invalid trace_id");
    assert_int_equal(home_stat(home_of(state)).received_records, 0);
}

/* --- refused for good --------------------------------------------------------- */

static void test_export_truncated_is_invalid_argument(void **state)
{
    uint64_t invalid = metrics_get(METRIC_RECEIVER_INVALID);
    struct raw_call raw = {.method = OTLP_EXPORT_METHOD};
    struct export_answer answer;
    struct slice cut;

    load("java-0001.pb");
    cut = slice_of(request.data, request.len - 1);
    answer = fixture_send(*state, cut, true);
    assert_string_equal(export_code_name(answer.code), "INVALID_ARGUMENT");
    assert_string_equal(answer.message, "request: a length that passes the end, at byte 0");
    assert_false(answer.retryable);
    raw.message = &cut;
    fixture_raw_call(*state, &raw);
    assert_int_equal(raw.code, 3);
    assert_true(raw.has_details);
    assert_false(raw.has_retry);
    assert_int_equal(home_stat(home_of(state)).received_records, 0);
    assert_int_equal(metrics_get(METRIC_RECEIVER_INVALID), invalid + 2);
}

static void assert_too_large(const struct export_answer *answer, const char *text)
{
    assert_string_equal(export_code_name(answer->code), "RESOURCE_EXHAUSTED");
    assert_string_equal(answer->message, text);
    assert_false(answer->has_retry_delay);
    assert_false(answer->retryable);
}

static void test_export_too_large_is_resource_exhausted(void **state)
{
    uint64_t too_large = metrics_get(METRIC_RECEIVER_TOO_LARGE);
    size_t len = 32UL << 20;
    uint8_t *zeroes = calloc(1, len);
    struct export_answer answer;

    assert_non_null(zeroes);
    answer = fixture_send(*state, slice_of(zeroes, FIXTURE_MAX_REQUEST_BYTES + 1), false);
    assert_too_large(&answer, "the request is 1048577 bytes, 1048576 are allowed");
    answer = fixture_send(*state, slice_of(zeroes, len), false);
    assert_too_large(&answer, "the request is 33554432 bytes, 1048576 are allowed");
    answer = fixture_send(*state, slice_of(zeroes, len), true); /* 32 kB on the wire */
    assert_too_large(&answer, "gzip: more than 1048576 bytes when inflated");
    assert_int_equal(metrics_get(METRIC_RECEIVER_TOO_LARGE), too_large + 3);
    assert_int_equal(home_stat(home_of(state)).received_records, 0);
    free(zeroes);
}

/* gRPC core's client drops the name of a codec that it does not know, so the server cannot know it either. */
static void test_export_flagged_without_a_codec_is_internal(void **state)
{
    struct slice message = slice_of_text("whatever");
    struct raw_call raw = {.method = OTLP_EXPORT_METHOD, .message = &message, .encoding = "br"};

    fixture_raw_call(*state, &raw);
    assert_int_equal(raw.code, 13);
    assert_string_equal(raw.text, "the message is flagged as compressed, and the call names no grpc-encoding");
    assert_false(raw.has_retry);
}

static void test_export_damaged_gzip_is_invalid_argument(void **state)
{
    struct raw_call raw = {.method = OTLP_EXPORT_METHOD, .encoding = "gzip"};
    struct slice bytes = slice_of_text("this is no gzip stream");

    raw.message = &bytes;
    fixture_raw_call(*state, &raw);
    assert_int_equal(raw.code, 3);
    assert_non_null(strstr(raw.text, "gzip"));
}

static void test_export_without_message_is_invalid_argument(void **state)
{
    struct raw_call raw = {.method = OTLP_EXPORT_METHOD};

    fixture_raw_call(*state, &raw);
    assert_int_equal(raw.code, 3);
    assert_string_equal(raw.text, "the call carried no message");
}

static void test_other_methods_are_unimplemented(void **state)
{
    const char *methods[] = {"/opentelemetry.proto.collector.logs.v1.LogsService/Export",
                             "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
                             "/opentelemetry.proto.collector.trace.v1.TraceService/Other", "/x"};
    struct slice message = slice_of("", 0);

    for (size_t i = 0; i < 4 * sizeof(methods) / sizeof(methods[0]); i++) {
        struct raw_call raw = {.method = methods[i % 4], .message = &message};
        char text[512];

        fixture_raw_call(*state, &raw);
        assert_int_equal(raw.code, 12);
        snprintf(text, sizeof(text),
                 "tracespool takes traces only, by opentelemetry.proto.collector.trace.v1.TraceService/Export; not %s",
                 raw.method);
        assert_string_equal(raw.text, text);
        assert_false(raw.has_details);
    }
}

/* --- refused for now ---------------------------------------------------------- */

static void test_export_into_full_spool_is_unavailable(void **state)
{
    uint64_t unavailable = metrics_get(METRIC_RECEIVER_UNAVAILABLE);
    size_t len = 512UL << 10;
    uint8_t *noise = malloc(len);
    struct export_answer answer = {0};
    uint64_t stored = 0;

    assert_non_null(noise);
    srandom(1);
    for (size_t i = 0; i < len; i++)
        noise[i] = (uint8_t)(random() >> 8);
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of(noise, len));
    while (stored < 64 && (answer = fixture_send(*state, buf_slice(&request), false)).code == 0)
        stored++;
    assert_true(stored > 4 && stored < 64);
    assert_string_equal(export_code_name(answer.code), "UNAVAILABLE");
    assert_non_null(strstr(answer.message, "full"));
    assert_true(answer.retryable && answer.has_retry_delay);
    assert_int_equal(answer.retry_delay_ms, SPOOL_RETRY_MAX_MS); /* nothing is delivered */
    /* Now the writer says so beforehand, and the message is not read. */
    answer = fixture_send(*state, buf_slice(&request), false);
    assert_refused_for(&answer, "the spool takes nothing at the moment: it is full, or its writer is behind",
                       SPOOL_RETRY_MAX_MS);
    assert_int_equal(home_stat(home_of(state)).received_records, stored);
    assert_true(metrics_get(METRIC_RECEIVER_UNAVAILABLE) >= unavailable + 2);
    free(noise);
}

static void test_export_above_bytes_in_hand_is_unavailable(void **state)
{
    struct receiver_options options = fixture_options();
    struct export_answer answer;

    options.intake.max_in_flight_bytes = 1000;
    fixture_restart(*state, &options);
    load("java-0001.pb");
    assert_true(request.len > 1000);
    answer = fixture_send(*state, buf_slice(&request), false);
    assert_busy(&answer, "the receiver has 0 bytes in hand, near receiver.max_in_flight_bytes");
    assert_int_equal(home_stat(home_of(state)).received_records, 0);
    buf_clear(&request);
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of_text("small"));
    answer = fixture_send(*state, buf_slice(&request), false);
    assert_ok(&answer);
}

static void test_fault_before_put_is_unavailable_and_not_stored(void **state)
{
    struct export_answer answer;

    load("java-0001.pb");
    fault_arm("receiver.received", 1, ENOMEM);
    answer = fixture_send(*state, buf_slice(&request), false);
    assert_busy(&answer, "fault before the request was stored");
    assert_int_equal(home_stat(home_of(state)).received_records, 0);
    fault_arm("receiver.deflate", 1, ENOMEM);
    answer = fixture_send(*state, buf_slice(&request), false);
    assert_busy(&answer, "no memory to compress the request");
    fault_arm("spool.put", 1, ENOMEM);
    answer = fixture_send(*state, buf_slice(&request), false);
    assert_busy(&answer, "the spool's queue is full");
    answer = fixture_send(*state, buf_slice(&request), false);
    assert_ok(&answer);
}

/* Stored, but the answer says otherwise: the client sends it again, and nothing is lost. */
static void test_fault_after_put_is_unavailable_and_stored(void **state)
{
    struct export_answer answer;

    load("java-0001.pb");
    fault_arm("receiver.durable", 1, EIO);
    answer = fixture_send(*state, buf_slice(&request), false);
    assert_busy(&answer, "fault after the request was stored");
    assert_int_equal(home_stat(home_of(state)).received_records, 1);
}

/* A message that is announced and does not come in: the call is given up, and the client told in a retryable way. */
static void test_slow_client_is_answered_deadline_exceeded(void **state)
{
    struct raw_call raw = {.method = OTLP_EXPORT_METHOD, .keep_open = true};
    struct receiver_options options = fixture_options();

    options.read_timeout_ms = 200;
    fixture_restart(*state, &options);
    fixture_raw_call(*state, &raw);
    assert_int_equal(raw.code, 4);
    assert_string_equal(raw.text, "the request did not come in within 200 ms");
}

/* --- the other endpoint ------------------------------------------------------- */

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval deadline = {.tv_sec = HOME_TIMEOUT_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Both endpoints are of one intake: what comes by either is in the one spool, and the gauges tell of both. */
static void test_http_is_stored_beside_grpc(void **state)
{
    struct fixture *fixture = *state;
    struct export_answer answer;
    char answered[64] = "";
    int fd = connect_to(receiver_http_port(fixture->receiver));

    load("java-0001.pb");
    answer = fixture_send(fixture, buf_slice(&request), false);
    assert_ok(&answer);
    dprintf(
        fd,
        "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: %zu\r\n\r\n",
        request.len);
    assert_int_equal(send(fd, request.data, request.len, MSG_NOSIGNAL), request.len);
    assert_true(recv(fd, answered, 15, MSG_WAITALL) == 15);
    assert_string_equal(answered, "HTTP/1.1 200 OK");
    close(fd);
    home_assert_stored(home_of(state), 1, buf_slice(&request));
    home_assert_stored(home_of(state), 2, buf_slice(&request));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_export_plain_is_stored_whole),
        TEST(test_export_gzip_is_stored_as_it_came),
        TEST(test_export_gzip_and_deflate_are_stored),
        TEST(test_export_every_capture_comes_back),
        TEST(test_export_empty_is_ok_and_not_stored),
        TEST(test_export_some_invalid_is_partial_success),
        TEST(test_export_all_invalid_is_ok_and_not_stored),
        TEST(test_export_truncated_is_invalid_argument),
        TEST(test_export_too_large_is_resource_exhausted),
        TEST(test_export_flagged_without_a_codec_is_internal),
        TEST(test_export_damaged_gzip_is_invalid_argument),
        TEST(test_export_without_message_is_invalid_argument),
        TEST(test_other_methods_are_unimplemented),
        TEST(test_export_above_bytes_in_hand_is_unavailable),
        cmocka_unit_test_setup_teardown(test_export_into_full_spool_is_unavailable, start_small, stop),
        TEST(test_fault_before_put_is_unavailable_and_not_stored),
        TEST(test_fault_after_put_is_unavailable_and_stored),
        TEST(test_slow_client_is_answered_deadline_exceeded),
        TEST(test_http_is_stored_beside_grpc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
