/*
 * power_actors.h - the threads of a workload's daemon, and what they share.
 */
#ifndef TRACESPOOL_POWER_ACTORS_H
#define TRACESPOOL_POWER_ACTORS_H

#include <pthread.h>

#include "power_work.h"
#include "spool_writer.h"

/* A thread's own copy. */
struct power_daemon {
    const struct power_run *run;
    struct spool_writer *writer;
    uint64_t goal_bytes;  /* of this session */
    uint64_t deadline_ns; /* monotonic */
    unsigned number;      /* of the thread: those that are not putters come first, as they are actors in the log */

    pthread_mutex_t *lock; /* of the puts in flight */
    pthread_cond_t *told;
};

/* Each takes a struct power_daemon, and ends when the session has stored what it was to store. */
void *power_deliver_many(void *daemon);
void *power_park_many(void *daemon);
void *power_put_many(void *daemon);

/* Ends the process: what is met should not be. */
_Noreturn void power_work_fail(const char *what, const struct err *err);

#endif
