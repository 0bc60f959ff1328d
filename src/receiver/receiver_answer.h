/*
 * receiver_answer.h - what an Export is answered: the one place that turns
 * what happened into a gRPC status, a message and details.
 *
 * A Collector keeps a batch on UNAVAILABLE and drops it on INVALID_ARGUMENT,
 * INTERNAL or UNKNOWN.  So the last two are never given, and what may pass
 * later is always UNAVAILABLE with RetryInfo.
 */
#ifndef TRACESPOOL_RECEIVER_ANSWER_H
#define TRACESPOOL_RECEIVER_ANSWER_H

#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "metrics.h"
#include "otlp_index.h"

#define RECEIVER_ANSWER_BYTES_MAX (4 * ERR_TEXT_MAX) /* of an encoded response or of encoded details */

/* gRPC's numbers, which are fixed: a pure file needs no gRPC header for them. */
enum receiver_code {
    RECEIVER_CODE_OK = 0,
    RECEIVER_CODE_INVALID_ARGUMENT = 3,
    RECEIVER_CODE_RESOURCE_EXHAUSTED = 8,
    RECEIVER_CODE_UNIMPLEMENTED = 12,
    RECEIVER_CODE_UNAVAILABLE = 14,
};

struct receiver_answer {
    enum receiver_code code;
    uint64_t rejected_spans;    /* OK only */
    uint64_t retry_after_ms;    /* UNAVAILABLE only */
    char message[ERR_TEXT_MAX]; /* with OK: of partial_success */
};

/* The request is durable, or holds nothing to store. */
void receiver_answer_ok(struct receiver_answer *answer, const uint32_t by_validity[OTLP_VALIDITY_COUNT]);

/*
 * The request is not stored, or nobody knows whether it is.  When that makes
 * the answer UNAVAILABLE, its delay is the shortest; who knows of a better one
 * (spool_writer_retry_ms) sets it afterwards.
 */
void receiver_answer_failure(struct receiver_answer *answer, const struct err *failure);

/* A method that is not TraceService/Export.  `method` need not be terminated. */
void receiver_answer_unimplemented(struct receiver_answer *answer, struct slice method);

/*
 * The response message of an OK, or the content of the trailer
 * grpc-status-details-bin (nothing is appended when the answer has none).
 * `out` takes RECEIVER_ANSWER_BYTES_MAX.
 */
void receiver_answer_put_response(const struct receiver_answer *answer, struct buf *out);
void receiver_answer_put_details(const struct receiver_answer *answer, struct buf *out);

/* The counter of such answers; METRIC_COUNT when there is none. */
enum metric receiver_answer_metric(const struct receiver_answer *answer);

#endif
