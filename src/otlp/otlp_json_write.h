/*
 * otlp_json_write.h - a request, or some of its spans, as one
 * ExportTraceServiceRequest in OTLP/JSON: the inverse of otlp_json_read.h.
 */
#ifndef TRACESPOOL_OTLP_JSON_WRITE_H
#define TRACESPOOL_OTLP_JSON_WRITE_H

#include <stdbool.h>

#include "arena.h"
#include "buf.h"
#include "otlp_index.h"

struct otlp_json_write {
    const struct otlp_index *index;
    const bool *wanted;  /* of each span; NULL: all, and the groups that hold none */
    struct arena *parts; /* for one resource, scope or span at a time: reset before each */
    struct buf *out;     /* appended to */

    /* After each span, with `context`: may take what is in `out` and clear it, so that it need not hold the whole. */
    void (*each_span)(void *context);
    void *context;
};

/*
 * One line, with its end.  Ill-formed UTF-8 is repaired; fields that are not
 * known are left out.  0, or -1: ERR_BUSY when `parts` is full.  Whether `out`
 * was is in it.
 */
int otlp_json_write(const struct otlp_json_write *write, struct err *err);

#endif
