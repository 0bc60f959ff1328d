/*
 * tracing_encode.h - spans of the daemon's own as an ExportTraceServiceRequest.  Pure.
 */
#ifndef TRACESPOOL_TRACING_ENCODE_H
#define TRACESPOOL_TRACING_ENCODE_H

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "tracing.h"

#define TRACING_SERVICE_NAME "tracespool"
#define TRACING_INSTANCE_MAX 37 /* a UUID, with its NUL */
#define TRACING_HOST_MAX 256

/* Who sends, for all spans of a process. */
struct tracing_resource {
    char instance_id[TRACING_INSTANCE_MAX]; /* service.instance.id */
    char host_name[TRACING_HOST_MAX];       /* "": not known */
};

/* A new instance, and this host. */
void tracing_resource_init(struct tracing_resource *resource);

/*
 * Appends the request.  `wall_ns` is what the wall clock showed when the
 * monotonic one showed `mono_ns`: spans have monotonic times.  `arena` holds
 * what is needed on the way, and is the caller's to reset.  -1: ERR_BUSY.
 */
int tracing_encode(struct buf *out, struct arena *arena, const struct tracing_resource *resource,
                   const struct tracing_span *spans, size_t count, uint64_t wall_ns, uint64_t mono_ns, struct err *err);

#endif
