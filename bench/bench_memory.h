/*
 * bench_memory.h - what this process holds in memory, the spool's map told apart.
 *
 * Pages of data.mdb that were looked at count as this process's memory, and
 * the kernel takes them back when it needs them: what counts is the rest.
 */
#ifndef TRACESPOOL_BENCH_MEMORY_H
#define TRACESPOOL_BENCH_MEMORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "json.h"

struct bench_memory {
    pthread_t thread;

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ending;
    uint64_t samples;
    uint64_t anonymous_kib;  /* the most that was seen: heap, stacks, dirty pages of a transaction */
    uint64_t other_file_kib; /* of programs and libraries */
    uint64_t map_kib;        /* of data.mdb */
    uint64_t peak_kib;       /* VmHWM: the kernel's own figure, map included */
};

/* Looks every few milliseconds until _stop, on a thread of its own. */
int bench_memory_start(struct bench_memory *memory, struct err *err);

/* Looks once more; before the spool is closed.  Then the figures may be read. */
void bench_memory_stop(struct bench_memory *memory);

/* One object. */
void bench_memory_json(const struct bench_memory *memory, struct json *json);

#endif
