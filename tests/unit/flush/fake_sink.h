/*
 * fake_sink.h - a sink in memory that fails, refuses and hangs on demand.
 *
 * A span's number is its span id as a big-endian integer.
 */
#ifndef FAKE_SINK_H
#define FAKE_SINK_H

#include <pthread.h>
#include <stdbool.h>

#include "bounds.h"
#include "sink.h"

#define FAKE_SINK_FRAGMENTS_MAX 100000
#define FAKE_SINK_WRITES_MAX 1000

struct fake_write {
    const struct otlp_fragment *fragments;
    size_t count;
};

struct fake_sink {
    struct sink base;

    /* set by the test, under lock once the flusher runs */
    unsigned fail_writes;                        /* the next so many writes fail as a whole ... */
    enum err_class fail_class;                   /* ... like this */
    unsigned fail_opens;                         /* the next so many session_open fail with ERR_RETRY */
    uint8_t refused_span_id[OTLP_SPAN_ID_BYTES]; /* fragments that hold it are refused ... */
    bool refuses;                                /* ... when this is set */
    uint64_t refused_every; /* and those that hold a span of which this divides the number, unless it is 0 */
    uint64_t hang_number;   /* writes that hold the span of this number hang, until it is another */

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t moved; /* hang_number */
    uint8_t hashes[FAKE_SINK_FRAGMENTS_MAX][OTLP_FRAGMENT_HASH_BYTES];
    uint64_t numbers[FAKE_SINK_FRAGMENTS_MAX]; /* of each fragment's first span, in the order in which they came */
    size_t count;                              /* distinct fragments */
    uint64_t spans;                            /* in them */
    uint64_t again;                            /* fragments that were there */
    uint64_t failed_writes;
    uint64_t writes_apart;                            /* with `apart` */
    size_t documents_of_writes[FAKE_SINK_WRITES_MAX]; /* those that succeeded, the first of them */
    size_t write_count;
    void (*told)(void *context, bool passable);
    void *context;
    uint64_t largest_write;                      /* fragments in one write */
    struct fake_write writes[FLUSH_THREADS_MAX]; /* in hand */
    unsigned hanging;                            /* of them */
    uint64_t met;                                /* fragments that were in two writes at a time */
};

void fake_sink_init(struct fake_sink *fake);
void fake_sink_fini(struct fake_sink *fake);

/* Any thread. */
void fake_sink_hang(struct fake_sink *fake, uint64_t number); /* 0: no more */
void fake_sink_fail(struct fake_sink *fake, unsigned writes);
void fake_sink_tell(struct fake_sink *fake, bool passable); /* the watcher */
bool fake_sink_has(struct fake_sink *fake, uint64_t number);

#endif
