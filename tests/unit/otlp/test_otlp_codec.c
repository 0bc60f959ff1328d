/*
 * otlp_codec: there and back, bounds that hold whatever a stream claims, and
 * streams that are damaged, cut or followed by something.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zstd.h>

#include "fault.h"
#include "otlp_codec.h"
#include "otlp_samples.h"
#include "packers.h"

#define BYTES_MAX (128UL << 20)
#define BOUND (1UL << 20)

static const enum otlp_codec codecs[] = {OTLP_CODEC_IDENTITY, OTLP_CODEC_GZIP, OTLP_CODEC_ZSTD, OTLP_CODEC_DEFLATE,
                                         OTLP_CODEC_SNAPPY};
#define CODEC_COUNT 5
#define CODEC_COUNT_BOTH_WAYS 3 /* the rest is only inflated */
#define FIRST_REAL_CODEC 1

static struct buf packed;
static struct buf out;
static struct err err;

static int set_up(void **state)
{
    (void)state;
    buf_init(&packed, BYTES_MAX);
    buf_init(&out, BYTES_MAX);
    memset(&err, 0, sizeof(err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_fini(&packed);
    buf_fini(&out);
    return 0;
}

static void check_poison(enum otlp_codec codec, struct slice in, size_t max_bytes, int code, const char *text)
{
    memset(&err, 0, sizeof(err));
    assert_int_equal(otlp_codec_inflate(codec, in, max_bytes, &out, &err), -1);
    assert_string_equal(err.text, text);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_equal(err.code, code);
    assert_int_equal(out.len, 0);
    assert_int_equal(out.max, BYTES_MAX);
}

static void check_round_trip(const struct sample *sample, struct slice request)
{
    (void)sample;
    for (unsigned i = 0; i < CODEC_COUNT; i++) {
        pack(codecs[i], request, &packed);
        assert_int_equal(otlp_codec_inflate(codecs[i], buf_slice(&packed), request.len, &out, &err), 0);
        assert_true(slice_equal(buf_slice(&out), request));
    }
}

static void test_codec_captures_come_back(void **state)
{
    (void)state;
    assert_int_equal(samples_visit(check_round_trip), 68);
}

static void test_codec_bound_is_exact(void **state)
{
    static const char *const texts[] = {
        "identity: more than 99999 bytes when inflated", "gzip: more than 99999 bytes when inflated",
        "zstd: more than 99999 bytes when inflated", "deflate: more than 99999 bytes when inflated",
        "snappy: more than 99999 bytes when inflated"};
    uint8_t *data = malloc(100000);

    (void)state;
    assert_non_null(data);
    for (size_t i = 0; i < 100000; i++)
        data[i] = (uint8_t)(i * i >> 7);
    for (unsigned i = 0; i < CODEC_COUNT; i++) {
        pack(codecs[i], slice_of(data, 100000), &packed);
        assert_int_equal(otlp_codec_inflate(codecs[i], buf_slice(&packed), 100000, &out, &err), 0);
        assert_true(slice_equal(buf_slice(&out), slice_of(data, 100000)));
        check_poison(codecs[i], buf_slice(&packed), 99999, EMSGSIZE, texts[i]);
    }
    free(data);
}

/* 100 MiB of zeros, packed. */
static void pack_bomb(enum otlp_codec codec)
{
    uint8_t *zeros = calloc(1, 100UL << 20);

    assert_non_null(zeros);
    pack(codec, slice_of(zeros, 100UL << 20), &packed);
    free(zeros);
}

static void test_codec_gzip_bomb_is_refused_within_its_bound(void **state)
{
    const char *text = "gzip: more than 1048576 bytes when inflated";

    (void)state;
    pack_bomb(OTLP_CODEC_GZIP);
    check_poison(OTLP_CODEC_GZIP, buf_slice(&packed), BOUND, EMSGSIZE, text);
    assert_true(out.capacity <= BOUND);
    memset(packed.data + packed.len - 4, 0, 4); /* it claims to be empty */
    check_poison(OTLP_CODEC_GZIP, buf_slice(&packed), BOUND, EMSGSIZE, text);
    assert_true(out.capacity <= BOUND);
}

static void test_codec_deflate_bomb_is_refused_within_its_bound(void **state)
{
    (void)state;
    pack_bomb(OTLP_CODEC_DEFLATE);
    check_poison(OTLP_CODEC_DEFLATE, buf_slice(&packed), BOUND, EMSGSIZE,
                 "deflate: more than 1048576 bytes when inflated");
    assert_true(out.capacity <= BOUND);
}

/* As the streaming interface makes it: without its size, and with the window that is asked for. */
static void stream_zstd(struct slice in, int window_log)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_inBuffer input = {in.data, in.len, 0};
    ZSTD_outBuffer output = {NULL, ZSTD_compressBound(in.len), 0};

    assert_non_null(context);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    output.dst = buf_reserve(&packed, output.size);
    assert_non_null(output.dst);
    ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush); /* more may come, for all that it knows */
    assert_int_equal(ZSTD_compressStream2(context, &output, &input, ZSTD_e_end), 0);
    packed.len = output.pos;
    assert_true(ZSTD_getFrameContentSize(packed.data, packed.len) == ZSTD_CONTENTSIZE_UNKNOWN);
    ZSTD_freeCCtx(context);
}

