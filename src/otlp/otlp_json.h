/*
 * otlp_json.h - decoded messages as OTLP/JSON (opentelemetry-proto
 * docs/specification.md, "JSON Protobuf Encoding": hex ids, integer enums,
 * 64-bit integers as decimal strings, base64 bytes).
 */
#ifndef TRACESPOOL_OTLP_JSON_H
#define TRACESPOOL_OTLP_JSON_H

#include "json.h"
#include "otlp_decode.h"

/* Each writes one JSON object.  Unset and zero fields are left out, as protobuf's JSON does. */
void otlp_json_span(struct json *json, const Otlp__Span *span);
void otlp_json_resource(struct json *json, const Otlp__Resource *resource);
void otlp_json_scope(struct json *json, const Otlp__InstrumentationScope *scope);

#endif
