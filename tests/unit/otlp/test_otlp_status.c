/*
 * test_otlp_status.c - google.rpc.Status and ExportTraceServiceResponse
 * against bytes that Google's and OpenTelemetry's own classes for Python made
 * (googleapis-common-protos 1.76, opentelemetry-proto 1.45).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "otlp_response.h"
#include "otlp_status.h"

#define RETRY_TYPE "\x0a\x28type.googleapis.com/google.rpc.RetryInfo"
#define BAD_REQUEST_TYPE "\x0a\x29type.googleapis.com/google.rpc.BadRequest"

#define GOLDEN(text) slice_of(text, sizeof(text) - 1)
#define RETRY_5000                                                                                                     \
    "\x08\x0e\x12\x04"                                                                                                 \
    "full"                                                                                                             \
    "\x1a\x30" RETRY_TYPE "\x12\x04\x0a\x02\x08\x05"
#define RETRY_1250                                                                                                     \
    "\x08\x0e\x12\x04"                                                                                                 \
    "full"                                                                                                             \
    "\x1a\x35" RETRY_TYPE "\x12\x09\x0a\x07\x08\x01\x10\x80\xe5\x9a\x77"
#define RETRY_0 "\x08\x0e\x1a\x2e" RETRY_TYPE "\x12\x02\x0a\x00"
#define RETRY_NEGATIVE                                                                                                 \
    "\x08\x0e\x12\x01x\x1a\x39" RETRY_TYPE "\x12\x0d\x0a\x0b\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
#define BAD                                                                                                            \
    "\x08\x03\x12\x03"                                                                                                 \
    "bad"                                                                                                              \
    "\x1a\x3d" BAD_REQUEST_TYPE "\x12\x10\x0a\x0e\x0a\x07request\x12\x03"                                              \
    "bad"
#define BAD_THEN_RETRY                                                                                                 \
    "\x08\x0e\x12\x01x\x1a\x3d" BAD_REQUEST_TYPE "\x12\x10\x0a\x0e\x0a\x07request\x12\x03"                             \
    "bad"                                                                                                              \
    "\x1a\x30" RETRY_TYPE "\x12\x04\x0a\x02\x08\x02"

static void assert_bytes(const struct buf *out, struct slice golden)
{
    assert_false(out->failed);
    assert_int_equal(out->len, golden.len);
    assert_memory_equal(out->data, golden.data, golden.len);
}

static void assert_retry(uint64_t delay_ms, const char *message, struct slice golden)
{
    struct buf out;

    buf_init(&out, 1024);
    otlp_status_put_retry(&out, 14, message, delay_ms);
    assert_bytes(&out, golden);
    buf_fini(&out);
}

static void test_put_retry_gives_golden_bytes(void **state)
{
    (void)state;
    assert_retry(5000, "full", GOLDEN(RETRY_5000));
    assert_retry(1250, "full", GOLDEN(RETRY_1250));
    assert_retry(0, "", GOLDEN(RETRY_0));
}

static void test_put_bad_request_gives_golden_bytes(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    otlp_status_put_bad_request(&out, 3, "bad", "request");
    assert_bytes(&out, GOLDEN(BAD));
    buf_fini(&out);
}

static void test_put_longest_text_fits(void **state)
{
    char text[ERR_TEXT_MAX];
    struct buf out;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    buf_init(&out, 4 * ERR_TEXT_MAX);
    otlp_status_put_bad_request(&out, 3, text, "request");
    assert_false(out.failed);
    buf_clear(&out);
    otlp_response_put(&out, UINT32_MAX, text);
    assert_false(out.failed);
    buf_fini(&out);
}

static void test_put_into_full_buffer_fails(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 10);
    otlp_status_put_retry(&out, 14, "full", 5000);
    assert_true(out.failed);
    buf_clear(&out);
    otlp_response_put(&out, 3, "a message that is longer");
    assert_true(out.failed);
    buf_fini(&out);
}

static void test_find_retry_reads_delay(void **state)
{
    uint64_t delay_ms;

    (void)state;
    assert_true(otlp_status_find_retry(GOLDEN(RETRY_5000), &delay_ms));
    assert_int_equal(delay_ms, 5000);
    assert_true(otlp_status_find_retry(GOLDEN(RETRY_1250), &delay_ms));
    assert_int_equal(delay_ms, 1250);
    assert_true(otlp_status_find_retry(GOLDEN(RETRY_0), &delay_ms));
    assert_int_equal(delay_ms, 0);
    assert_true(otlp_status_find_retry(GOLDEN(BAD_THEN_RETRY), &delay_ms));
    assert_int_equal(delay_ms, 2000);
}

static void test_find_retry_negative_delay_is_none(void **state)
{
    uint64_t delay_ms = 7;

    (void)state;
    assert_true(otlp_status_find_retry(GOLDEN(RETRY_NEGATIVE), &delay_ms));
    assert_int_equal(delay_ms, 0);
}

static void test_find_retry_without_one_finds_nothing(void **state)
{
    uint64_t delay_ms;

    (void)state;
    assert_false(otlp_status_find_retry(GOLDEN(BAD), &delay_ms));
    assert_false(otlp_status_find_retry(GOLDEN(""), &delay_ms));
    assert_false(otlp_status_find_retry(GOLDEN("\x08\x0e"), &delay_ms));
    assert_false(otlp_status_find_retry(GOLDEN("no protobuf at all"), &delay_ms));
}

/* Every cut and every changed byte: the reader stays inside (the sanitizer's part) and says yes only with a type. */
static void test_find_retry_damaged_is_survived(void **state)
{
    uint8_t bytes[sizeof(BAD_THEN_RETRY) - 1];
    uint64_t delay_ms;

    (void)state;
    for (size_t len = 0; len < sizeof(bytes) - 6 - 42; len++)
        assert_false(otlp_status_find_retry(slice_of(BAD_THEN_RETRY, len), &delay_ms));
    for (size_t at = 0; at < sizeof(bytes); at++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            memcpy(bytes, BAD_THEN_RETRY, sizeof(bytes));
            bytes[at] ^= (uint8_t)flip;
            if (!otlp_status_find_retry(slice_of(bytes, sizeof(bytes)), &delay_ms))
                assert_int_equal(delay_ms, 0);
        }
    }
}

