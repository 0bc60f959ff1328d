/*
 * ctl_find.h - gathers the spans of a trace from the spool and from MongoDB.
 */
#ifndef TRACESPOOL_CTL_FIND_H
#define TRACESPOOL_CTL_FIND_H

#include "conf.h"
#include "ctl_scan.h"
#include "err.h"
#include "spool.h"

/* Adds what the batches and the parked entries hold of the trace.  -1: the spool cannot be read. */
int ctl_find_in_spool(struct ctl_spans *spans, struct spool *spool, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                      struct ctl_scan_report *report, struct err *err);

/* Adds what MongoDB holds of it.  -1: MongoDB does not answer within `timeout_ms`, or refuses.  Once a process. */
int ctl_find_in_mongodb(struct ctl_spans *spans, const struct conf *conf, const uint8_t trace_id[OTLP_TRACE_ID_BYTES],
                        unsigned timeout_ms, struct err *err);

#endif
