/*
 * test_receiver_message.c - from a gRPC message's bytes to what is stored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "receiver_message.h"

#define MAX_REQUEST_BYTES (1UL << 20)

/* A request of one span: ResourceSpans { ScopeSpans { Span { trace_id, span_id } } }. */
static const char one_span[] = "\x0a\x20\x12\x1e\x12\x1c\x0a\x10"
                               "0123456789abcdef"
                               "\x12\x08"
                               "01234567";
#define ONE_SPAN slice_of(one_span, sizeof(one_span) - 1)

static struct receiver_scratch scratch;
static struct buf packed;
static struct receiver_message message;
static struct err err;

static int make_scratch(void **state)
{
    (void)state;
    receiver_scratch_init(&scratch, MAX_REQUEST_BYTES);
    buf_init(&packed, 64UL << 20);
    memset(&err, 0, sizeof(err));
    return 0;
}

static int free_scratch(void **state)
{
    (void)state;
    buf_fini(&packed);
    receiver_scratch_fini(&scratch);
    return 0;
}

static int read_as(enum receiver_encoding encoding, struct slice bytes)
{
    return receiver_message_read(&message, &scratch, encoding, bytes, MAX_REQUEST_BYTES, &err);
}

static struct slice gzip(struct slice bytes)
{
    assert_int_equal(otlp_codec_deflate(OTLP_CODEC_GZIP, bytes, &packed, &err), 0);
    return buf_slice(&packed);
}

static void test_read_identity_is_stored_as_zstd(void **state)
{
    struct buf back;

    (void)state;
    assert_int_equal(read_as(RECEIVER_ENCODING_IDENTITY, ONE_SPAN), 0);
    assert_int_equal(message.codec, OTLP_CODEC_ZSTD);
    assert_int_equal(message.raw_bytes, sizeof(one_span) - 1);
    assert_int_equal(message.by_validity[OTLP_VALID], 1);
    buf_init(&back, MAX_REQUEST_BYTES);
    assert_int_equal(otlp_codec_inflate(OTLP_CODEC_ZSTD, message.payload, MAX_REQUEST_BYTES, &back, &err), 0);
    assert_true(slice_equal(buf_slice(&back), ONE_SPAN));
    buf_fini(&back);
}

static void test_read_gzip_is_stored_as_it_came(void **state)
{
    struct slice came = gzip(ONE_SPAN);

    (void)state;
    assert_int_equal(read_as(RECEIVER_ENCODING_GZIP, came), 0);
    assert_int_equal(message.codec, OTLP_CODEC_GZIP);
    assert_int_equal(message.raw_bytes, sizeof(one_span) - 1);
    assert_ptr_equal(message.payload.data, came.data);
    assert_int_equal(message.payload.len, came.len);
}

static void test_read_without_valid_span_stores_nothing(void **state)
{
    static const char zero_trace[] = "\x0a\x20\x12\x1e\x12\x1c\x0a\x10"
                                     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                     "\x12\x08"
                                     "01234567";

    (void)state;
    assert_int_equal(read_as(RECEIVER_ENCODING_IDENTITY, slice_of("", 0)), 0);
    assert_int_equal(message.payload.len, 0);
    assert_int_equal(read_as(RECEIVER_ENCODING_IDENTITY, slice_of("\x0a\x00", 2)), 0);
    assert_int_equal(message.payload.len, 0);
    assert_int_equal(read_as(RECEIVER_ENCODING_IDENTITY, slice_of(zero_trace, sizeof(zero_trace) - 1)), 0);
    assert_int_equal(message.payload.len, 0);
    assert_int_equal(message.by_validity[OTLP_BAD_TRACE_ID], 1);
}

static void test_read_truncated_is_poison(void **state)
{
    (void)state;
    for (size_t len = 1; len < sizeof(one_span) - 1; len++) {
        assert_int_equal(read_as(RECEIVER_ENCODING_IDENTITY, slice_of(one_span, len)), -1);
        assert_int_equal(err.class, ERR_POISON);
        assert_int_not_equal(err.code, EMSGSIZE);
    }
}

