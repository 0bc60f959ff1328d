/*
 * tracing_sampler.c - a share of all trace ids.
 *
 * As the SDK for Go has it: the last 8 bytes, big-endian and halved, below the
 * ratio's share of 2^63.
 */
#include "tracing_sampler.h"

#include <assert.h>

bool tracing_sampler_takes(const uint8_t trace_id[16], uint32_t ratio_millionths)
{
    uint64_t number = 0;

    assert(ratio_millionths <= TRACING_SAMPLER_ALL);
    if (ratio_millionths == TRACING_SAMPLER_ALL)
        return true;
    for (unsigned i = 8; i < 16; i++)
        number = number << 8 | trace_id[i];
    return number >> 1 < ratio_millionths * ((UINT64_C(1) << 63) / TRACING_SAMPLER_ALL);
}
