/*
 * ctl_scan.h - the requests of the spool in which a trace may be.
 */
#ifndef TRACESPOOL_CTL_SCAN_H
#define TRACESPOOL_CTL_SCAN_H

#include "ctl_batch.h"
#include "ctl_spans.h"

struct ctl_scan_report {
    uint64_t batches;    /* looked through */
    uint64_t unreadable; /* batches and parked entries that could not be: damaged */
};

struct ctl_scan {
    const uint8_t *trace_id; /* OTLP_TRACE_ID_BYTES */

    /*
     * batch->request, uncompressed and not walked, holds the id's bytes;
     * `place` is an enum ctl_place.  -1: it cannot be read.
     */
    int (*visit)(void *context, struct ctl_batch *batch, unsigned place, struct err *err);
    void *context;
    const bool *enough; /* ends the search when it is true; NULL: never */
    struct ctl_scan_report *report;
};

/* Batches in their order, then what is parked.  -1: the spool cannot be read. */
int ctl_scan_spool(const struct ctl_scan *scan, struct spool *spool, struct err *err);

#endif
