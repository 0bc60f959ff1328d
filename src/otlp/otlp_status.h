/*
 * otlp_status.h - google.rpc.Status, the content of the trailer
 * grpc-status-details-bin.
 *
 * OTLP tells "come back later" from "never" by a RetryInfo in it, and says
 * what was wrong with a request by a BadRequest.
 */
#ifndef TRACESPOOL_OTLP_STATUS_H
#define TRACESPOOL_OTLP_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "slice.h"

/* Append a Status of `code` and `message` with one detail.  A failure is sticky in `out`.  `message` is UTF-8. */
void otlp_status_put_retry(struct buf *out, int code, const char *message, uint64_t delay_ms);
void otlp_status_put_bad_request(struct buf *out, int code, const char *message, const char *field);

/* Whether `details` holds a RetryInfo, and its delay (0 when it names none, or a negative one). */
bool otlp_status_find_retry(struct slice details, uint64_t *delay_ms);

#endif
