/*
 * intake_answer.h - what an Export is answered: the one place that turns what
 * happened into a status code, a message and details.
 *
 * The codes are gRPC's; OTLP/HTTP maps them to its own (src/http).  A
 * Collector keeps a batch on UNAVAILABLE and drops it on INVALID_ARGUMENT,
 * INTERNAL or UNKNOWN.  So what may pass later is always UNAVAILABLE with a
 * delay, and the last two are never given for a request: INTERNAL only for a
 * frame that gRPC's rules have it for.
 *
 * Pure, any thread.
 */
#ifndef TRACESPOOL_INTAKE_ANSWER_H
#define TRACESPOOL_INTAKE_ANSWER_H

#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "metrics.h"
#include "otlp_index.h"

#define INTAKE_ANSWER_BYTES_MAX (8 * ERR_TEXT_MAX) /* of an encoded response or of encoded details */

/* gRPC's numbers, which are fixed. */
enum intake_code {
    INTAKE_CODE_OK = 0,
    INTAKE_CODE_INVALID_ARGUMENT = 3,
    INTAKE_CODE_DEADLINE_EXCEEDED = 4,
    INTAKE_CODE_NOT_FOUND = 5,
    INTAKE_CODE_RESOURCE_EXHAUSTED = 8,
    INTAKE_CODE_UNIMPLEMENTED = 12,
    INTAKE_CODE_INTERNAL = 13,
    INTAKE_CODE_UNAVAILABLE = 14,
    INTAKE_CODE_UNAUTHENTICATED = 16,
};

struct intake_answer {
    enum intake_code code;
    uint64_t retry_after_ms;    /* UNAVAILABLE only */
    uint64_t rejected_spans;    /* OK only */
    char message[ERR_TEXT_MAX]; /* with OK: of partial_success */
};

/* The request is durable, or holds nothing to store. */
void intake_answer_ok(struct intake_answer *answer, const uint32_t by_validity[OTLP_VALIDITY_COUNT]);

/* The request is not stored, or nobody knows whether it is. `retry_after_ms`: if it may pass later. */
void intake_answer_failure(struct intake_answer *answer, const struct err *failure, uint64_t retry_after_ms);

/* An answer that no error stands behind. */
void intake_answer_set(struct intake_answer *answer, enum intake_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The response message of an OK, or google.rpc.Status of another answer, as
 * protobuf or as JSON.  `out` takes INTAKE_ANSWER_BYTES_MAX.
 */
void intake_answer_put_response(const struct intake_answer *answer, struct buf *out);
void intake_answer_put_status(const struct intake_answer *answer, struct buf *out);
void intake_answer_put_response_json(const struct intake_answer *answer, struct buf *out);
void intake_answer_put_status_json(const struct intake_answer *answer, struct buf *out);

/* The counter of such answers. */
enum metric intake_answer_metric(const struct intake_answer *answer);

/* The counter of requests that are told to come back later because of `failure`. */
enum metric intake_answer_reason(const struct err *failure);

#endif
