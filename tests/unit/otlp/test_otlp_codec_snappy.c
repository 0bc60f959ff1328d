/*
 * test_otlp_codec_snappy.c - both forms of snappy: streams of golang/snappy,
 * and chunks of every kind, put together one by one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "otlp_codec.h"
#include "packers.h"

#define BYTES_MAX (4UL << 20)
#define BOUND (1UL << 20)
#define CHUNK_BYTES_MAX 65536

static struct buf stream;
static struct buf out;
static struct err err;

static int set_up(void **state)
{
    (void)state;
    buf_init(&stream, BYTES_MAX);
    buf_init(&out, BYTES_MAX);
    memset(&err, 0, sizeof(err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_fini(&stream);
    buf_fini(&out);
    return 0;
}

static void start_stream(void)
{
    buf_clear(&stream);
    pack_snappy_chunk(0xff, slice_of_text("sNaPpY"), &stream);
}

static void check_gives(struct slice in, size_t max_bytes, struct slice expected)
{
    assert_int_equal(otlp_codec_inflate(OTLP_CODEC_SNAPPY, in, max_bytes, &out, &err), 0);
    assert_true(slice_equal(buf_slice(&out), expected));
}

static void check_refused(struct slice in, size_t max_bytes, int code, const char *text)
{
    memset(&err, 0, sizeof(err));
    buf_fini(&out); /* so that its capacity is what this takes */
    assert_int_equal(otlp_codec_inflate(OTLP_CODEC_SNAPPY, in, max_bytes, &out, &err), -1);
    assert_string_equal(err.text, text);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_equal(err.code, code);
    assert_int_equal(out.len, 0);
    assert_true(out.capacity <= max_bytes);
}

/* The last chunk of `stream`, of the stream identifier and one more, is refused. */
static void check_chunk_refused(void)
{
    check_refused(buf_slice(&stream), BOUND, EBADMSG, "snappy: damaged or truncated, in what starts at byte 10");
}

/* Twelve times this, then "short". */
#define WORDS "resource_spans scope_spans spans "

/* golang/snappy 1.0.0: NewBufferedWriter, flushed before "short", which does not shrink and is a plain chunk. */
static const uint8_t golden_framed[] = {
    0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59, 0x00, 0x30, 0x00, 0x00, 0x5c, 0x6f, 0xd1, 0x68, 0x8c,
    0x03, 0x48, 0x72, 0x65, 0x73, 0x6f, 0x75, 0x72, 0x63, 0x65, 0x5f, 0x73, 0x70, 0x61, 0x6e, 0x73, 0x20, 0x73, 0x63,
    0x6f, 0x70, 0x15, 0x0c, 0x05, 0x12, 0xfe, 0x21, 0x00, 0xfe, 0x21, 0x00, 0xfe, 0x21, 0x00, 0xfe, 0x21, 0x00, 0xfe,
    0x21, 0x00, 0xaa, 0x21, 0x00, 0x01, 0x09, 0x00, 0x00, 0x5e, 0xac, 0x79, 0x4f, 0x73, 0x68, 0x6f, 0x72, 0x74};

/* The same library: Encode of the twelve. */
static const uint8_t golden_block[] = {0x8c, 0x03, 0x48, 0x72, 0x65, 0x73, 0x6f, 0x75, 0x72, 0x63, 0x65,
                                       0x5f, 0x73, 0x70, 0x61, 0x6e, 0x73, 0x20, 0x73, 0x63, 0x6f, 0x70,
                                       0x15, 0x0c, 0x05, 0x12, 0xfe, 0x21, 0x00, 0xfe, 0x21, 0x00, 0xfe,
                                       0x21, 0x00, 0xfe, 0x21, 0x00, 0xfe, 0x21, 0x00, 0xaa, 0x21, 0x00};

static void test_snappy_of_go_is_inflated(void **state)
{
    const char *expected = WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS "short";
    struct slice text = slice_of_text(expected);

    (void)state;
    check_gives(slice_of(golden_framed, sizeof(golden_framed)), text.len, text);
    text.len -= strlen("short");
    check_gives(slice_of(golden_block, sizeof(golden_block)), text.len, text);
}

static void test_snappy_bound_is_exact_for_every_chunk(void **state)
{
    static const char text[] = "snappy: more than 400 bytes when inflated";

    (void)state;
    check_refused(slice_of(golden_framed, sizeof(golden_framed)), 400, EMSGSIZE, text); /* the plain chunk */
    check_refused(slice_of(golden_framed, sizeof(golden_framed)), 395, EMSGSIZE,
                  "snappy: more than 395 bytes when inflated");
    check_refused(slice_of(golden_block, sizeof(golden_block)), 395, EMSGSIZE,
                  "snappy: more than 395 bytes when inflated");
    check_refused(slice_of(golden_block, sizeof(golden_block)), 0, EMSGSIZE, "snappy: more than 0 bytes when inflated");
}

