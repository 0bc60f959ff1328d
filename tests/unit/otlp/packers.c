/*
 * packers.c - streams as clients make them, for the codecs that the sources
 * only inflate.
 */
#include "packers.h"

#include <libdeflate.h>
#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_BYTES 65536
#define LEVEL 6

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "packers: %s\n", what);
    abort();
}

static uint8_t *room(struct buf *out, size_t len)
{
    uint8_t *to = buf_reserve(out, len);

    require(to != NULL, "no room");
    return to;
}

static void append_snappy_block(struct slice in, struct buf *out)
{
    size_t len = snappy_max_compressed_length(in.len);
    uint8_t *to = room(out, len);

    require(snappy_compress((const char *)in.data, in.len, (char *)to, &len) == SNAPPY_OK, "snappy");
    out->len += len;
}

void pack_snappy_block(struct slice in, struct buf *out)
{
    buf_clear(out);
    append_snappy_block(in, out);
}

void pack_snappy_chunk(unsigned type, struct slice body, struct buf *out)
{
    uint8_t header[4] = {(uint8_t)type, (uint8_t)body.len, (uint8_t)(body.len >> 8), (uint8_t)(body.len >> 16)};

    require(buf_append(out, header, sizeof(header)) == 0 && buf_append(out, body.data, body.len) == 0, "no room");
}

/* Bit by bit, so that it shares nothing with what it tests; masked as the format has it. */
static uint32_t masked_crc32c(struct slice data)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < data.len; i++) {
        crc ^= data.data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

static void append_checksum(struct slice data, struct buf *out)
{
    uint32_t crc = masked_crc32c(data);
    uint8_t bytes[4] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16), (uint8_t)(crc >> 24)};

    require(buf_append(out, bytes, sizeof(bytes)) == 0, "no room");
}

void pack_snappy_plain(struct slice data, struct buf *out)
{
    struct buf body;

    buf_init(&body, 2 * CHUNK_BYTES);
    append_checksum(data, &body);
    require(buf_append(&body, data.data, data.len) == 0, "no room");
    pack_snappy_chunk(1, buf_slice(&body), out);
    buf_fini(&body);
}

static void pack_snappy_framed(struct slice in, struct buf *out)
{
    struct buf body;

    buf_init(&body, 2 * CHUNK_BYTES);
    pack_snappy_chunk(0xff, slice_of_text("sNaPpY"), out);
    for (size_t at = 0; at < in.len; at += CHUNK_BYTES) {
        struct slice data = slice_of(in.data + at, in.len - at < CHUNK_BYTES ? in.len - at : CHUNK_BYTES);

        buf_clear(&body);
        append_checksum(data, &body);
        append_snappy_block(data, &body);
        pack_snappy_chunk(0, buf_slice(&body), out);
    }
    buf_fini(&body);
}

static void pack_zlib(struct slice in, struct buf *out)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LEVEL);
    size_t bound = libdeflate_zlib_compress_bound(compressor, in.len);

    require(compressor != NULL, "no memory");
    out->len += libdeflate_zlib_compress(compressor, in.data, in.len, room(out, bound), bound);
    libdeflate_free_compressor(compressor);
}

void pack(enum otlp_codec codec, struct slice in, struct buf *out)
{
    buf_clear(out);
    if (codec == OTLP_CODEC_DEFLATE)
        pack_zlib(in, out);
    else if (codec == OTLP_CODEC_SNAPPY)
        pack_snappy_framed(in, out);
    else
        require(otlp_codec_deflate(codec, in, out, NULL) == 0, "not compressed");
}
