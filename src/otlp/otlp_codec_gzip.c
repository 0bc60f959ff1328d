/*
 * otlp_codec_gzip.c - gzip (RFC 1952) through libdeflate, which takes a whole
 * member at once, into memory that has to be large enough.
 *
 * How large, the stream says at its end (ISIZE): modulo 2^32, for the last
 * member only, and perhaps not truly.  So it is a first guess: a member that
 * turns out larger is inflated again with four times the room, up to the
 * bound.  A lie costs a little time and never memory.
 */
#include <errno.h>

#include "otlp_codec_internal.h"

#define ISIZE_BYTES 4
#define ROOM_MIN 4096
#define ROOM_FACTOR 4
#define RATIO_MAX 1032 /* of deflate: 258 bytes for every two bits */
#define LEVEL 1

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What the last four bytes say, within what deflate can make of `in`. */
static size_t guess_room(struct slice in)
{
    const uint8_t *size;
    uint32_t claim;

    if (in.len < ISIZE_BYTES)
        return ROOM_MIN;
    size = in.data + in.len - ISIZE_BYTES;
    claim = (uint32_t)size[0] | (uint32_t)size[1] << 8 | (uint32_t)size[2] << 16 | (uint32_t)size[3] << 24;
    return claim < ROOM_MIN ? ROOM_MIN : smaller(claim, in.len * RATIO_MAX);
}

/* Inflates the member at the front of `in` behind what `out` holds; `in_used` says where it ended. */
static int inflate_member(struct libdeflate_decompressor *context, struct slice in, struct buf *out, size_t *in_used,
                          const char **why)
{
    size_t left = out->max - out->len;
    size_t room = smaller(guess_room(in), left);

    for (;;) {
        uint8_t nowhere;
        uint8_t *to = room == 0 ? &nowhere : buf_reserve(out, room);
        size_t produced;

        if (to == NULL)
            return ENOMEM;
        switch (libdeflate_gzip_decompress_ex(context, in.data, in.len, to, room, in_used, &produced)) {
        case LIBDEFLATE_SUCCESS:
            out->len += produced;
            return 0;
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            if (room == left)
                return EMSGSIZE;
            room = room > left / ROOM_FACTOR ? left : room * ROOM_FACTOR;
            break;
        default:
            *why = in.len >= 2 && in.data[0] == 0x1f && in.data[1] == 0x8b ? "damaged or truncated" : "not gzip";
            return EBADMSG;
        }
    }
}

int otlp_codec_gzip_inflate(struct slice in, struct buf *out, struct err *err)
{
    struct libdeflate_decompressor *context = otlp_codec_context_gzip();
    struct slice rest = in;
    const char *why = NULL;

    if (context == NULL)
        return otlp_codec_no_memory(OTLP_CODEC_GZIP, err);
    if (in.len == 0)
        return err_set(err, ERR_POISON, EBADMSG, "gzip: empty, which is no stream");
    while (rest.len > 0) {
        size_t used = 0;

        switch (inflate_member(context, rest, out, &used, &why)) {
        case 0:
            rest = slice_of(rest.data + used, rest.len - used);
            break;
        case EMSGSIZE:
            return otlp_codec_too_large(OTLP_CODEC_GZIP, out->max, err);
        case ENOMEM:
            return otlp_codec_no_memory(OTLP_CODEC_GZIP, err);
        default:
            return err_set(err, ERR_POISON, EBADMSG, "gzip: %s, in what starts at byte %zu", why, in.len - rest.len);
        }
    }
    return 0;
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
