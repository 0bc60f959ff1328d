/*
 * tracing_sampler.h - which traces are recorded: TraceIdRatioBased of the
 * OpenTelemetry specification.  Pure.
 *
 * A trace id decides, so two that ask about the same trace agree.
 */
#ifndef TRACESPOOL_TRACING_SAMPLER_H
#define TRACESPOOL_TRACING_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#define TRACING_SAMPLER_ALL 1000000U /* millionths: every trace */

/* `ratio_millionths` of all traces: at most TRACING_SAMPLER_ALL. */
bool tracing_sampler_takes(const uint8_t trace_id[16], uint32_t ratio_millionths);

#endif
