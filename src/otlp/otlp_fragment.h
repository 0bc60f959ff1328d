/*
 * otlp_fragment.h - the spans of one trace under one resource within one
 * request: what becomes one document.
 *
 * Pure and deterministic: the same request bytes give the same fragments in
 * the same order, with the same hashes, at every replay and in every version
 * (a change of the hash would store every span of a replay twice).
 */
#ifndef TRACESPOOL_OTLP_FRAGMENT_H
#define TRACESPOOL_OTLP_FRAGMENT_H

#include "buf.h"
#include "otlp_index.h"

#define OTLP_FRAGMENT_HASH_BYTES 16

struct otlp_fragment {
    const struct otlp_index *index;
    const uint32_t *spans; /* span_count indexes into index->spans, ascending, all valid, one trace id, one resource */
    uint32_t span_count;
    uint32_t resource;                      /* index into index->resources */
    uint64_t start_unix_nano;               /* smallest start of its spans */
    uint64_t end_unix_nano;                 /* largest end */
    uint64_t received_ns;                   /* wall clock, when the request was spooled */
    uint8_t hash[OTLP_FRAGMENT_HASH_BYTES]; /* XXH3-128, canonical form, of resource, scopes and spans' bytes */
};

/*
 * All fragments of an index: grouped by resource, then by trace in order of
 * first appearance; cut at FRAGMENT_SPANS_MAX spans or
 * FRAGMENT_WIRE_BYTES_MAX bytes of spans, whichever comes first (one larger
 * span is a fragment of its own).  Rejected spans are left out, and so is a
 * span that repeats an earlier one of its resource and trace, byte for byte
 * under a scope that says the same: a client that sends a span twice in one
 * request gets it stored once.
 * `*fragments` lives in `arena`.  -1: ERR_BUSY when the arena is full.
 */
int otlp_fragment_build(struct otlp_fragment **fragments, size_t *count, struct arena *arena,
                        const struct otlp_index *index, uint64_t received_ns, struct err *err);

/* Span number `i` of `fragment` as a fragment of its own: what is sent when the whole was refused. */
int otlp_fragment_single(struct otlp_fragment *single, struct arena *arena, const struct otlp_fragment *fragment,
                         uint32_t i, struct err *err);

/* An ExportTraceServiceRequest that holds just the fragment, with its resource and scopes, appended to `out`. */
int otlp_fragment_encode(struct buf *out, const struct otlp_fragment *fragment);

#endif
