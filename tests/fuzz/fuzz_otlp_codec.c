/*
 * fuzz_otlp_codec.c - inflating keeps to its bound, whatever comes.
 *
 * The first byte chooses the codec, the second the bound, the rest is the
 * stream.  What is inflated under a bound is the same under every larger one,
 * and refused under each that is smaller; and what a codec of both ways has
 * inflated comes back when it is compressed again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "otlp_codec.h"

#define CODECS 5
#define BOUND_MAX (4UL << 20)
#define BUF_CAPACITY_MIN 256 /* that a buf takes, whatever its bound */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_otlp_codec: does not hold: %s\n", what);
    abort();
}

/* 0, or the code of the refusal. */
static int inflate(enum otlp_codec codec, struct slice stream, size_t max_bytes, struct buf *out)
{
    struct err err = {.class = ERR_NONE};
    int result;

    buf_init(out, 2 * BOUND_MAX);
    result = otlp_codec_inflate(codec, stream, max_bytes, out, &err);
    require(out->len <= max_bytes, "no more than the bound is produced");
    require(out->capacity <= max_bytes || out->capacity == BUF_CAPACITY_MIN, "no more than the bound is held");
    require(out->max == 2 * BOUND_MAX, "the buffer's own bound is as before");
    if (result == 0)
        return 0;
    require(err.class == ERR_POISON && out->len == 0, "a refusal is poison, and gives nothing");
    require(err.code == EMSGSIZE || err.code == EBADMSG, "a refusal has its code");
    require(err.text[0] != '\0', "a refusal has a text");
    return err.code;
}

static void inflate_under_other_bounds(enum otlp_codec codec, struct slice stream, const struct buf *expected)
{
    struct buf out;

    require(inflate(codec, stream, expected->len, &out) == 0, "the exact bound suffices");
    require(slice_equal(buf_slice(&out), buf_slice(expected)), "a bound changes nothing");
    buf_fini(&out);
    if (expected->len == 0)
        return;
    require(inflate(codec, stream, expected->len - 1, &out) == EMSGSIZE, "a byte less does not suffice");
    buf_fini(&out);
}

static void deflate_again(enum otlp_codec codec, const struct buf *content)
{
    struct buf packed, out;

    buf_init(&packed, 2 * BOUND_MAX);
    require(otlp_codec_deflate(codec, buf_slice(content), &packed, NULL) == 0, "what was inflated is compressed");
    require(inflate(codec, buf_slice(&packed), content->len, &out) == 0, "what was compressed is inflated");
    require(slice_equal(buf_slice(&out), buf_slice(content)), "it comes back");
    buf_fini(&out);
    buf_fini(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum otlp_codec codec;
    struct slice stream;
    struct buf out;

    if (size < 2)
        return 0;
    codec = (enum otlp_codec)(data[0] % CODECS);
    stream = slice_of(data + 2, size - 2);
    if (inflate(codec, stream, BOUND_MAX >> data[1] % 23, &out) == 0) {
        inflate_under_other_bounds(codec, stream, &out);
        if (codec != OTLP_CODEC_DEFLATE && codec != OTLP_CODEC_SNAPPY)
            deflate_again(codec, &out);
    }
    buf_fini(&out);
    return 0;
}
