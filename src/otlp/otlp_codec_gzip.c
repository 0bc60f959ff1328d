/*
 * otlp_codec_gzip.c - gzip (RFC 1952) and zlib (RFC 1950, the "deflate" of
 * gRPC and HTTP) through libdeflate, which takes a whole member at once, into
 * memory that has to be large enough.
 *
 * How large, gzip says at its end (ISIZE): modulo 2^32, for the last member
 * only, and perhaps not truly; zlib does not say.  So there is a first guess,
 * and a member that turns out larger is inflated again with four times the
 * room, up to the bound.  All tries together cost at most a third more than
 * the last; a lie costs a little time and never memory.
 */
#include <errno.h>

#include "otlp_codec_internal.h"

#define ISIZE_BYTES 4
#define ROOM_MIN 4096
#define ROOM_FACTOR 4
#define RATIO_MAX 1032 /* of deflate: 258 bytes for every two bits */
#define RATIO_GUESS 16
#define LEVEL 1

struct format {
    enum otlp_codec codec;
    enum libdeflate_result (*inflate)(struct libdeflate_decompressor *context, const void *in, size_t in_len, void *out,
                                      size_t out_room, size_t *in_used, size_t *out_len);
    size_t (*guess_room)(struct slice in);
    bool (*is_member)(struct slice in); /* by its first bytes */
    bool repeats;                       /* members may follow one another */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* What the last four bytes say, within what deflate can make of `in`. */
static size_t guess_gzip(struct slice in)
{
    const uint8_t *size;
    uint32_t claim;

    if (in.len < ISIZE_BYTES)
        return ROOM_MIN;
    size = in.data + in.len - ISIZE_BYTES;
    claim = (uint32_t)size[0] | (uint32_t)size[1] << 8 | (uint32_t)size[2] << 16 | (uint32_t)size[3] << 24;
    return claim < ROOM_MIN ? ROOM_MIN : smaller(claim, in.len * RATIO_MAX);
}

static bool is_gzip(struct slice in)
{
    return in.len >= 2 && in.data[0] == 0x1f && in.data[1] == 0x8b;
}

static size_t guess_zlib(struct slice in)
{
    return larger(in.len * RATIO_GUESS, ROOM_MIN);
}

/* RFC 1950, section 2.2: method 8, and the two bytes as one number are a multiple of 31. */
static bool is_zlib(struct slice in)
{
    return in.len >= 2 && (in.data[0] & 0x0f) == 8 && (in.data[0] << 8 | in.data[1]) % 31 == 0;
}

static const struct format gzip = {OTLP_CODEC_GZIP, libdeflate_gzip_decompress_ex, guess_gzip, is_gzip, true};
static const struct format zlib = {OTLP_CODEC_DEFLATE, libdeflate_zlib_decompress_ex, guess_zlib, is_zlib, false};

/* Inflates the member at the front of `in` behind what `out` holds; `in_used` says where it ended.  0 or an errno. */
static int inflate_member(const struct format *format, struct libdeflate_decompressor *context, struct slice in,
                          struct buf *out, size_t *in_used)
{
    size_t left = out->max - out->len;
    size_t room = smaller(format->guess_room(in), left);

    for (;;) {
        uint8_t nowhere;
        uint8_t *to = room == 0 ? &nowhere : buf_reserve(out, room);
        size_t produced;

        if (to == NULL)
            return ENOMEM;
        switch (format->inflate(context, in.data, in.len, to, room, in_used, &produced)) {
        case LIBDEFLATE_SUCCESS:
            out->len += produced;
            return 0;
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            if (room == left)
                return EMSGSIZE;
            room = room > left / ROOM_FACTOR ? left : room * ROOM_FACTOR;
            break;
        default:
            return EBADMSG;
        }
    }
}

/* `rest` is the part of the stream that is no member. */
static int refuse(const struct format *format, struct slice in, struct slice rest, struct err *err)
{
    const char *name = otlp_codec_name(format->codec);
    size_t at = in.len - rest.len;

    if (at > 0 && !format->repeats)
        return err_set(err, ERR_POISON, EBADMSG, "%s: something follows it, at byte %zu", name, at);
    if (format->is_member(rest))
        return err_set(err, ERR_POISON, EBADMSG, "%s: damaged or truncated, in what starts at byte %zu", name, at);
    return err_set(err, ERR_POISON, EBADMSG, "%s: not %s, in what starts at byte %zu", name, name, at);
}

static int inflate_stream(const struct format *format, struct slice in, struct buf *out, struct err *err)
{
    struct libdeflate_decompressor *context = otlp_codec_context_inflate();
    struct slice rest = in;

    if (context == NULL)
        return otlp_codec_no_memory(format->codec, err);
    if (in.len == 0)
        return err_set(err, ERR_POISON, EBADMSG, "%s: empty, which is no stream", otlp_codec_name(format->codec));
    while (rest.len > 0) {
        size_t used = 0;
        int code = EBADMSG;

        if (rest.len == in.len || format->repeats)
            code = inflate_member(format, context, rest, out, &used);
        if (code == EMSGSIZE)
            return otlp_codec_too_large(format->codec, out->max, err);
        if (code == ENOMEM)
            return otlp_codec_no_memory(format->codec, err);
        if (code != 0)
            return refuse(format, in, rest, err);
        rest = slice_of(rest.data + used, rest.len - used);
    }
    return 0;
}

int otlp_codec_gzip_inflate(struct slice in, struct buf *out, struct err *err)
{
    return inflate_stream(&gzip, in, out, err);
}

int otlp_codec_zlib_inflate(struct slice in, struct buf *out, struct err *err)
{
    return inflate_stream(&zlib, in, out, err);
}

int otlp_codec_gzip_deflate(struct slice in, struct buf *out, struct err *err)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LEVEL);
    size_t bound = libdeflate_gzip_compress_bound(compressor, in.len);
    uint8_t *to = compressor == NULL ? NULL : buf_reserve(out, bound);

    if (to != NULL)
        out->len += libdeflate_gzip_compress(compressor, in.data, in.len, to, bound);
    if (compressor != NULL)
        libdeflate_free_compressor(compressor);
    return to == NULL ? otlp_codec_no_memory(OTLP_CODEC_GZIP, err) : 0;
}
