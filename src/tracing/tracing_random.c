/*
 * tracing_random.c - xoshiro256++ by Blackman and Vigna, one a thread, seeded
 * from the kernel at its first use: an id costs no system call.
 */
#include "tracing_random.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"

struct generator {
    bool is_seeded;
    uint64_t state[4];
};

static _Thread_local struct generator generator;

static void seed(void)
{
    if (getrandom(generator.state, sizeof(generator.state), 0) != (ssize_t)sizeof(generator.state)) {
        generator.state[0] ^= clock_wall_ns();
        generator.state[1] ^= (uintptr_t)&generator; /* another one in each thread */
    }
    generator.state[2] |= 1; /* a state of zeros would stay one */
    generator.is_seeded = true;
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t next(void)
{
    uint64_t *state = generator.state;
    uint64_t result = rotate(state[0] + state[3], 23) + state[0];
    uint64_t shifted = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 45);
    return result;
}

void tracing_random_fill(void *bytes, size_t count)
{
    uint64_t number;

    if (!generator.is_seeded)
        seed();
    for (size_t at = 0, step; at < count; at += step) {
        do
            number = next();
        while (number == 0);
        step = count - at < sizeof(number) ? count - at : sizeof(number);
        memcpy((char *)bytes + at, &number, step);
    }
}