static void test_read_damaged_gzip_is_poison(void **state)
{
    struct slice came = gzip(ONE_SPAN);

    (void)state;
    assert_int_equal(read_as(RECEIVER_ENCODING_GZIP, slice_of(came.data, came.len - 1)), -1);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_not_equal(err.code, EMSGSIZE);
    assert_int_equal(read_as(RECEIVER_ENCODING_GZIP, ONE_SPAN), -1);
    assert_int_equal(err.class, ERR_POISON);
}

static void assert_refused_codec(enum receiver_encoding encoding, struct slice bytes, const char *text)
{
    assert_int_equal(read_as(encoding, bytes), -1);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_equal(err.code, 0);
    assert_string_equal(err.text, text);
}

static void test_read_unknown_codec_names_those_that_work(void **state)
{
    (void)state;
    assert_refused_codec(RECEIVER_ENCODING_IDENTITY, slice_of("\x28\xb5\x2f\xfd\x20", 5),
                         "the request is compressed by zstd; gzip and identity (no compression) work");
    assert_refused_codec(RECEIVER_ENCODING_IDENTITY, slice_of("\xff\x06\x00\x00sNaPpY\x01", 11),
                         "the request is compressed by snappy; gzip and identity (no compression) work");
    assert_refused_codec(RECEIVER_ENCODING_DEFLATE, slice_of("x\x9c", 2),
                         "the request is compressed by deflate; gzip and identity (no compression) work");
}

static void test_read_too_large_is_emsgsize(void **state)
{
    static const uint8_t zeroes[MAX_REQUEST_BYTES + 1];

    (void)state;
    assert_int_equal(read_as(RECEIVER_ENCODING_IDENTITY, slice_of(zeroes, sizeof(zeroes))), -1);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_equal(err.code, EMSGSIZE);
    assert_string_equal(err.text, "the request is 1048577 bytes, 1048576 are allowed");
    assert_int_equal(read_as(RECEIVER_ENCODING_GZIP, gzip(slice_of(zeroes, sizeof(zeroes)))), -1);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_equal(err.code, EMSGSIZE);
}

static void test_read_without_memory_to_compress_is_busy(void **state)
{
    (void)state;
    fault_arm("receiver.deflate", 1, ENOMEM);
    assert_int_equal(read_as(RECEIVER_ENCODING_IDENTITY, ONE_SPAN), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(err.code, ENOMEM);
    assert_string_equal(err.text, "no memory to compress the request");
    assert_int_equal(read_as(RECEIVER_ENCODING_IDENTITY, ONE_SPAN), 0);
}

/* Large buffers are given back between messages, small ones are kept. */
static void test_scratch_reset_keeps_a_bound(void **state)
{
    (void)state;
    receiver_scratch_fini(&scratch);
    receiver_scratch_init(&scratch, 16UL << 20);
    assert_non_null(buf_reserve(&scratch.inflated, 8UL << 20));
    assert_non_null(buf_reserve(&scratch.deflated, 1000));
    receiver_scratch_reset(&scratch);
    assert_true(scratch.inflated.capacity <= RECEIVER_SCRATCH_BYTES);
    assert_true(scratch.deflated.capacity >= 1000);
    assert_non_null(buf_reserve(&scratch.inflated, 16UL << 20));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, free_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_read_identity_is_stored_as_zstd),
        TEST(test_read_gzip_is_stored_as_it_came),
        TEST(test_read_without_valid_span_stores_nothing),
        TEST(test_read_truncated_is_poison),
        TEST(test_read_damaged_gzip_is_poison),
        TEST(test_read_unknown_codec_names_those_that_work),
        TEST(test_read_too_large_is_emsgsize),
        TEST(test_read_without_memory_to_compress_is_busy),
        TEST(test_scratch_reset_keeps_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
