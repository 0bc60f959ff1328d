/*
 * otlp_codec.c - which codec does what.
 *
 * Any thread; each keeps its codecs' working memory (otlp_codec_context.c).
 * Inflating fails on what came from outside, with ERR_POISON and an empty
 * output; everything else that fails is memory.
 */
#include "otlp_codec.h"

#include <errno.h>
#include <strings.h>

#include "otlp_codec_internal.h"

static int copy(struct slice in, struct buf *out, struct err *err)
{
    if (buf_append(out, in.data, in.len) < 0)
        return otlp_codec_no_memory(OTLP_CODEC_IDENTITY, err);
    return 0;
}

static int inflate(enum otlp_codec codec, struct slice in, struct buf *out, struct err *err)
{
    switch (codec) {
    case OTLP_CODEC_IDENTITY:
        return in.len > out->max ? otlp_codec_too_large(codec, out->max, err) : copy(in, out, err);
    case OTLP_CODEC_GZIP:
        return otlp_codec_gzip_inflate(in, out, err);
    case OTLP_CODEC_ZSTD:
        return otlp_codec_zstd_inflate(in, out, err);
    case OTLP_CODEC_DEFLATE:
        return otlp_codec_zlib_inflate(in, out, err);
    case OTLP_CODEC_SNAPPY:
        return otlp_codec_snappy_inflate(in, out, err);
    }
    return err_set(err, ERR_POISON, EINVAL, "codec %d is not known", (int)codec);
}

int otlp_codec_inflate(enum otlp_codec codec, struct slice in, size_t max_bytes, struct buf *out, struct err *err)
{
    size_t own_max = out->max;
    int result;

    buf_clear(out);
    if (out->max > max_bytes)
        out->max = max_bytes; /* so that growing by doubling stays within it */
    result = inflate(codec, in, out, err);
    out->max = own_max;
    if (result < 0)
        buf_clear(out);
    return result;
}

int otlp_codec_deflate(enum otlp_codec codec, struct slice in, struct buf *out, struct err *err)
{
    buf_clear(out);
    switch (codec) {
    case OTLP_CODEC_IDENTITY:
        return copy(in, out, err);
    case OTLP_CODEC_GZIP:
        return otlp_codec_gzip_deflate(in, out, err);
    case OTLP_CODEC_ZSTD:
        return otlp_codec_zstd_deflate(in, out, err);
    case OTLP_CODEC_DEFLATE:
    case OTLP_CODEC_SNAPPY:
        return err_set(err, ERR_POISON, EINVAL, "%s: is only inflated", otlp_codec_name(codec));
    }
    return err_set(err, ERR_POISON, EINVAL, "codec %d is not known", (int)codec);
}

bool otlp_codec_parse(struct slice name, enum otlp_codec *codec)
{
    static const enum otlp_codec codecs[] = {OTLP_CODEC_IDENTITY, OTLP_CODEC_GZIP, OTLP_CODEC_ZSTD, OTLP_CODEC_DEFLATE,
                                             OTLP_CODEC_SNAPPY};

    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        const char *own = otlp_codec_name(codecs[i]);

        if (name.len != strlen(own) || strncasecmp((const char *)name.data, own, name.len) != 0)
            continue;
        *codec = codecs[i];
        return true;
    }
    return false;
}

const char *otlp_codec_name(enum otlp_codec codec)
{
    switch (codec) {
    case OTLP_CODEC_IDENTITY:
        return "identity";
    case OTLP_CODEC_GZIP:
        return "gzip";
    case OTLP_CODEC_ZSTD:
        return "zstd";
    case OTLP_CODEC_DEFLATE:
        return "deflate";
    case OTLP_CODEC_SNAPPY:
        return "snappy";
    }
    return "unknown";
}

int otlp_codec_too_large(enum otlp_codec codec, size_t max_bytes, struct err *err)
{
    return err_set(err, ERR_POISON, EMSGSIZE, "%s: more than %zu bytes when inflated", otlp_codec_name(codec),
                   max_bytes);
}

int otlp_codec_no_memory(enum otlp_codec codec, struct err *err)
{
    return err_set(err, ERR_BUSY, ENOMEM, "%s: no memory", otlp_codec_name(codec));
}
