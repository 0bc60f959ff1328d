/*
 * ctl_spans.h - the spans of one trace, gathered from several places, each once.
 */
#ifndef TRACESPOOL_CTL_SPANS_H
#define TRACESPOOL_CTL_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "otlp_index.h"
#include "slice.h"

/* Where a span was seen; a span can be in several places. */
enum ctl_place {
    CTL_IN_PENDING = 1, /* in the spool, not delivered */
    CTL_IN_HISTORY = 2, /* in the spool, delivered */
    CTL_IN_PARKED = 4,
    CTL_IN_MONGODB = 8,
    CTL_IN_HELD = 16, /* in the spool, not delivered until an operator releases it */
};

struct ctl_span {
    uint8_t span_id[OTLP_SPAN_ID_BYTES];
    uint8_t parent_span_id[OTLP_SPAN_ID_BYTES];
    bool has_parent;
    struct slice service;
    struct slice name;
    int kind;
    int status_code;
    struct slice status_text;
    uint64_t start_unix_nano; /* 0: not said */
    uint64_t end_unix_nano;   /* 0: not said, or the span has not ended */
    uint32_t event_count;
    unsigned places;  /* enum ctl_place, or-ed */
    uint64_t content; /* hash of its wire bytes and its resource's; 0 when they are not known (MongoDB) */
};

struct ctl_spans {
    struct ctl_span *items;
    size_t count;
    size_t capacity;
    struct arena texts;
    bool cut; /* at a bound: there are more than are held */
};

void ctl_spans_init(struct ctl_spans *spans);
void ctl_spans_fini(struct ctl_spans *spans);

/* Copies `span` with its texts, ill-formed UTF-8 repaired as MongoDB has it.  -1, with `cut` set: no room. */
int ctl_spans_add(struct ctl_spans *spans, const struct ctl_span *span);

/*
 * Makes one of those that are the same span: the same content, or all that
 * is known of it equal when one side is MongoDB's.  Two spans that share an id
 * and differ in anything else stay two.
 */
void ctl_spans_merge(struct ctl_spans *spans);

#endif