static void test_codec_zstd_bomb_is_refused_within_its_bound(void **state)
{
    const char *text = "zstd: more than 1048576 bytes when inflated";
    uint8_t *zeros = calloc(1, 100UL << 20);

    (void)state;
    pack_bomb(OTLP_CODEC_ZSTD);
    check_poison(OTLP_CODEC_ZSTD, buf_slice(&packed), BOUND, EMSGSIZE, text);
    assert_true(out.capacity <= BOUND);
    assert_non_null(zeros);
    buf_clear(&packed);
    stream_zstd(slice_of(zeros, 100UL << 20), 20);
    check_poison(OTLP_CODEC_ZSTD, buf_slice(&packed), BOUND, EMSGSIZE, text);
    assert_true(out.capacity <= BOUND);
    free(zeros);
}

static void test_codec_zstd_of_unknown_size_and_large_window_is_inflated(void **state)
{
    struct buf request;

    (void)state;
    samples_load(&request, "java-0016.pb");
    stream_zstd(buf_slice(&request), 27);
    assert_int_equal(otlp_codec_inflate(OTLP_CODEC_ZSTD, buf_slice(&packed), BOUND, &out, &err), 0);
    assert_true(slice_equal(buf_slice(&out), buf_slice(&request)));
    assert_true(out.capacity <= BOUND);
    buf_fini(&request);
}

/* What klauspost/compress 1.20, a Collector's zstd, makes when it streams: no size, a block for each flush, a CRC. */
static void test_codec_zstd_of_go_is_inflated(void **state)
{
    static const uint8_t golden[] = {0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x68, 0x04, 0x01, 0x00, 0x34, 0x01, 0x72, 0x65, 0x73,
                                     0x6f, 0x75, 0x72, 0x63, 0x65, 0x5f, 0x73, 0x70, 0x61, 0x6e, 0x73, 0x20, 0x73, 0x63,
                                     0x6f, 0x70, 0x03, 0x00, 0x68, 0x44, 0x29, 0xa8, 0x29, 0xc0, 0x17, 0x25, 0x0c, 0x29,
                                     0x00, 0x00, 0x73, 0x68, 0x6f, 0x72, 0x74, 0xf1, 0x7b, 0x9c, 0xfa};

    (void)state;
    assert_int_equal(otlp_codec_inflate(OTLP_CODEC_ZSTD, slice_of(golden, sizeof(golden)), BOUND, &out, &err), 0);
    assert_int_equal(out.len, 12 * strlen("resource_spans scope_spans spans ") + strlen("short"));
    assert_memory_equal(out.data, "resource_spans scope_spans spans resource_spans ", 48);
    assert_memory_equal(out.data + out.len - 11, "spans short", 11);
}

