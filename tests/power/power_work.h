/*
 * power_work.h - a workload on a real spool, recorded.
 *
 * Two processes: a daemon whose threads put, deliver out of order and park, and
 * which is stopped and started on the way; and, if wanted, an operator who
 * edits beside it (power_operator.c).
 */
#ifndef TRACESPOOL_POWER_WORK_H
#define TRACESPOOL_POWER_WORK_H

#include "power_log.h"
#include "power_table.h"

struct power_work {
    const char *name;
    uint64_t size_bytes;
    uint64_t first_bytes;  /* of the spool in the first session; 0: the same */
    uint64_t stored_bytes; /* puts end when so much was acknowledged */
    bool reserve;
    bool park;
    bool edit;
    bool fill;         /* deliver only when a put has been refused */
    unsigned sessions; /* times that the spool is opened */
};

struct power_run {
    const struct power_work *work;
    const char *path; /* of the spool */
    uint64_t seed;
    struct power_log *log;
    struct power_table *table;
};

/* Runs it in processes of its own, to their end.  False when one of them did not end well. */
bool power_work_record(const struct power_run *run);

/* The operator's process: until the daemon has ended.  Does not return. */
void power_operator_run(const struct power_run *run);

/* The same for the same seed. */
uint64_t power_random(uint64_t *state);
uint64_t power_random_below(uint64_t *state, uint64_t end);

/* The bytes of put `id`; malloc. */
uint8_t *power_bytes(uint64_t id, size_t len);

#define POWER_RECEIVED_NS 1000000U /* a put is known again by its time: this and its id */

#endif
