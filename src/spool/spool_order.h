/*
 * spool_order.h - whether records lie in the order of their times.  Pure: the
 * caller keeps the sums with the counters.
 *
 * They mostly do, but a wall clock is set back, and a requeued span keeps the
 * time at which it was received.  So a record carries a mark when no record
 * before it was received more than SPOOL_ORDER_SLACK_MS later: from such a one
 * it can be told that all that lies before a time lies before it.
 */
#ifndef TRACESPOOL_SPOOL_ORDER_H
#define TRACESPOOL_SPOOL_ORDER_H

#include <stdbool.h>
#include <stdint.h>

struct spool_order {
    uint64_t from_seq;  /* marks are true of the records from here on; 0: an older tracespool wrote last, or nobody */
    uint64_t latest_ns; /* the latest time of these */
};

/* `seq` is appended: whether it is to be marked. */
bool spool_order_note(struct spool_order *order, uint64_t seq, uint64_t received_ns);

/* Whether every record up to a marked one of `received_ns` was received before `since_ns`. */
bool spool_order_is_before(uint64_t received_ns, uint64_t since_ns);

#endif
