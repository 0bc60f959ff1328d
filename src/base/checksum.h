/*
 * checksum.h - XXH3: fast, not cryptographic.  For finding damage and for ids
 * from content, not against an adversary who chooses the content.
 */
#ifndef TRACESPOOL_CHECKSUM_H
#define TRACESPOOL_CHECKSUM_H

#include <stdint.h>

#include "slice.h"

#define CHECKSUM_128_BYTES 16

uint64_t checksum_64(struct slice data);

/*
 * A 128-bit hash over a sequence of fields.  Each field's length is hashed
 * with it (u64, little-endian, before the bytes), so that no two different
 * sequences are the same stream.
 */
struct checksum_128;

struct checksum_128 *checksum_128_new(void); /* NULL out of memory; reusable */
void checksum_128_free(struct checksum_128 *state);
void checksum_128_reset(struct checksum_128 *state);
void checksum_128_field(struct checksum_128 *state, struct slice field);
void checksum_128_result(const struct checksum_128 *state, uint8_t out[CHECKSUM_128_BYTES]); /* canonical, big-endian */

#endif
