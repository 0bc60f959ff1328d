/*
 * spool_record.c - encode and decode of part headers and keys.
 *
 * Pure; any thread.  The layout is written byte by byte, so that the file does
 * not depend on the compiler's padding or the machine's byte order:
 *
 *   0 magic u32 | 4 version u8 | 5 codec u8 | 6 flags u8 | 7 zero u8 | 8 seq u64
 *   16 received_ns u64 | 24 raw_bytes u64 | 32 stored_bytes u64 | 40 spans u32
 *   44 part index u32 | 48 part count u32 | 52 part bytes u32
 *   56 checksum of the part's payload u64 | 64 checksum of bytes 0..63 u64
 *
 * Magic and checksum together let a damaged file be searched for intact parts.
 */
#include "spool_record.h"

#include <assert.h>

#include "bounds.h"
#include "checksum.h"

#define PART_VERSION 1
#define FLAG_IN_ORDER 1 /* others are of a later version, and ignored */
#define LMDB_PAGE_HEADER_BYTES 16
#define CHECKSUM_OFFSET (SPOOL_PART_HEADER_BYTES - 8)

void spool_put_u32(uint8_t *out, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

void spool_put_u64(uint8_t *out, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

uint32_t spool_get_u32(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

uint64_t spool_get_u64(const uint8_t *in)
{
    return (uint64_t)spool_get_u32(in) | (uint64_t)spool_get_u32(in + 4) << 32;
}

void spool_key_put_u32(uint8_t *out, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

void spool_key_put_u64(uint8_t *out, uint64_t value)
{
    spool_key_put_u32(out, (uint32_t)(value >> 32));
    spool_key_put_u32(out + 4, (uint32_t)value);
}

uint32_t spool_key_get_u32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | (uint32_t)in[3];
}

uint64_t spool_key_get_u64(const uint8_t *in)
{
    return (uint64_t)spool_key_get_u32(in) << 32 | spool_key_get_u32(in + 4);
}

/* What must hold of every part: asserted when it is written, checked when it is read back. */
static bool consistent(const struct spool_part *part)
{
    return part->seq > 0 && part->count > 0 && part->index < part->count && part->bytes <= part->stored_bytes;
}

void spool_part_encode(uint8_t out[SPOOL_PART_HEADER_BYTES], const struct spool_part *part)
{
    assert(consistent(part));
    spool_put_u32(out, part->magic);
    out[4] = PART_VERSION;
    out[5] = part->codec;
    out[6] = part->in_order ? FLAG_IN_ORDER : 0;
    out[7] = 0;
    spool_put_u64(out + 8, part->seq);
    spool_put_u64(out + 16, part->received_ns);
    spool_put_u64(out + 24, part->raw_bytes);
    spool_put_u64(out + 32, part->stored_bytes);
    spool_put_u32(out + 40, part->spans);
    spool_put_u32(out + 44, part->index);
    spool_put_u32(out + 48, part->count);
    spool_put_u32(out + 52, part->bytes);
    spool_put_u64(out + 56, part->checksum);
    spool_put_u64(out + CHECKSUM_OFFSET, checksum_64(slice_of(out, CHECKSUM_OFFSET)));
}

bool spool_part_decode_header(struct spool_part *part, uint32_t magic, const uint8_t *in)
{
    if (spool_get_u32(in) != magic || in[4] != PART_VERSION ||
        spool_get_u64(in + CHECKSUM_OFFSET) != checksum_64(slice_of(in, CHECKSUM_OFFSET)))
        return false;
    *part = (struct spool_part){
        .magic = magic,
        .codec = in[5],
        .in_order = (in[6] & FLAG_IN_ORDER) != 0,
        .seq = spool_get_u64(in + 8),
        .received_ns = spool_get_u64(in + 16),
        .raw_bytes = spool_get_u64(in + 24),
        .stored_bytes = spool_get_u64(in + 32),
        .spans = spool_get_u32(in + 40),
        .index = spool_get_u32(in + 44),
        .count = spool_get_u32(in + 48),
        .bytes = spool_get_u32(in + 52),
        .checksum = spool_get_u64(in + 56),
    };
    return consistent(part);
}

bool spool_part_decode(struct spool_part *part, uint32_t magic, struct slice value)
{
    return value.len >= SPOOL_PART_HEADER_BYTES && spool_part_decode_header(part, magic, value.data) &&
           value.len == SPOOL_PART_HEADER_BYTES + (size_t)part->bytes;
}

struct slice spool_part_payload(struct slice value)
{
    assert(value.len >= SPOOL_PART_HEADER_BYTES);
    return slice_of(value.data + SPOOL_PART_HEADER_BYTES, value.len - SPOOL_PART_HEADER_BYTES);
}

uint32_t spool_part_bytes_max(unsigned pages)
{
    assert(pages > 0 && pages <= SPOOL_PART_PAGES);
    return (uint32_t)(pages * SPOOL_PAGE_BYTES) - LMDB_PAGE_HEADER_BYTES - SPOOL_PART_HEADER_BYTES;
}

uint64_t spool_part_count(uint64_t payload_bytes, uint32_t part_bytes_max)
{
    return payload_bytes == 0 ? 1 : (payload_bytes - 1) / part_bytes_max + 1;
}
