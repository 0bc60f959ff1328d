/*
 * ingest_drive.h - a load of Export calls on a server, and what came of it.
 */
#ifndef TRACESPOOL_INGEST_DRIVE_H
#define TRACESPOOL_INGEST_DRIVE_H

#include <stdint.h>

#include "err.h"
#include "ingest_histogram.h"
#include "ingest_pool.h"
#include "ingest_reply.h"

#define INGEST_CONNECTIONS_MAX 256
#define INGEST_SILENCE_NS (UINT64_C(60) * 1000000000) /* with calls in flight: then the server is given up */

struct ingest_load {
    const char *target; /* HOST:PORT */
    unsigned connections;
    unsigned in_flight; /* calls at a time on one connection */
    double rate;        /* calls a second; 0: one as soon as another is answered */
    uint64_t warm_up_ns;
    uint64_t duration_ns; /* of the window that is measured, after the warm-up */
    uint64_t seed;        /* of ids */
};

struct ingest_count {
    uint64_t requests;
    uint64_t spans;
    uint64_t bytes; /* of messages */
};

struct ingest_result {
    struct ingest_count in_window;    /* answered OK within it */
    struct ingest_count acknowledged; /* answered OK at any time, from the first call to the last */
    uint64_t answers[INGEST_VERDICTS];
    uint64_t codes[INGEST_CODES];    /* of answers with a grpc-status */
    struct ingest_histogram latency; /* ns; of calls that were due within the window, whenever they were answered OK */
    uint64_t elapsed_ns;             /* from the first call to the last answer */
    uint64_t cpu_ns;                 /* this process's meanwhile */
};

/*
 * Runs the load to its end: no call is begun after the window, and all are
 * waited for.  With a rate, a call is due at its time on an even grid, and its
 * latency counts from there: one that could not be begun in time, since all
 * others were in flight, has waited as a user would have.  All that were due
 * within the window are made.
 *
 * -1: a connection could not be made or broke, or nothing was answered for
 * INGEST_SILENCE_NS.
 */
int ingest_drive(const struct ingest_load *load, const struct ingest_pool *pool, struct ingest_result *result,
                 struct err *err);

#endif