/* Larger than the first guess: inflated again, and right. */
static void test_codec_zstd_of_unknown_size_that_grows_is_inflated(void **state)
{
    uint8_t *zeros = calloc(1, BOUND);

    (void)state;
    assert_non_null(zeros);
    stream_zstd(slice_of(zeros, BOUND), 17);
    assert_true(packed.len < 4096);
    assert_int_equal(otlp_codec_inflate(OTLP_CODEC_ZSTD, buf_slice(&packed), BOUND, &out, &err), 0);
    assert_true(slice_equal(buf_slice(&out), slice_of(zeros, BOUND)));
    check_poison(OTLP_CODEC_ZSTD, buf_slice(&packed), BOUND - 1, EMSGSIZE,
                 "zstd: more than 1048575 bytes when inflated");
    free(zeros);
}

/* A frame, or member, behind what `stream` holds. */
static void add_frame(struct buf *stream, enum otlp_codec codec, const char *text)
{
    pack(codec, slice_of_text(text), &packed);
    assert_int_equal(buf_append(stream, packed.data, packed.len), 0);
}

static void test_codec_several_frames_are_one_stream(void **state)
{
    struct buf stream;

    (void)state;
    buf_init(&stream, 4096);
    for (unsigned i = FIRST_REAL_CODEC; i < CODEC_COUNT; i++) {
        if (codecs[i] == OTLP_CODEC_DEFLATE)
            continue; /* zlib has one */
        buf_clear(&stream);
        add_frame(&stream, codecs[i], "one ");
        add_frame(&stream, codecs[i], "");
        add_frame(&stream, codecs[i], "two");
        add_frame(&stream, codecs[i], "");
        assert_int_equal(otlp_codec_inflate(codecs[i], buf_slice(&stream), 7, &out, &err), 0);
        assert_true(slice_equal(buf_slice(&out), slice_of_text("one two")));
        assert_int_equal(otlp_codec_inflate(codecs[i], buf_slice(&stream), 6, &out, &err), -1);
        assert_int_equal(err.code, EMSGSIZE);
    }
    buf_clear(&stream);
    assert_int_equal(buf_append(&stream, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11), 0); /* zstd's skippable frame */
    add_frame(&stream, OTLP_CODEC_ZSTD, "three");
    assert_int_equal(otlp_codec_inflate(OTLP_CODEC_ZSTD, buf_slice(&stream), 5, &out, &err), 0);
    assert_true(slice_equal(buf_slice(&out), slice_of_text("three")));
    buf_fini(&stream);
}

static void test_codec_truncated_stream_is_poison(void **state)
{
    struct buf request;

    (void)state;
    samples_load(&request, "proto-awkward-0002.pb");
    for (unsigned i = FIRST_REAL_CODEC; i < CODEC_COUNT; i++) {
        pack(codecs[i], buf_slice(&request), &packed);
        for (size_t len = 0; len < packed.len; len++) {
            if (codecs[i] == OTLP_CODEC_SNAPPY && len == 10)
                continue; /* the stream identifier alone: a whole stream of nothing, as no chunk is the last */
            assert_int_equal(otlp_codec_inflate(codecs[i], slice_of(packed.data, len), BOUND, &out, &err), -1);
            assert_int_equal(err.class, ERR_POISON);
            assert_int_equal(err.code, EBADMSG);
            assert_int_equal(out.len, 0);
        }
    }
    buf_fini(&request);
}

