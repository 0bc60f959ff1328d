/*
 * test_intake_message.c - from the bytes of a request to what is stored.
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
#include "intake_message.h"
#include "otlp_samples.h"
#include "packers.h"

#define MAX_REQUEST_BYTES (1UL << 20)

/* A request of one span: ResourceSpans { ScopeSpans { Span { trace_id, span_id } } }. */
static const char one_span[] = "\x0a\x20\x12\x1e\x12\x1c\x0a\x10"
                               "0123456789abcdef"
                               "\x12\x08"
                               "01234567";
#define ONE_SPAN slice_of(one_span, sizeof(one_span) - 1)

static const struct intake_options options = {.max_request_bytes = MAX_REQUEST_BYTES, .max_depth = OTLP_DEPTH_MAX};
static struct intake_scratch scratch;
static struct buf packed;
static struct intake_message message;
static struct err err;

static int make_scratch(void **state)
{
    (void)state;
    intake_scratch_init(&scratch, MAX_REQUEST_BYTES);
    buf_init(&packed, 64UL << 20);
    memset(&err, 0, sizeof(err));
    return 0;
}

static int free_scratch(void **state)
{
    (void)state;
    buf_fini(&packed);
    intake_scratch_fini(&scratch);
    return 0;
}

static int read_as(enum otlp_codec codec, struct slice bytes)
{
    return intake_message_read(&message, &scratch, INTAKE_PROTOBUF, codec, bytes, &options, &err);
}

static struct slice gzip(struct slice bytes)
{
    pack(OTLP_CODEC_GZIP, bytes, &packed);
    return buf_slice(&packed);
}

/* It is stored as zstd, and what that holds is the one span. */
static void assert_recompressed(void)
{
    struct buf back;

    assert_int_equal(message.codec, OTLP_CODEC_ZSTD);
    assert_int_equal(message.raw_bytes, sizeof(one_span) - 1);
    assert_int_equal(message.by_validity[OTLP_VALID], 1);
    buf_init(&back, MAX_REQUEST_BYTES);
    assert_int_equal(otlp_codec_inflate(OTLP_CODEC_ZSTD, message.payload, MAX_REQUEST_BYTES, &back, &err), 0);
    assert_true(slice_equal(buf_slice(&back), ONE_SPAN));
    buf_fini(&back);
}

static void test_read_identity_is_stored_as_zstd(void **state)
{
    (void)state;
    assert_int_equal(read_as(OTLP_CODEC_IDENTITY, ONE_SPAN), 0);
    assert_recompressed();
}

/* A deflate or snappy stream is stored as zstd: the spool has no other compression than gzip and zstd. */
static void test_read_deflate_and_snappy_are_stored_as_zstd(void **state)
{
    (void)state;
    pack(OTLP_CODEC_DEFLATE, ONE_SPAN, &packed);
    assert_int_equal(read_as(OTLP_CODEC_DEFLATE, buf_slice(&packed)), 0);
    assert_recompressed();
    intake_scratch_reset(&scratch);
    pack(OTLP_CODEC_SNAPPY, ONE_SPAN, &packed);
    assert_int_equal(read_as(OTLP_CODEC_SNAPPY, buf_slice(&packed)), 0);
    assert_recompressed();
    intake_scratch_reset(&scratch);
    pack_snappy_block(ONE_SPAN, &packed);
    assert_int_equal(read_as(OTLP_CODEC_SNAPPY, buf_slice(&packed)), 0);
    assert_recompressed();
}

static void test_read_gzip_and_zstd_are_stored_as_they_came(void **state)
{
    static const enum otlp_codec codecs[] = {OTLP_CODEC_GZIP, OTLP_CODEC_ZSTD};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        pack(codecs[i], ONE_SPAN, &packed);
        assert_int_equal(read_as(codecs[i], buf_slice(&packed)), 0);
        assert_int_equal(message.codec, codecs[i]);
        assert_int_equal(message.raw_bytes, sizeof(one_span) - 1);
        assert_ptr_equal(message.payload.data, packed.data);
        assert_int_equal(message.payload.len, packed.len);
        intake_scratch_reset(&scratch);
    }
}

static void test_read_without_valid_span_stores_nothing(void **state)
{
    static const char zero_trace[] = "\x0a\x20\x12\x1e\x12\x1c\x0a\x10"
                                     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                     "\x12\x08"
                                     "01234567";

    (void)state;
    assert_int_equal(read_as(OTLP_CODEC_IDENTITY, slice_of("", 0)), 0);
    assert_int_equal(message.payload.len, 0);
    assert_int_equal(read_as(OTLP_CODEC_IDENTITY, slice_of("\x0a\x00", 2)), 0);
    assert_int_equal(message.payload.len, 0);
    assert_int_equal(read_as(OTLP_CODEC_IDENTITY, slice_of(zero_trace, sizeof(zero_trace) - 1)), 0);
    assert_int_equal(message.payload.len, 0);
    assert_int_equal(message.by_validity[OTLP_BAD_TRACE_ID], 1);
}