/* A claim of nearly 4 GiB in a block of a few bytes is refused before there is memory for it. */
static void test_snappy_block_that_claims_much_is_refused_at_once(void **state)
{
    (void)state;
    check_refused(slice_of_text("\xf0\xff\xff\xff\x0f\x04xx"), BOUND, EMSGSIZE,
                  "snappy: more than 1048576 bytes when inflated");
    assert_int_equal(out.capacity, 0);
}

static void test_snappy_chunks_that_hold_no_data_are_skipped(void **state)
{
    (void)state;
    start_stream();
    pack_snappy_chunk(0xfe, slice_of_text("padding"), &stream);
    pack_snappy_plain(slice_of_text("one "), &stream);
    pack_snappy_chunk(0x80, slice_of_text("skippable"), &stream);
    pack_snappy_chunk(0xfd, slice_of_text(""), &stream);
    pack_snappy_chunk(0xff, slice_of_text("sNaPpY"), &stream); /* streams may be put together */
    pack_snappy_plain(slice_of_text("two"), &stream);
    check_gives(buf_slice(&stream), 7, slice_of_text("one two"));
}

static void test_snappy_empty_streams_are_empty(void **state)
{
    (void)state;
    start_stream();
    check_gives(buf_slice(&stream), 0, slice_of_text(""));
    check_gives(slice_of("", 1), 0, slice_of_text("")); /* a block of 0 bytes */
    pack_snappy_plain(slice_of_text(""), &stream);
    check_gives(buf_slice(&stream), 0, slice_of_text(""));
}

static void test_snappy_bad_chunks_are_refused(void **state)
{
    (void)state;
    start_stream();
    pack_snappy_chunk(0x02, slice_of_text("reserved, and not skippable"), &stream);
    check_chunk_refused();
    start_stream();
    pack_snappy_chunk(0x7f, slice_of_text(""), &stream);
    check_chunk_refused();
    start_stream();
    pack_snappy_chunk(0xff, slice_of_text("SnApPy"), &stream);
    check_chunk_refused();
    start_stream();
    pack_snappy_chunk(0xff, slice_of_text("sNaPpY and more"), &stream);
    check_chunk_refused();
    start_stream();
    pack_snappy_chunk(0x01, slice_of_text("crc"), &stream); /* no room for its checksum */
    check_chunk_refused();
    start_stream();
    pack_snappy_chunk(0x00, slice_of_text("crc "), &stream); /* a block of no bytes at all */
    check_chunk_refused();
}

static void test_snappy_checksum_is_verified(void **state)
{
    (void)state;
    start_stream();
    pack_snappy_plain(slice_of_text("data"), &stream);
    stream.data[stream.len - 1] ^= 1;
    check_chunk_refused();
    pack(OTLP_CODEC_SNAPPY, slice_of_text("data"), &stream);
    stream.data[14] ^= 1;
    check_chunk_refused();
}

/* 64 KiB are what a chunk may hold, whatever the bound on the whole. */
static void test_snappy_chunk_over_64_kib_is_refused(void **state)
{
    uint8_t *data = calloc(1, CHUNK_BYTES_MAX + 1);
    struct buf block, body;

    (void)state;
    assert_non_null(data);
    start_stream();
    pack_snappy_plain(slice_of(data, CHUNK_BYTES_MAX), &stream);
    check_gives(buf_slice(&stream), BOUND, slice_of(data, CHUNK_BYTES_MAX));
    start_stream();
    pack_snappy_plain(slice_of(data, CHUNK_BYTES_MAX + 1), &stream);
    check_chunk_refused();
    buf_init(&block, BYTES_MAX);
    buf_init(&body, BYTES_MAX);
    pack_snappy_block(slice_of(data, CHUNK_BYTES_MAX + 1), &block);
    assert_int_equal(buf_text(&body, "crc "), 0);
    assert_int_equal(buf_append(&body, block.data, block.len), 0);
    start_stream();
    pack_snappy_chunk(0x00, buf_slice(&body), &stream);
    check_chunk_refused();
    buf_fini(&body);
    buf_fini(&block);
    free(data);
}

static void test_snappy_what_is_no_stream_is_refused(void **state)
{
    (void)state;
    check_refused(slice_of_text(""), BOUND, EBADMSG, "snappy: empty, which is no stream");
    check_refused(slice_of_text("\x0a\x01"), BOUND, EBADMSG, "snappy: damaged or truncated, in what starts at byte 0");
    check_refused(slice_of_text("\xff\x06"), BOUND, EBADMSG, "snappy: damaged or truncated, in what starts at byte 0");
    check_refused(slice_of_text("\xff\xff\xff\xff\xff\xff"), BOUND, EBADMSG,
                  "snappy: damaged or truncated, in what starts at byte 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_snappy_of_go_is_inflated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_snappy_bound_is_exact_for_every_chunk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_snappy_block_that_claims_much_is_refused_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_snappy_chunks_that_hold_no_data_are_skipped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_snappy_empty_streams_are_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_snappy_bad_chunks_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_snappy_checksum_is_verified, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_snappy_chunk_over_64_kib_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_snappy_what_is_no_stream_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