/* Never past the input, and never anything but poison or the right bytes, where there is a checksum: zstd level 1 has none. */
static void test_codec_damaged_stream_is_survived(void **state)
{
    struct buf request;

    (void)state;
    samples_load(&request, "proto-awkward-0002.pb");
    for (unsigned i = FIRST_REAL_CODEC; i < CODEC_COUNT; i++) {
        pack(codecs[i], buf_slice(&request), &packed);
        for (size_t bit = 0; bit < 8 * packed.len; bit++) {
            packed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
            if (otlp_codec_inflate(codecs[i], buf_slice(&packed), BOUND, &out, &err) < 0)
                assert_int_equal(err.class, ERR_POISON);
            else if (codecs[i] == OTLP_CODEC_SNAPPY && out.len == 0)
                continue; /* its one chunk has become one to skip */
            else if (codecs[i] != OTLP_CODEC_ZSTD)
                assert_true(slice_equal(buf_slice(&out), buf_slice(&request)));
            packed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
    buf_fini(&request);
}

static void test_codec_bad_streams_are_named(void **state)
{
    struct buf stream;

    (void)state;
    check_poison(OTLP_CODEC_GZIP, slice_of(NULL, 0), BOUND, EBADMSG, "gzip: empty, which is no stream");
    check_poison(OTLP_CODEC_ZSTD, slice_of(NULL, 0), BOUND, EBADMSG, "zstd: empty, which is no stream");
    check_poison(OTLP_CODEC_DEFLATE, slice_of(NULL, 0), BOUND, EBADMSG, "deflate: empty, which is no stream");
    check_poison(OTLP_CODEC_DEFLATE, slice_of_text("\x0a\x01"), BOUND, EBADMSG,
                 "deflate: not deflate, in what starts at byte 0");
    check_poison(OTLP_CODEC_DEFLATE, slice_of_text("\x78\x01"), BOUND, EBADMSG,
                 "deflate: damaged or truncated, in what starts at byte 0");
    check_poison(OTLP_CODEC_GZIP, slice_of_text("\x0a\x01"), BOUND, EBADMSG,
                 "gzip: not gzip, in what starts at byte 0");
    check_poison(OTLP_CODEC_ZSTD, slice_of_text("\x0a\x01"), BOUND, EBADMSG,
                 "zstd: not zstd, in what starts at byte 0");
    check_poison(OTLP_CODEC_ZSTD, slice_of_text("\x27\xb5\x2f\xfd what zstd 0.7 wrote"), BOUND, EBADMSG,
                 "zstd: not zstd, in what starts at byte 0");
    check_poison((enum otlp_codec)7, slice_of_text("x"), BOUND, EINVAL, "codec 7 is not known");
    buf_init(&stream, 4096);
    add_frame(&stream, OTLP_CODEC_ZSTD, "text");
    assert_int_equal(stream.len, 13);
    stream.data[6] ^= 6; /* its block becomes one of the reserved type */
    check_poison(OTLP_CODEC_ZSTD, buf_slice(&stream), BOUND, EBADMSG,
                 "zstd: damaged or truncated, in what starts at byte 0");
    buf_fini(&stream);
}

static void test_codec_garbage_after_is_poison(void **state)
{
    struct buf stream;

    (void)state;
    buf_init(&stream, 4096);
    for (unsigned i = FIRST_REAL_CODEC; i < CODEC_COUNT; i++) {
        const char *name = otlp_codec_name(codecs[i]);
        char text[64];

        buf_clear(&stream);
        add_frame(&stream, codecs[i], "text");
        if (codecs[i] == OTLP_CODEC_DEFLATE)
            snprintf(text, sizeof(text), "deflate: something follows it, at byte %zu", stream.len);
        else if (codecs[i] == OTLP_CODEC_SNAPPY)
            snprintf(text, sizeof(text), "snappy: damaged or truncated, in what starts at byte %zu", stream.len);
        else
            snprintf(text, sizeof(text), "%s: not %s, in what starts at byte %zu", name, name, stream.len);
        assert_int_equal(buf_append(&stream, "\0", 1), 0);
        check_poison(codecs[i], buf_slice(&stream), BOUND, EBADMSG, text);
    }
    buf_fini(&stream);
}

/* The size is in the frame's header, behind the magic and the descriptor: one byte, as there are few. */
static void test_codec_zstd_that_lies_about_its_size_is_poison(void **state)
{
    const char *text = "zstd: damaged or truncated, in what starts at byte 0";

    (void)state;
    assert_int_equal(otlp_codec_deflate(OTLP_CODEC_ZSTD, slice_of_text("text"), &packed, &err), 0);
    assert_int_equal(packed.data[5], 4);
    packed.data[5] = 3;
    check_poison(OTLP_CODEC_ZSTD, buf_slice(&packed), BOUND, EBADMSG, text);
    packed.data[5] = 5;
    check_poison(OTLP_CODEC_ZSTD, buf_slice(&packed), BOUND, EBADMSG, text);
}

static void *work_once(void *data)
{
    check_round_trip(data, slice_of_text("a thread of its own"));
    return NULL;
}

/* A sanitizer sees if the thread's working memory were not given back. */
static void test_codec_thread_gives_its_memory_back(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, work_once, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void check_no_memory(int result, const char *text)
{
    assert_int_equal(result, -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, text);
}

static void test_codec_full_buffer_is_busy(void **state)
{
    static const char *const texts[] = {"identity: no memory", "gzip: no memory", "zstd: no memory"};
    struct buf small;

    (void)state;
    for (unsigned i = 0; i < CODEC_COUNT_BOTH_WAYS; i++) {
        buf_init(&small, 2);
        check_no_memory(otlp_codec_deflate(codecs[i], slice_of_text("text"), &small, &err), texts[i]);
        buf_fini(&small);
    }
    assert_int_equal(otlp_codec_deflate((enum otlp_codec)7, slice_of_text("x"), &out, &err), -1);
    assert_string_equal(err.text, "codec 7 is not known");
    assert_int_equal(otlp_codec_deflate(OTLP_CODEC_DEFLATE, slice_of_text("x"), &out, &err), -1);
    assert_string_equal(err.text, "deflate: is only inflated");
    assert_int_equal(otlp_codec_deflate(OTLP_CODEC_SNAPPY, slice_of_text("x"), &out, &err), -1);
    assert_string_equal(err.text, "snappy: is only inflated");
}

static void test_codec_no_memory_is_busy(void **state)
{
    static const char *const texts[] = {"identity: no memory", "gzip: no memory", "zstd: no memory",
                                        "deflate: no memory", "snappy: no memory"};

    (void)state;
    for (unsigned i = 0; i < CODEC_COUNT; i++) {
        pack(codecs[i], slice_of_text("text"), &packed);
        buf_fini(&out);
        fault_arm("buf.grow", 1, ENOMEM);
        check_no_memory(otlp_codec_inflate(codecs[i], buf_slice(&packed), BOUND, &out, &err), texts[i]);
    }
    for (unsigned i = FIRST_REAL_CODEC; i < CODEC_COUNT; i++) {
        if (codecs[i] == OTLP_CODEC_SNAPPY)
            continue; /* has none */
        fault_arm("otlp_codec.context", 1, ENOMEM);
        check_no_memory(otlp_codec_inflate(codecs[i], slice_of_text("text"), BOUND, &out, &err), texts[i]);
    }
    fault_arm("otlp_codec.context", 1, ENOMEM);
    check_no_memory(otlp_codec_deflate(OTLP_CODEC_ZSTD, slice_of_text("text"), &out, &err), "zstd: no memory");
}

static void test_codec_name_is_stable(void **state)
{
    (void)state;
    assert_string_equal(otlp_codec_name(OTLP_CODEC_IDENTITY), "identity");
    assert_string_equal(otlp_codec_name(OTLP_CODEC_GZIP), "gzip");
    assert_string_equal(otlp_codec_name(OTLP_CODEC_ZSTD), "zstd");
    assert_string_equal(otlp_codec_name(OTLP_CODEC_DEFLATE), "deflate");
    assert_string_equal(otlp_codec_name(OTLP_CODEC_SNAPPY), "snappy");
    assert_string_equal(otlp_codec_name((enum otlp_codec)7), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_codec_captures_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_bound_is_exact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_gzip_bomb_is_refused_within_its_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_deflate_bomb_is_refused_within_its_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_zstd_bomb_is_refused_within_its_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_zstd_of_unknown_size_and_large_window_is_inflated, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_codec_zstd_of_go_is_inflated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_zstd_of_unknown_size_that_grows_is_inflated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_several_frames_are_one_stream, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_truncated_stream_is_poison, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_damaged_stream_is_survived, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_bad_streams_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_garbage_after_is_poison, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_zstd_that_lies_about_its_size_is_poison, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_thread_gives_its_memory_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_full_buffer_is_busy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_codec_no_memory_is_busy, set_up, tear_down),
        cmocka_unit_test(test_codec_name_is_stable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
