/*
 * fake_sink.h - a sink in memory that fails and refuses on demand.
 */
#ifndef FAKE_SINK_H
#define FAKE_SINK_H

#include <pthread.h>
#include <stdbool.h>

#include "sink.h"

#define FAKE_SINK_FRAGMENTS_MAX 100000

struct fake_sink {
    struct sink base;

    /* set by the test, under lock once the flusher runs */
    unsigned fail_writes;                        /* the next so many writes fail as a whole ... */
    enum err_class fail_class;                   /* ... like this */
    unsigned fail_opens;                         /* the next so many session_open fail with ERR_RETRY */
    uint8_t refused_span_id[OTLP_SPAN_ID_BYTES]; /* fragments that hold it are refused ... */
    bool refuses;                                /* ... when this is set */

    /* under lock */
    pthread_mutex_t lock;
    uint8_t hashes[FAKE_SINK_FRAGMENTS_MAX][OTLP_FRAGMENT_HASH_BYTES];
    size_t count;   /* distinct fragments */
    uint64_t spans; /* in them */
    uint64_t again; /* fragments that were there */
    uint64_t failed_writes;
    uint64_t largest_write; /* fragments in one write */
};

void fake_sink_init(struct fake_sink *fake);
void fake_sink_fini(struct fake_sink *fake);

#endif
