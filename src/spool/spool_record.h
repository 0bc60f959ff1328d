/*
 * spool_record.h - how a record's parts look on disk.  Pure: bytes in, values out.
 *
 * A record (and a parked entry, under another magic) is cut into parts, one
 * LMDB value each: a header of SPOOL_PART_HEADER_BYTES, then that part's
 * payload.  Every part repeats what is known of the whole, so one intact part
 * tells the numbers of a damaged record.
 */
#ifndef TRACESPOOL_SPOOL_RECORD_H
#define TRACESPOOL_SPOOL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

#define SPOOL_PART_HEADER_BYTES 72
#define SPOOL_MAGIC_RECORD 0x52505354U /* "TSPR" */
#define SPOOL_MAGIC_PARKED 0x50505354U /* "TSPP" */

/* Keys are big-endian, so LMDB's own byte order is ours. */
#define SPOOL_RECORD_KEY_BYTES 12 /* seq u64, part u32 */
#define SPOOL_PARKED_KEY_BYTES 16 /* seq u64, index u32, part u32 */
#define SPOOL_KEY_BYTES_MAX SPOOL_PARKED_KEY_BYTES

struct spool_part {
    uint32_t magic;
    uint8_t codec;
    bool in_order; /* spool_order.h; never of a parked entry */
    uint64_t seq;
    uint64_t received_ns;
    uint64_t raw_bytes;    /* of a parked entry: its index, so that entries of one record can be told apart */
    uint64_t stored_bytes; /* of all parts together */
    uint32_t spans;
    uint32_t index;
    uint32_t count;
    uint32_t bytes;    /* payload in this part */
    uint64_t checksum; /* XXH3-64 of that payload */
};

void spool_put_u32(uint8_t *out, uint32_t value); /* little-endian */
void spool_put_u64(uint8_t *out, uint64_t value);
uint32_t spool_get_u32(const uint8_t *in);
uint64_t spool_get_u64(const uint8_t *in);

void spool_key_put_u32(uint8_t *out, uint32_t value); /* big-endian */
void spool_key_put_u64(uint8_t *out, uint64_t value);
uint32_t spool_key_get_u32(const uint8_t *in);
uint64_t spool_key_get_u64(const uint8_t *in);

void spool_part_encode(uint8_t out[SPOOL_PART_HEADER_BYTES], const struct spool_part *part);

/* The header alone, of SPOOL_PART_HEADER_BYTES, whatever comes after it.  False as spool_part_decode. */
bool spool_part_decode_header(struct spool_part *part, uint32_t magic, const uint8_t *in);

/*
 * False when `value` is no part of ours under `magic`: too short, another
 * magic or version, a header whose checksum does not match, a payload of
 * another length than it says.  The payload's checksum is not looked at.
 */
bool spool_part_decode(struct spool_part *part, uint32_t magic, struct slice value);

/* The payload of a value that spool_part_decode took. */
struct slice spool_part_payload(struct slice value);

/* Payload bytes in a part that takes `pages` pages: LMDB puts 16 bytes before a value of its own pages. */
uint32_t spool_part_bytes_max(unsigned pages);

/* Parts that a payload is cut into; at least one. */
uint64_t spool_part_count(uint64_t payload_bytes, uint32_t part_bytes_max);

#endif
