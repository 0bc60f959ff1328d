/*
 * awkward.h - requests that use all that OTLP allows, by a seed.
 *
 * In them is nothing that the documents do not keep: no ill-formed UTF-8, no
 * time past int64, no attribute without a value, no field of the profiling
 * signal, no NaN but the usual one.
 */
#ifndef TRACESPOOL_TEST_AWKWARD_H
#define TRACESPOOL_TEST_AWKWARD_H

#include "otlp_decode.h"

/* Lives in `arena`.  The same seed gives the same request. */
const Otlp__ExportTraceServiceRequest *awkward_request(struct arena *arena, uint64_t seed);

#endif
