/*
 * ingest_request.h - requests that are encoded before the clock starts, and
 * given other ids before each sending.
 */
#ifndef TRACESPOOL_INGEST_REQUEST_H
#define TRACESPOOL_INGEST_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "ingest_source.h"

#define INGEST_PREFIX_BYTES 5 /* gRPC's: not compressed, and the message's length */
#define INGEST_REQUEST_BYTES_MAX (64UL << 20)

struct ingest_request {
    struct buf frame; /* the prefix, then the ExportTraceServiceRequest */
    uint32_t spans;
    uint32_t *trace_ids; /* where they stand in frame: of spans and of their links */
    uint32_t *span_ids;  /* the same, parents included */
    uint32_t trace_id_count;
    uint32_t span_id_count;
};

/* The message. */
struct slice ingest_request_message(const struct ingest_request *request);

/*
 * Makes a request of `spans` spans that stand one after the other in the
 * source, from `first` on and from its beginning again after its end, under
 * their own scopes and resources.  `arena` holds the places.  All spans are
 * valid, by the function that the receiver decides with.  _fini in any case.
 */
int ingest_request_init(struct ingest_request *request, const struct ingest_source *source, size_t first,
                        uint32_t spans, struct arena *arena, struct err *err);
void ingest_request_fini(struct ingest_request *request);

/*
 * Gives it other ids: all trace ids and all span ids change by the same bits,
 * so that what was one trace or parent and child before is so again.  No two
 * of a run are the same, as `random` moves on.
 */
void ingest_request_renew(struct ingest_request *request, uint64_t *random);

/* splitmix64 */
uint64_t ingest_random(uint64_t *state);

#endif
