/*
 * checksum.c - XXH3 behind our own names, so that one folder knows the library.
 */
#include "checksum.h"

#include <assert.h>
#include <xxhash.h>

uint64_t checksum_64(struct slice data)
{
    return XXH3_64bits(data.len == 0 ? "" : (const void *)data.data, data.len);
}

/* struct checksum_128 is XXH3's own state: only ever handled by pointer. */
static XXH3_state_t *xxh3_state(struct checksum_128 *state)
{
    return (XXH3_state_t *)state;
}

struct checksum_128 *checksum_128_new(void)
{
    XXH3_state_t *state = XXH3_createState(); /* aligned to 64, which malloc does not promise */

    if (state != NULL)
        checksum_128_reset((struct checksum_128 *)state);
    return (struct checksum_128 *)state;
}

void checksum_128_free(struct checksum_128 *state)
{
    XXH3_freeState(xxh3_state(state));
}

void checksum_128_reset(struct checksum_128 *state)
{
    XXH_errorcode code = XXH3_128bits_reset(xxh3_state(state));

    assert(code == XXH_OK);
}

void checksum_128_field(struct checksum_128 *state, struct slice field)
{
    uint8_t length[8];
    XXH_errorcode code;

    for (unsigned i = 0; i < sizeof(length); i++)
        length[i] = (uint8_t)((uint64_t)field.len >> (8 * i));
    code = XXH3_128bits_update(xxh3_state(state), length, sizeof(length));
    assert(code == XXH_OK);
    if (field.len > 0) {
        code = XXH3_128bits_update(xxh3_state(state), field.data, field.len);
        assert(code == XXH_OK);
    }
}

void checksum_128_result(const struct checksum_128 *state, uint8_t out[CHECKSUM_128_BYTES])
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest((const XXH3_state_t *)state));
    memcpy(out, canonical.digest, CHECKSUM_128_BYTES);
}
