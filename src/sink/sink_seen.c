/*
 * sink_seen.c - open addressing, at most half full.
 *
 * A digest of zeros counts as free and is therefore never found again: a span
 * in 2^128 may be shown twice.
 */
#include "sink_seen.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

static const uint8_t zero[CHECKSUM_128_BYTES];

void sink_seen_fini(struct sink_seen *seen)
{
    free(seen->slots);
}

/* Where `digest` is, or belongs. */
static uint8_t *find(const struct sink_seen *seen, const uint8_t *digest)
{
    size_t i;

    memcpy(&i, digest, sizeof(i));
    for (i &= seen->capacity - 1;; i = (i + 1) & (seen->capacity - 1))
        if (memcmp(seen->slots[i], digest, sizeof(zero)) == 0 || memcmp(seen->slots[i], zero, sizeof(zero)) == 0)
            return seen->slots[i];
}

static int grow(struct sink_seen *seen)
{
    struct sink_seen grown = {.capacity = seen->capacity == 0 ? FIRST_CAPACITY : 2 * seen->capacity,
                              .count = seen->count};

    grown.slots = calloc(grown.capacity, sizeof(grown.slots[0]));
    if (grown.slots == NULL)
        return -1;
    for (size_t i = 0; i < seen->capacity; i++)
        if (memcmp(seen->slots[i], zero, sizeof(zero)) != 0)
            memcpy(find(&grown, seen->slots[i]), seen->slots[i], sizeof(zero));
    free(seen->slots);
    *seen = grown;
    return 0;
}

int sink_seen_add(struct sink_seen *seen, const uint8_t digest[CHECKSUM_128_BYTES])
{
    uint8_t *slot;

    if (2 * seen->count >= seen->capacity && grow(seen) != 0)
        return -1;
    slot = find(seen, digest);
    if (memcmp(slot, digest, sizeof(zero)) == 0)
        return 0;
    memcpy(slot, digest, sizeof(zero));
    seen->count++;
    return 1;
}
