/*
 * fuzz_spool_record.c - what a part's header can be.
 *
 * Any bytes are decoded or refused; what is decoded says only what fits the
 * bytes, and encoding it again gives the same header.  The same bytes as a
 * parked entry's are decoded or called damaged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "checksum.h"
#include "spool_park.h"
#include "spool_record.h"

#define ARENA_BYTES (16UL << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_spool_record: does not hold: %s\n", what);
    abort();
}

static void decode_part(struct slice value, uint32_t magic)
{
    uint8_t again[SPOOL_PART_HEADER_BYTES];
    struct spool_part part;

    if (!spool_part_decode(&part, magic, value))
        return;
    require(spool_part_payload(value).len == part.bytes, "the payload is as long as the header says");
    require(part.index < part.count && part.bytes <= part.stored_bytes, "a part lies in its whole");
    spool_part_encode(again, &part);
    /* Flags that we do not know, and the byte that is zero when we write, are not looked at when we read. */
    require(memcmp(again, value.data, 6) == 0 && memcmp(again + 8, value.data + 8, sizeof(again) - 16) == 0 &&
                again[6] == (value.data[6] & again[6]),
            "what is decoded is encoded to the same");
}

static void decode_parked(struct slice blob)
{
    struct spool_parked parked = {.index = 0};
    struct arena arena;
    bool damaged;

    arena_init(&arena, ARENA_BYTES);
    require(spool_park_decode(&parked, blob, &arena, &damaged) == 0, "there is memory for a short text");
    if (!damaged) {
        require(strlen(parked.text) < PARK_TEXT_MAX, "a text is bounded");
        require(parked.payload.len <= blob.len, "a payload lies in its entry");
        require(parked.payload.len == 0 || parked.payload.data + parked.payload.len == blob.data + blob.len,
                "a payload ends where its entry ends");
    }
    arena_fini(&arena);
}

/* The checksum would stop all that is not ours: so the header is decoded with the right one as well. */
static void decode_with_checksum(const uint8_t *data, size_t size, uint32_t magic)
{
    uint8_t *copy = malloc(size);

    require(copy != NULL, "there is memory");
    memcpy(copy, data, size);
    spool_put_u32(copy, magic);
    copy[4] = 1;
    spool_put_u64(copy + SPOOL_PART_HEADER_BYTES - 8, checksum_64(slice_of(copy, SPOOL_PART_HEADER_BYTES - 8)));
    decode_part(slice_of(copy, size), magic);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t magics[] = {SPOOL_MAGIC_RECORD, SPOOL_MAGIC_PARKED};

    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        decode_part(slice_of(data, size), magics[i]);
        if (size >= SPOOL_PART_HEADER_BYTES)
            decode_with_checksum(data, size, magics[i]);
    }
    decode_parked(slice_of(data, size));
    return 0;
}
