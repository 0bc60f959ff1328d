/*
 * ctl_size_plan.h - from how much comes to how large the spool has to be.  Pure.
 */
#ifndef TRACESPOOL_CTL_SIZE_PLAN_H
#define TRACESPOOL_CTL_SIZE_PLAN_H

#include "buf.h"
#include "ctl_size_load.h"

struct ctl_size_asked {
    uint64_t outage_ns;
    uint64_t margin_millionths; /* of what comes, on top */
    uint64_t rate;              /* spans a second that are to be expected; 0: what was measured */
};

struct ctl_size_rate {
    bool known;
    double spans; /* a second */
    double bytes; /* of the spool's file, a second */
};

/* By which rate the size is computed. */
enum ctl_size_basis {
    CTL_SIZE_GIVEN,          /* --rate */
    CTL_SIZE_BUSIEST_OUTAGE, /* the busiest stretch as long as the outage */
    CTL_SIZE_AVERAGE,        /* less than such a stretch is covered */
};

struct ctl_size_plan {
    struct ctl_size_rate average;
    struct ctl_size_rate busiest_hour;
    struct ctl_size_rate busiest_outage;
    double span_bytes; /* of the file */
    bool span_bytes_assumed;
    enum ctl_size_basis basis;
    struct ctl_size_rate rate; /* by that basis */
    uint64_t outage_bytes;     /* what an outage brings, with the margin */
    uint64_t needed_bytes;     /* spool.size for it */
    bool too_much;             /* no spool is so large */
    uint64_t size_bytes;       /* the present one */
    uint64_t lasts_ns;         /* the present one by the rate, */
    uint64_t lasts_busiest_ns; /* and by that of the busiest hour; 0: not known, UINT64_MAX: for ever */
};

/* What a span takes in the file when the spool has none to measure: docs/measurements.md, 10 spans a request. */
#define CTL_SIZE_SPAN_BYTES 267

/* `size_bytes` is the present size.  False when `load` covers too little and no rate is given. */
bool ctl_size_plan_make(struct ctl_size_plan *plan, const struct ctl_size_asked *asked,
                        const struct ctl_size_load *load, uint64_t size_bytes);

/* What is shown of it. */
struct ctl_size_view {
    const char *path;
    const struct ctl_size_asked *asked;
    const struct ctl_size_load *load;
    const struct ctl_size_plan *plan;
};

void ctl_size_text(const struct ctl_size_view *view, struct buf *out);
void ctl_size_json(const struct ctl_size_view *view, struct buf *out);

#endif
