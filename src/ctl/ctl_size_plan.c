/*
 * ctl_size_plan.c - from how much comes to how large the spool has to be.
 *
 * Pure.  What an outage brings is its length times the rate, and the margin on
 * top.  The rate is that of the busiest stretch that was as long as the outage;
 * an average over a few days is less than what comes from one morning to the
 * next evening.  While less is covered, the average has to do.
 */
#include "ctl_size_plan.h"

#include <string.h>

#include "clock.h"
#include "spool_sizing.h"

#define MILLION 1000000.0

static struct ctl_size_rate rate_of(const struct ctl_size_sum *sum, uint64_t ns)
{
    double seconds = (double)ns / NS_PER_S;

    return (struct ctl_size_rate){
        .known = true, .spans = (double)sum->spans / seconds, .bytes = (double)sum->bytes / seconds};
}

static void measure(struct ctl_size_plan *plan, const struct ctl_size_load *load)
{
    uint64_t covered_ns = ctl_size_load_covered_ns(load);

    if (covered_ns >= CTL_SIZE_COVERED_MIN_S * NS_PER_S)
        plan->average = rate_of(&load->all, covered_ns);
    if (plan->average.known && ctl_size_load_knows(load, &load->hour))
        plan->busiest_hour = rate_of(&load->hour.busiest, load->hour.length_ns);
    if (plan->average.known && ctl_size_load_knows(load, &load->outage))
        plan->busiest_outage = rate_of(&load->outage.busiest, load->outage.length_ns);
    plan->span_bytes_assumed = load->all.spans == 0;
    plan->span_bytes =
        plan->span_bytes_assumed ? CTL_SIZE_SPAN_BYTES : (double)load->all.bytes / (double)load->all.spans;
}

static void choose(struct ctl_size_plan *plan, uint64_t rate)
{
    if (rate > 0) {
        plan->basis = CTL_SIZE_GIVEN;
        plan->rate =
            (struct ctl_size_rate){.known = true, .spans = (double)rate, .bytes = (double)rate * plan->span_bytes};
    } else if (plan->busiest_outage.known && plan->busiest_outage.bytes >= plan->average.bytes) {
        plan->basis = CTL_SIZE_BUSIEST_OUTAGE;
        plan->rate = plan->busiest_outage;
    } else {
        plan->basis = CTL_SIZE_AVERAGE;
        plan->rate = plan->average;
    }
}

static uint64_t lasts_ns(uint64_t size_bytes, const struct ctl_size_rate *rate)
{
    double ns;

    if (!rate->known)
        return 0;
    ns = (double)spool_sizing_room_bytes(size_bytes) / rate->bytes * NS_PER_S; /* without a rate: infinite */
    return ns >= (double)INT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

bool ctl_size_plan_make(struct ctl_size_plan *plan, const struct ctl_size_asked *asked,
                        const struct ctl_size_load *load, uint64_t size_bytes)
{
    double bytes;

    memset(plan, 0, sizeof(*plan));
    plan->size_bytes = size_bytes;
    measure(plan, load);
    choose(plan, asked->rate);
    if (!plan->rate.known)
        return false;
    bytes = plan->rate.bytes * ((double)asked->outage_ns / NS_PER_S) * (1 + (double)asked->margin_millionths / MILLION);
    plan->too_much = bytes > (double)spool_sizing_room_bytes(SPOOL_SIZE_MAX_BYTES);
    plan->outage_bytes = plan->too_much ? UINT64_MAX : (uint64_t)bytes;
    plan->needed_bytes = spool_sizing_size_bytes(plan->outage_bytes);
    if (size_bytes > 0) {
        plan->lasts_ns = lasts_ns(size_bytes, &plan->rate);
        plan->lasts_busiest_ns = lasts_ns(size_bytes, &plan->busiest_hour);
    }
    return true;
}
