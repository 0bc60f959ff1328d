/*
 * environment.h - what a test program is told from outside.
 */
#ifndef TRACESPOOL_TEST_ENVIRONMENT_H
#define TRACESPOOL_TEST_ENVIRONMENT_H

#include <stdint.h>
#include <stdlib.h>

/* A number: decimal, 0x.., 0.. */
static inline uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL || *text == '\0' ? otherwise : strtoull(text, NULL, 0);
}

#endif
