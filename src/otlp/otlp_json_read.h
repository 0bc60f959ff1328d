/*
 * otlp_json_read.h - a request in OTLP/JSON as protobuf.
 */
#ifndef TRACESPOOL_OTLP_JSON_READ_H
#define TRACESPOOL_OTLP_JSON_READ_H

#include "buf.h"
#include "err.h"
#include "slice.h"

/*
 * Turns an ExportTraceServiceRequest in OTLP/JSON (opentelemetry-proto
 * docs/specification.md, "JSON Protobuf Encoding") into the bytes of the same
 * message in protobuf, in `out` (cleared first): of `max_bytes` at most.  They
 * go through otlp_index_build then, as what came in protobuf does.
 *
 * Taken as protobuf's JSON has it: integers as numbers or strings, exactly,
 * also 1e3 and 1.0 (an intValue beyond int64 is taken as the double that it is);
 * names in lowerCamelCase or as in the .proto files; null as
 * absent; base64 of either alphabet.  Unknown names are passed over with what
 * they hold.  A name that occurs again is a field that occurs again: the last
 * counts, lists are put together, messages are merged.  Strings pass as they
 * are, ill-formed UTF-8 too.  An id has the bytes that it has: whether a span
 * is valid is not decided here.
 *
 * Takes four times the length of `json` in address space, little of which is
 * touched unless a string of that length holds escapes.  Any thread; does not
 * recurse.
 * -1, and `out` empty: ERR_POISON, the text names the place
 * (resourceSpans[0].scopeSpans[1].spans[3].traceId: ...), the code is EMSGSIZE
 * past max_bytes, ERANGE when nested too deep, else EBADMSG; ERR_BUSY out of
 * memory.
 */
int otlp_json_read(struct slice json, size_t max_bytes, struct buf *out, struct err *err);

#endif
