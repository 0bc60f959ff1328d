/*
 * otlp_index.h - where the parts of an export request are, found by a bounded
 * walk that accepts only what the decoder will accept.
 *
 * The receiver only checks; the flusher uses the index to cut fragments and to
 * decode span by span.  Both get the same answer to the question which spans
 * are valid, because it is the same function (otlp_validity.h).
 */
#ifndef TRACESPOOL_OTLP_INDEX_H
#define TRACESPOOL_OTLP_INDEX_H

#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "otlp_validity.h"
#include "slice.h"

struct otlp_resource_ref {
    struct slice
        bytes; /* Resource message; empty when absent. Occurrences are concatenated, which is protobuf's merge */
    struct slice schema_url; /* of the ResourceSpans */
};

struct otlp_scope_ref {
    struct slice bytes;      /* InstrumentationScope message, as above */
    struct slice schema_url; /* of the ScopeSpans */
    uint32_t resource;       /* index into resources */
};

struct otlp_span_ref {
    struct slice bytes;      /* Span message */
    const uint8_t *trace_id; /* 16 bytes when validity is OTLP_VALID, else NULL */
    const uint8_t *span_id;  /* 8 bytes when validity is OTLP_VALID, else NULL */
    uint64_t start_unix_nano;
    uint64_t end_unix_nano;
    uint32_t scope; /* index into scopes */
    enum otlp_validity validity;
};

struct otlp_index {
    struct otlp_resource_ref *resources;
    struct otlp_scope_ref *scopes;
    struct otlp_span_ref *spans; /* in the order of the request, rejected ones included */
    uint32_t resource_count;
    uint32_t scope_count;
    uint32_t span_count;
    uint32_t depth; /* AnyValues within one another, at most: 1 for a plain attribute, 0 when there is none */
    uint32_t by_validity[OTLP_VALIDITY_COUNT];
};

/*
 * Walks an ExportTraceServiceRequest without recursion.  On success every
 * message in it decodes (otlp_decode_*), and nests at most OTLP_DEPTH_MAX
 * AnyValues, holds at most OTLP_SPANS_MAX spans and takes at most
 * OTLP_DECODED_BYTES_MAX to decode.  0 bytes are an empty request.
 *
 * The index and its slices live in `arena` and point into `request`.  It
 * takes 56 bytes a span, 40 a ScopeSpans and 32 a ResourceSpans, of which
 * there are at most OTLP_GROUPS_MAX each, and the bytes of resources and
 * scopes that came in pieces.
 * -1: ERR_POISON, the text names the field path and byte offset, the code is
 * EMSGSIZE from 2 GiB on, ERANGE past another bound, else EBADMSG; ERR_BUSY if
 * the arena is full.
 */
int otlp_index_build(struct otlp_index *index, struct arena *arena, struct slice request, struct err *err);

/* What an answer needs to know of a request. */
struct otlp_summary {
    uint32_t by_validity[OTLP_VALIDITY_COUNT];
    uint32_t depth; /* as in struct otlp_index */
};

/* The same walk, and no index: nothing is kept.  -1: ERR_POISON, as above. */
int otlp_index_check(struct otlp_summary *summary, struct slice request, struct err *err);

#endif
