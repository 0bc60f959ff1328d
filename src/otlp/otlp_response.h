/*
 * otlp_response.h - ExportTraceServiceResponse, the message of an answer OK, in
 * protobuf and in OTLP/JSON.
 */
#ifndef TRACESPOOL_OTLP_RESPONSE_H
#define TRACESPOOL_OTLP_RESPONSE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "json.h"
#include "slice.h"

/* The gRPC method that it answers. */
#define OTLP_EXPORT_METHOD "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

/*
 * Appends it.  With nothing rejected and no message it is empty: the
 * specification has partial_success unset then.  A failure is sticky in `out`.
 */
void otlp_response_put(struct buf *out, uint64_t rejected_spans, const char *message);

/* The same as JSON: {} or {"partialSuccess":{"rejectedSpans":"3","errorMessage":"..."}}. */
void otlp_response_write_json(struct json *json, uint64_t rejected_spans, const char *message);

/*
 * Reads partial_success: 0 and "" when it is absent or empty, which is the
 * same (a Collector always sends an empty one).  `message` is always
 * terminated; a longer one is cut.  0, or -1 when `response` is not protobuf.
 */
int otlp_response_read(struct slice response, int64_t *rejected_spans, char *message, size_t message_size);

#endif
