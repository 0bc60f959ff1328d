/*
 * ctl_size_load.h - how much came, on average and when it was busiest.  Pure.
 */
#ifndef TRACESPOOL_CTL_SIZE_LOAD_H
#define TRACESPOOL_CTL_SIZE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"

struct ctl_size_sum {
    uint64_t batches;
    uint64_t spans;
    uint64_t bytes; /* of the spool's file */
};

/* The busiest stretch of a length, by bytes. */
struct ctl_size_window {
    uint64_t length_ns;
    uint64_t slot; /* number of the newest slot since 1970 */
    struct ctl_size_sum slots[CTL_SIZE_SLOTS + 1];
    struct ctl_size_sum sum;     /* of these slots */
    struct ctl_size_sum busiest; /* the largest that `sum` has been */
};

struct ctl_size_load {
    uint64_t oldest_ns; /* when the first and the newest batch were received; 0: none */
    uint64_t newest_ns;
    struct ctl_size_sum all;
    uint64_t late_batches; /* received long before one that lies before them: requeued, or a clock was set back */
    struct ctl_size_window hour;
    struct ctl_size_window outage;
};

void ctl_size_load_init(struct ctl_size_load *load, uint64_t outage_ns);

/* A batch; they come in the order of their numbers. */
void ctl_size_load_add(struct ctl_size_load *load, uint64_t received_ns, uint64_t spans, uint64_t bytes);

/* From the oldest to the newest. */
static inline uint64_t ctl_size_load_covered_ns(const struct ctl_size_load *load)
{
    return load->newest_ns - load->oldest_ns;
}

/* Whether so much is covered that a busiest stretch of that length is known. */
static inline bool ctl_size_load_knows(const struct ctl_size_load *load, const struct ctl_size_window *window)
{
    return ctl_size_load_covered_ns(load) >= window->length_ns;
}

#endif
