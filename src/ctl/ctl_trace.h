/*
 * ctl_trace.h - spans in, rows of a tree out.  Pure.
 */
#ifndef TRACESPOOL_CTL_TRACE_H
#define TRACESPOOL_CTL_TRACE_H

#include "ctl_spans.h"
#include "err.h"

enum ctl_mark {
    CTL_MARK_NONE,
    CTL_MARK_ORPHAN, /* a root because its parent is not among the spans */
    CTL_MARK_CYCLE,  /* a root because its ancestors lead back to itself */
};

struct ctl_row {
    uint32_t span;   /* index into spans */
    uint32_t parent; /* index into spans, CTL_NO_SPAN for a root */
    uint32_t depth;  /* 0 for a root */
    bool last;       /* of its parent's children, or of the roots */
    enum ctl_mark mark;
};

#define CTL_NO_SPAN UINT32_MAX

struct ctl_trace {
    const struct ctl_span *spans;
    const struct ctl_row *rows; /* `count`: parents before children, siblings by start */
    size_t count;
    uint64_t begin_unix_nano; /* the earliest start that is known; 0 when none is */
    uint64_t end_unix_nano;   /* the latest end, or start */
    size_t services;          /* distinct names */
    size_t errors;            /* spans with status ERROR */
    size_t orphans;
    size_t cycles;
    uint32_t deepest;
};

/*
 * Lays `spans` out.  Every span is in exactly one row, whatever the ids say: a
 * parent that is not there, a circle of parents, a span that is its own
 * parent, many spans with one id.  Time n log n, no recursion.  The rows live
 * in `arena`; `spans` must outlive them.  -1: ERR_BUSY when the arena is full.
 */
int ctl_trace_build(struct ctl_trace *trace, struct arena *arena, const struct ctl_span *spans, size_t count,
                    struct err *err);

/* Ended after it started, both known: then *ns is how long it took. */
bool ctl_trace_duration(const struct ctl_span *span, uint64_t *ns);

#endif
