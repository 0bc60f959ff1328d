/*
 * otlp_status.h - google.rpc.Status, the content of the trailer
 * grpc-status-details-bin and of an HTTP answer that is not 200.
 *
 * OTLP tells "come back later" from "never" by a RetryInfo in it, and says
 * what was wrong with a request by a BadRequest.
 */
#ifndef TRACESPOOL_OTLP_STATUS_H
#define TRACESPOOL_OTLP_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "json.h"
#include "slice.h"

/* Append a Status of `code` and `message` with one detail.  A failure is sticky in `out`.  `message` is UTF-8. */
void otlp_status_put_retry(struct buf *out, int code, const char *message, uint64_t delay_ms);
void otlp_status_put_bad_request(struct buf *out, int code, const char *message, const char *field);

/* A Status without details. */
void otlp_status_put(struct buf *out, int code, const char *message);

/*
 * The same as protobuf's JSON, for an HTTP request that came in JSON:
 * {"code":14,"message":"...","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"5s"}]}
 */
void otlp_status_write_json_retry(struct json *json, int code, const char *message, uint64_t delay_ms);
void otlp_status_write_json_bad_request(struct json *json, int code, const char *message, const char *field);
void otlp_status_write_json(struct json *json, int code, const char *message);

/* Whether `details` holds a RetryInfo, and its delay (0 when it names none, or a negative one). */
bool otlp_status_find_retry(struct slice details, uint64_t *delay_ms);

#endif
