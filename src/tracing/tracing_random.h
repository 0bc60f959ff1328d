/*
 * tracing_random.h - ids for traces and spans.  Any thread, without a lock.
 *
 * They have to be unlikely to meet, and nothing rests on their secrecy.
 */
#ifndef TRACESPOOL_TRACING_RANDOM_H
#define TRACESPOOL_TRACING_RANDOM_H

#include <stddef.h>

/* Fills `bytes`; not all of them are zero. */
void tracing_random_fill(void *bytes, size_t count);

#endif