static void test_response_put_gives_golden_bytes(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    otlp_response_put(&out, 300, "no");
    assert_bytes(&out, GOLDEN("\x0a\x07\x08\xac\x02\x12\x02no"));
    buf_clear(&out);
    otlp_response_put(&out, 0, "");
    assert_int_equal(out.len, 0);
    buf_fini(&out);
}

static void test_response_read_gives_back(void **state)
{
    char message[8];
    int64_t rejected;

    (void)state;
    assert_int_equal(otlp_response_read(GOLDEN("\x0a\x07\x08\xac\x02\x12\x02no"), &rejected, message, 8), 0);
    assert_int_equal(rejected, 300);
    assert_string_equal(message, "no");
}

/* Absent and empty are the same: a Collector always sends an empty one. */
static void test_response_read_empty_partial_is_none(void **state)
{
    char message[8];
    int64_t rejected = 9;

    (void)state;
    assert_int_equal(otlp_response_read(GOLDEN("\x0a\x00"), &rejected, message, 8), 0);
    assert_int_equal(rejected, 0);
    assert_string_equal(message, "");
    assert_int_equal(otlp_response_read(GOLDEN(""), &rejected, message, 8), 0);
    assert_int_equal(rejected, 0);
}

static void test_response_read_long_message_is_cut(void **state)
{
    char message[4];
    int64_t rejected;

    (void)state;
    assert_int_equal(otlp_response_read(GOLDEN("\x0a\x08\x12\x06"
                                               "abcdef"),
                                        &rejected, message, 4),
                     0);
    assert_string_equal(message, "abc");
}

static void test_response_read_damaged_fails(void **state)
{
    char message[8];
    int64_t rejected;

    (void)state;
    assert_int_equal(otlp_response_read(GOLDEN("\x0a\x07\x08"), &rejected, message, 8), -1);
    assert_int_equal(otlp_response_read(GOLDEN("\x0a\x02\x12\x05"), &rejected, message, 8), -1);
    assert_int_equal(otlp_response_read(GOLDEN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), &rejected, message, 8),
                     -1);
}

static void assert_json(struct buf *out, const char *expected)
{
    assert_bytes(out, slice_of_text(expected));
    buf_clear(out);
}

/* As google.protobuf.json_format writes the same messages, but for the spaces. */
static void test_write_json_status(void **state)
{
    struct json json;
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    json_init(&json, &out);
    otlp_status_write_json(&json, 16, "no \"token\"");
    assert_json(&out, "{\"code\":16,\"message\":\"no \\\"token\\\"\"}");
    otlp_status_write_json_retry(&json, 14, "full", 5000);
    assert_json(&out, "{\"code\":14,\"message\":\"full\",\"details\":[{\"@type\":"
                      "\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"5s\"}]}");
    otlp_status_write_json_retry(&json, 14, "", 1250);
    assert_json(&out, "{\"code\":14,\"message\":\"\",\"details\":[{\"@type\":"
                      "\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"1.250s\"}]}");
    otlp_status_write_json_bad_request(&json, 3, "bad", "request");
    assert_json(&out, "{\"code\":3,\"message\":\"bad\",\"details\":[{\"@type\":"
                      "\"type.googleapis.com/google.rpc.BadRequest\",\"fieldViolations\":[{\"field\":\"request\","
                      "\"description\":\"bad\"}]}]}");
    buf_fini(&out);
}

static void test_write_json_response(void **state)
{
    struct json json;
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    json_init(&json, &out);
    otlp_response_write_json(&json, 0, "");
    assert_json(&out, "{}");
    otlp_response_write_json(&json, 3, "trace_id: 3");
    assert_json(&out, "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"trace_id: 3\"}}");
    otlp_response_write_json(&json, 18446744073709551615U, "");
    assert_json(&out, "{\"partialSuccess\":{\"rejectedSpans\":\"18446744073709551615\"}}");
    otlp_response_write_json(&json, 0, "a warning");
    assert_json(&out, "{\"partialSuccess\":{\"errorMessage\":\"a warning\"}}");
    buf_fini(&out);
}

static void test_put_status_without_details(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    otlp_status_put(&out, 12, "no such method");
    assert_bytes(&out, GOLDEN("\x08\x0c\x12\x0eno such method"));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_retry_gives_golden_bytes),
        cmocka_unit_test(test_put_bad_request_gives_golden_bytes),
        cmocka_unit_test(test_put_longest_text_fits),
        cmocka_unit_test(test_put_into_full_buffer_fails),
        cmocka_unit_test(test_find_retry_reads_delay),
        cmocka_unit_test(test_find_retry_negative_delay_is_none),
        cmocka_unit_test(test_find_retry_without_one_finds_nothing),
        cmocka_unit_test(test_find_retry_damaged_is_survived),
        cmocka_unit_test(test_response_put_gives_golden_bytes),
        cmocka_unit_test(test_response_read_gives_back),
        cmocka_unit_test(test_response_read_empty_partial_is_none),
        cmocka_unit_test(test_response_read_long_message_is_cut),
        cmocka_unit_test(test_response_read_damaged_fails),
        cmocka_unit_test(test_put_status_without_details),
        cmocka_unit_test(test_write_json_status),
        cmocka_unit_test(test_write_json_response),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
