/*
 * spool_order.c - the mark of a record that comes in the order of time.
 */
#include "spool_order.h"

#include "bounds.h"
#include "clock.h"

#define SLACK_NS (SPOOL_ORDER_SLACK_MS * NS_PER_MS)

bool spool_order_note(struct spool_order *order, uint64_t seq, uint64_t received_ns)
{
    if (order->from_seq == 0)
        order->from_seq = seq;
    if (received_ns > order->latest_ns)
        order->latest_ns = received_ns;
    return order->latest_ns - received_ns <= SLACK_NS;
}

bool spool_order_is_before(uint64_t received_ns, uint64_t since_ns)
{
    return received_ns < since_ns && since_ns - received_ns > SLACK_NS;
}
