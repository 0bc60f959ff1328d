/*
 * ctl_size_load.c - how much came, on average and when it was busiest.
 *
 * Pure.  A window of some length moves along in slots, each a sixtieth of it,
 * and holds one slot more than its length: what is said of the busiest stretch
 * is never too little, and at most a sixtieth too long.
 *
 * Batches lie in the order in which they were stored, which is that of time but
 * for entries that were requeued, with the time at which they were first
 * received.  Those are counted in the sums alone, and do not stretch the time
 * that is covered, unless one is the first of all.
 */
#include "ctl_size_load.h"

#include <string.h>

#include "clock.h"

void ctl_size_load_init(struct ctl_size_load *load, uint64_t outage_ns)
{
    memset(load, 0, sizeof(*load));
    load->hour.length_ns = 3600 * NS_PER_S;
    load->outage.length_ns = outage_ns;
}

static void count(struct ctl_size_sum *sum, uint64_t batches, uint64_t spans, uint64_t bytes)
{
    sum->batches += batches;
    sum->spans += spans;
    sum->bytes += bytes;
}

static void forget(struct ctl_size_sum *sum, struct ctl_size_sum *slot)
{
    sum->batches -= slot->batches;
    sum->spans -= slot->spans;
    sum->bytes -= slot->bytes;
    memset(slot, 0, sizeof(*slot));
}

static void move_to(struct ctl_size_window *window, uint64_t slot)
{
    if (slot - window->slot > CTL_SIZE_SLOTS) {
        memset(window->slots, 0, sizeof(window->slots));
        memset(&window->sum, 0, sizeof(window->sum));
        window->slot = slot;
    }
    while (window->slot < slot)
        forget(&window->sum, &window->slots[++window->slot % (CTL_SIZE_SLOTS + 1)]);
}

static void add_to(struct ctl_size_window *window, uint64_t received_ns, uint64_t spans, uint64_t bytes)
{
    uint64_t slot = received_ns / (window->length_ns / CTL_SIZE_SLOTS);

    if (slot > window->slot)
        move_to(window, slot);
    else if (window->slot - slot > CTL_SIZE_SLOTS)
        return;
    count(&window->slots[slot % (CTL_SIZE_SLOTS + 1)], 1, spans, bytes);
    count(&window->sum, 1, spans, bytes);
    if (window->sum.bytes > window->busiest.bytes)
        window->busiest = window->sum;
}

void ctl_size_load_add(struct ctl_size_load *load, uint64_t received_ns, uint64_t spans, uint64_t bytes)
{
    count(&load->all, 1, spans, bytes);
    if (load->all.batches == 1)
        load->oldest_ns = load->newest_ns = received_ns;
    if (received_ns > load->newest_ns)
        load->newest_ns = received_ns;
    if (received_ns + load->hour.length_ns < load->newest_ns) {
        load->late_batches++;
        return;
    }
    add_to(&load->hour, received_ns, spans, bytes);
    add_to(&load->outage, received_ns, spans, bytes);
}
