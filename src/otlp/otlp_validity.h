/*
 * otlp_validity.h - which spans are stored: one function decides it for who
 * answers requests and for who delivers them.
 *
 * Pure, any thread.
 */
#ifndef TRACESPOOL_OTLP_VALIDITY_H
#define TRACESPOOL_OTLP_VALIDITY_H

#include "slice.h"

#define OTLP_TRACE_ID_BYTES 16
#define OTLP_SPAN_ID_BYTES 8

/* Why a span is rejected; OTLP_VALID is the one that is stored. */
enum otlp_validity {
    OTLP_VALID,
    OTLP_BAD_TRACE_ID, /* not 16 bytes, or all zero */
    OTLP_BAD_SPAN_ID,  /* not 8 bytes, or all zero */
    OTLP_VALIDITY_COUNT
};

/* Of a span with these ids, empty ones where it has none. */
enum otlp_validity otlp_validity_of(struct slice trace_id, struct slice span_id);

/* "trace_id", "span_id": a stable name for logs and metrics. */
const char *otlp_validity_name(enum otlp_validity validity);

#endif
