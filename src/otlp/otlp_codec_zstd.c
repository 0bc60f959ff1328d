/*
 * otlp_codec_zstd.c - zstd (RFC 8878), frame by frame, each at once.
 *
 * A frame that is inflated at once into the output needs no window beside it:
 * whatever window it declares, memory is the output, which has its bound, and
 * the context, which has its size.  How large the output has to be, a frame
 * may say; it is refused at once when that passes the bound, else believed,
 * and zstd itself checks it.
 *
 * Encoders that stream (a Collector's, in Go) do not say.  Then the room is
 * guessed, and a frame that turns out larger is inflated again with four times
 * as much: all tries together cost at most a third more than the last, and
 * OTLP almost never comes to a second.  zstd's own streaming would save that
 * third and cost a window for each thread, up to 8 MiB or what the bound on
 * windows is, a copy of every byte, and the frames of a larger window.
 */
#include <errno.h>
#include <zstd_errors.h>

#include "otlp_codec_internal.h"

#define ROOM_MIN (64UL << 10)
#define ROOM_FACTOR 4
#define RATIO_GUESS 16
#define LEVEL 1 /* 1.2 GB/s, and OTLP shrinks to a seventh */

/*
 * Below so many bytes the tables of level 1 take longer to make than the rest:
 * a request of ten spans is compressed in half the time at this level, to 8 %
 * more.
 */
#define SMALL_BYTES (16UL << 10)
#define SMALL_LEVEL (-1)

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t guess_room(struct slice frame)
{
    return frame.len < ROOM_MIN / RATIO_GUESS ? ROOM_MIN : frame.len * RATIO_GUESS;
}

/* Inflates one frame behind what `out` holds. 0 or an errno. */
static int inflate_frame(ZSTD_DCtx *context, struct slice frame, struct buf *out)
{
    size_t left = out->max - out->len;
    unsigned long long claim = ZSTD_getFrameContentSize(frame.data, frame.len);
    bool is_known = claim != ZSTD_CONTENTSIZE_UNKNOWN && claim != ZSTD_CONTENTSIZE_ERROR;
    size_t room = smaller(guess_room(frame), left);

    if (is_known && claim > left)
        return EMSGSIZE;
    if (is_known)
        room = (size_t)claim;
    for (;;) {
        uint8_t nowhere;
        uint8_t *to = room == 0 ? &nowhere : buf_reserve(out, room);
        size_t produced;

        if (to == NULL)
            return ENOMEM;
        produced = ZSTD_decompressDCtx(context, to, room, frame.data, frame.len);
        if (!ZSTD_isError(produced)) {
            out->len += produced;
            return 0;
        }
        if (ZSTD_getErrorCode(produced) == ZSTD_error_memory_allocation)
            return ENOMEM;
        if (ZSTD_getErrorCode(produced) != ZSTD_error_dstSize_tooSmall)
            return EBADMSG;
        if (is_known)
            return EBADMSG; /* more than it said */
        if (room == left)
            return EMSGSIZE;
        room = room > left / ROOM_FACTOR ? left : room * ROOM_FACTOR;
    }
}

/* The library also reads the formats before zstd 0.8, whose decoders have seen less testing: they are refused. */
static bool is_frame(struct slice in)
{
    uint32_t magic;

    if (in.len < sizeof(magic))
        return false;
    magic = (uint32_t)in.data[0] | (uint32_t)in.data[1] << 8 | (uint32_t)in.data[2] << 16 | (uint32_t)in.data[3] << 24;
    return magic == ZSTD_MAGICNUMBER || (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

int otlp_codec_zstd_inflate(struct slice in, struct buf *out, struct err *err)
{
    ZSTD_DCtx *context = otlp_codec_context_unzstd();
    struct slice rest = in;

    if (context == NULL)
        return otlp_codec_no_memory(OTLP_CODEC_ZSTD, err);
    if (in.len == 0)
        return err_set(err, ERR_POISON, EBADMSG, "zstd: empty, which is no stream");
    while (rest.len > 0) {
        size_t size = ZSTD_findFrameCompressedSize(rest.data, rest.len);
        int code = EBADMSG;

        if (is_frame(rest) && !ZSTD_isError(size))
            code = inflate_frame(context, slice_of(rest.data, size), out);
        if (code == EMSGSIZE)
            return otlp_codec_too_large(OTLP_CODEC_ZSTD, out->max, err);
        if (code == ENOMEM)
            return otlp_codec_no_memory(OTLP_CODEC_ZSTD, err);
        if (code != 0)
            return err_set(err, ERR_POISON, code, "zstd: %s, in what starts at byte %zu",
                           is_frame(rest) ? "damaged or truncated" : "not zstd", in.len - rest.len);
        rest = slice_of(rest.data + size, rest.len - size);
    }
    return 0;
}

int otlp_codec_zstd_deflate(struct slice in, struct buf *out, struct err *err)
{
    ZSTD_CCtx *context = otlp_codec_context_zstd();
    size_t bound = ZSTD_compressBound(in.len);
    uint8_t *to = context == NULL ? NULL : buf_reserve(out, bound);
    size_t produced;

    if (to == NULL)
        return otlp_codec_no_memory(OTLP_CODEC_ZSTD, err);
    produced = ZSTD_compressCCtx(context, to, bound, in.data, in.len, in.len < SMALL_BYTES ? SMALL_LEVEL : LEVEL);
    if (ZSTD_isError(produced)) /* the room suffices, so it is memory */
        return otlp_codec_no_memory(OTLP_CODEC_ZSTD, err);
    out->len += produced;
    return 0;
}
