/*
 * otlp_codec_snappy.c - snappy in both forms that are called so.
 *
 * gRPC's clients in Go send the framed format (google/snappy
 * framing_format.txt): a stream identifier, then chunks of at most 64 KiB with
 * a checksum each.  HTTP's send one block without a frame, and older ones the
 * framed format under the same name; a Collector tells them apart by the
 * stream identifier, and so do we: as a block, it would be one of 895 bytes
 * whose first elements are wrong.
 *
 * How large a block is, it says at its start: that is checked against the
 * bound, and for a chunk against 64 KiB, before there is memory for it.
 */
#include <errno.h>
#include <snappy-c.h>

#include "otlp_codec_internal.h"

#define HEADER_BYTES 4
#define CHECKSUM_BYTES 4
#define CHUNK_BYTES_MAX 65536 /* inflated */

enum {
    CHUNK_COMPRESSED = 0x00,
    CHUNK_PLAIN = 0x01,
    CHUNK_SKIPPABLE_FIRST = 0x80, /* to 0xfe, which is padding */
    CHUNK_IDENTIFIER = 0xff,
};

static const uint8_t identifier[] = {CHUNK_IDENTIFIER, 6, 0, 0, 's', 'N', 'a', 'P', 'p', 'Y'};

static bool starts_framed(struct slice in)
{
    return in.len >= sizeof(identifier) && memcmp(in.data, identifier, sizeof(identifier)) == 0;
}

static uint32_t little_endian(const uint8_t *bytes, unsigned count)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < count; i++)
        value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

/* Inflates a block behind what `out` holds, to at most `max_bytes`. 0 or an errno. */
static int inflate_block(struct slice block, size_t max_bytes, struct buf *out)
{
    const char *from = (const char *)block.data;
    uint8_t nowhere;
    uint8_t *to = &nowhere;
    size_t size;

    if (block.len == 0 || snappy_uncompressed_length(from, block.len, &size) != SNAPPY_OK)
        return EBADMSG;
    if (size > max_bytes)
        return EMSGSIZE;
    if (size > 0)
        to = buf_reserve(out, size);
    if (to == NULL)
        return ENOMEM;
    if (snappy_uncompress(from, block.len, (char *)to, &size) != SNAPPY_OK)
        return EBADMSG;
    out->len += size;
    return 0;
}

/* The format masks its checksums, as a CRC over data that holds CRCs is weak. */
static uint32_t masked_crc(struct slice data)
{
    uint32_t crc = otlp_codec_crc32c(data);

    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

/* The body of a chunk that holds data. 0 or an errno. */
static int inflate_data(unsigned type, struct slice body, struct buf *out)
{
    size_t left = out->max - out->len;
    size_t start = out->len;
    struct slice data;
    int code;

    if (body.len < CHECKSUM_BYTES)
        return EBADMSG;
    data = slice_of(body.data + CHECKSUM_BYTES, body.len - CHECKSUM_BYTES);
    if (type == CHUNK_COMPRESSED) {
        code = inflate_block(data, CHUNK_BYTES_MAX < left ? CHUNK_BYTES_MAX : left, out);
        if (code == EMSGSIZE && left >= CHUNK_BYTES_MAX)
            code = EBADMSG; /* a chunk has no more, whatever the bound */
    } else if (data.len > CHUNK_BYTES_MAX) {
        code = EBADMSG;
    } else if (data.len > left) {
        code = EMSGSIZE;
    } else {
        code = buf_append(out, data.data, data.len) == 0 ? 0 : ENOMEM;
    }
    if (code != 0)
        return code;
    /* As long as nothing has come out there may be no memory behind `out`. */
    data = out->len == start ? slice_of(NULL, 0) : slice_of(out->data + start, out->len - start);
    return masked_crc(data) == little_endian(body.data, CHECKSUM_BYTES) ? 0 : EBADMSG;
}

/* The chunk at the front of `in`, of `size` bytes with its header. 0 or an errno. */
static int inflate_chunk(struct slice in, struct buf *out, size_t *size)
{
    unsigned type;

    if (in.len < HEADER_BYTES)
        return EBADMSG;
    type = in.data[0];
    *size = HEADER_BYTES + little_endian(in.data + 1, 3);
    if (*size > in.len)
        return EBADMSG;
    if (type == CHUNK_IDENTIFIER)
        return *size == sizeof(identifier) && starts_framed(in) ? 0 : EBADMSG;
    if (type >= CHUNK_SKIPPABLE_FIRST)
        return 0;
    if (type != CHUNK_COMPRESSED && type != CHUNK_PLAIN)
        return EBADMSG; /* reserved, and not to be skipped */
    return inflate_data(type, slice_of(in.data + HEADER_BYTES, *size - HEADER_BYTES), out);
}

static int refuse(int code, size_t at, const struct buf *out, struct err *err)
{
    if (code == EMSGSIZE)
        return otlp_codec_too_large(OTLP_CODEC_SNAPPY, out->max, err);
    if (code == ENOMEM)
        return otlp_codec_no_memory(OTLP_CODEC_SNAPPY, err);
    return err_set(err, ERR_POISON, code, "snappy: damaged or truncated, in what starts at byte %zu", at);
}

int otlp_codec_snappy_inflate(struct slice in, struct buf *out, struct err *err)
{
    struct slice rest = in;
    size_t size = in.len;
    int code;

    if (in.len == 0)
        return err_set(err, ERR_POISON, EBADMSG, "snappy: empty, which is no stream");
    if (!starts_framed(in)) {
        code = inflate_block(in, out->max, out);
        return code == 0 ? 0 : refuse(code, 0, out, err);
    }
    for (; rest.len > 0; rest = slice_of(rest.data + size, rest.len - size)) {
        code = inflate_chunk(rest, out, &size);
        if (code != 0)
            return refuse(code, in.len - rest.len, out, err);
    }
    return 0;
}
