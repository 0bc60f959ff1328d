/*
 * spool_rate.h - how much comes in and goes out a second.  Pure: the caller has
 * the clock, and keeps the marks with the counters.
 */
#ifndef TRACESPOOL_SPOOL_RATE_H
#define TRACESPOOL_SPOOL_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Since the spool was made. */
struct spool_sums {
    uint64_t received_records;
    uint64_t received_spans;
    uint64_t delivered_records;
    uint64_t delivered_spans;
};

/* The sums at two moments.  All zero: none yet. */
struct spool_marks {
    uint64_t from_ns; /* wall clock; rates are measured from here */
    struct spool_sums from;
    uint64_t next_ns; /* becomes `from` when it is old enough */
    struct spool_sums next;
};

/* A second. */
struct spool_rate {
    double received_records;
    double received_spans;
    double delivered_records;
    double delivered_spans;
};

/* Something is about to change; `before` is what the sums are until then. */
void spool_rate_note(struct spool_marks *marks, const struct spool_sums *before, uint64_t now_ns);

/* The rates of the last seconds; false when they are not known. */
bool spool_rate_recent(const struct spool_marks *marks, const struct spool_sums *sums, uint64_t now_ns,
                       struct spool_rate *rate);

/* From one look to the next; false when no time has passed, or the sums are of another spool. */
bool spool_rate_between(const struct spool_sums *before, const struct spool_sums *after, uint64_t elapsed_ns,
                        struct spool_rate *rate);

#endif