static void test_read_truncated_is_poison(void **state)
{
    (void)state;
    for (size_t len = 1; len < sizeof(one_span) - 1; len++) {
        assert_int_equal(read_as(OTLP_CODEC_IDENTITY, slice_of(one_span, len)), -1);
        assert_int_equal(err.class, ERR_POISON);
        assert_int_not_equal(err.code, EMSGSIZE);
    }
}

static void test_read_damaged_gzip_is_poison(void **state)
{
    struct slice came = gzip(ONE_SPAN);

    (void)state;
    assert_int_equal(read_as(OTLP_CODEC_GZIP, slice_of(came.data, came.len - 1)), -1);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_not_equal(err.code, EMSGSIZE);
    assert_int_equal(read_as(OTLP_CODEC_GZIP, ONE_SPAN), -1);
    assert_int_equal(err.class, ERR_POISON);
}

static void test_read_too_large_is_emsgsize(void **state)
{
    static const uint8_t zeroes[MAX_REQUEST_BYTES + 1];

    (void)state;
    assert_int_equal(read_as(OTLP_CODEC_IDENTITY, slice_of(zeroes, sizeof(zeroes))), -1);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_equal(err.code, EMSGSIZE);
    assert_string_equal(err.text, "the request is 1048577 bytes, 1048576 are allowed");
    assert_int_equal(read_as(OTLP_CODEC_GZIP, gzip(slice_of(zeroes, sizeof(zeroes)))), -1);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_equal(err.code, EMSGSIZE);
}

/* The bound is the configuration's; the walk's own, OTLP_DEPTH_MAX, is above it. */
static void test_read_deeper_than_allowed_is_poison(void **state)
{
    struct intake_options shallow = options;
    struct buf request;

    (void)state;
    shallow.max_depth = 3;
    samples_nested(&request, 3, true);
    assert_int_equal(intake_message_read(&message, &scratch, INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, buf_slice(&request),
                                         &shallow, &err),
                     0);
    intake_scratch_reset(&scratch);
    buf_fini(&request);
    samples_nested(&request, 4, true);
    assert_int_equal(intake_message_read(&message, &scratch, INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, buf_slice(&request),
                                         &shallow, &err),
                     -1);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_not_equal(err.code, EMSGSIZE);
    assert_string_equal(err.text, "attribute values nest 4 deep, 3 levels are allowed");
    buf_fini(&request);
}

/* Inflating needs a buffer: without it the same request may pass later. */
static void test_read_without_memory_is_busy(void **state)
{
    (void)state;
    gzip(ONE_SPAN);
    fault_arm("buf.grow", 1, ENOMEM);
    assert_int_equal(read_as(OTLP_CODEC_GZIP, buf_slice(&packed)), -1);
    assert_int_equal(err.class, ERR_BUSY);
    intake_scratch_reset(&scratch);
    assert_int_equal(read_as(OTLP_CODEC_GZIP, buf_slice(&packed)), 0);
}

static void test_read_without_memory_to_compress_is_busy(void **state)
{
    (void)state;
    fault_arm("receiver.deflate", 1, ENOMEM);
    assert_int_equal(read_as(OTLP_CODEC_IDENTITY, ONE_SPAN), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(err.code, ENOMEM);
    assert_string_equal(err.text, "no memory to compress the request");
    assert_int_equal(read_as(OTLP_CODEC_IDENTITY, ONE_SPAN), 0);
}

/* Large buffers are given back between messages, small ones are kept. */
static void test_scratch_reset_keeps_a_bound(void **state)
{
    (void)state;
    intake_scratch_fini(&scratch);
    intake_scratch_init(&scratch, 16UL << 20);
    assert_non_null(buf_reserve(&scratch.inflated, 8UL << 20));
    assert_non_null(buf_reserve(&scratch.deflated, 1000));
    intake_scratch_reset(&scratch);
    assert_true(scratch.inflated.capacity <= INTAKE_SCRATCH_BYTES);
    assert_true(scratch.deflated.capacity >= 1000);
    assert_non_null(buf_reserve(&scratch.inflated, 16UL << 20));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, free_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_read_identity_is_stored_as_zstd),
        TEST(test_read_deflate_and_snappy_are_stored_as_zstd),
        TEST(test_read_gzip_and_zstd_are_stored_as_they_came),
        TEST(test_read_without_valid_span_stores_nothing),
        TEST(test_read_truncated_is_poison),
        TEST(test_read_damaged_gzip_is_poison),
        TEST(test_read_too_large_is_emsgsize),
        TEST(test_read_deeper_than_allowed_is_poison),
        TEST(test_read_without_memory_is_busy),
        TEST(test_read_without_memory_to_compress_is_busy),
        TEST(test_scratch_reset_keeps_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
