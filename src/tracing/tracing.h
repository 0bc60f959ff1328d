/*
 * tracing.h - spans of the daemon's own work: begun, described, recorded.
 *
 *   struct tracing_live live;                     in whatever has the work in hand
 *   if (tracing_is_on())
 *       tracing_begin(&live, parent, ...);        ids are drawn, the sampler asked
 *   ...
 *   if (live.context.is_sampled) {                false in zeroed memory
 *       struct tracing_span span;
 *       tracing_span_init(&span, &live, "name", TRACING_INTERNAL);
 *       tracing_span_number(&span, "key", 1);
 *       tracing_record(&span);
 *   }
 *
 * Who records knows nothing of who exports (tracing_export.h), and is never
 * kept waiting by it: a full ring drops the span and counts it.
 *
 * Any thread.  Texts are copied and must hold no secret; names and keys are
 * literals.
 */
#ifndef TRACESPOOL_TRACING_H
#define TRACESPOOL_TRACING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "err.h"
#include "tracing_context.h"

/* OTLP's numbers. */
enum tracing_kind { TRACING_INTERNAL = 1, TRACING_SERVER = 2, TRACING_CLIENT = 3 };

/* A span that has begun and is not over. */
struct tracing_live {
    struct tracing_context context; /* not valid: nothing was begun */
    uint8_t parent_span_id[TRACING_SPAN_ID_BYTES];
    bool has_parent;
    bool parent_is_remote;
    uint64_t begun_ns; /* monotonic, as all times here */
};

struct tracing_attribute {
    const char *key;
    bool is_text;
    uint16_t text_at; /* in the span's texts */
    int64_t number;
};

struct tracing_event {
    const char *name;
    uint64_t at_ns;
};

/* All of a span, in one piece, so that it can be copied. */
struct tracing_span {
    struct tracing_live live;
    const char *name;
    enum tracing_kind kind;
    uint64_t end_ns;
    bool failed;
    uint16_t failure_at; /* in texts */
    uint16_t text_len;
    uint16_t attribute_count;
    uint16_t event_count;
    struct tracing_attribute attributes[TRACING_ATTRIBUTES_MAX];
    struct tracing_event events[TRACING_EVENTS_MAX];
    char texts[TRACING_TEXT_BYTES]; /* each with its NUL */
};

extern atomic_bool tracing_switch; /* tracing.c's */

static inline bool tracing_is_on(void)
{
    return atomic_load_explicit(&tracing_switch, memory_order_relaxed);
}

/*
 * ParentBased(TraceIdRatioBased): below a valid `parent` (NULL: none) it is
 * sampled when that is, otherwise it begins a trace and the ratio decides.
 */
void tracing_begin(struct tracing_live *live, const struct tracing_context *parent, bool is_remote, uint64_t begun_ns);

/* It ends now. */
void tracing_span_init(struct tracing_span *span, const struct tracing_live *live, const char *name,
                       enum tracing_kind kind);

/* A text that does not fit any more is cut. */
void tracing_span_text(struct tracing_span *span, const char *key, const char *text);
void tracing_span_number(struct tracing_span *span, const char *key, uint64_t number);
void tracing_span_event(struct tracing_span *span, const char *name, uint64_t at_ns);
void tracing_span_fail(struct tracing_span *span, const char *text); /* its status is an error */

void tracing_record(const struct tracing_span *span);

/* --- for tracing_export.c and tests: main's thread --------------------------- */

/* Spans are kept from now on, those of `ratio_millionths` of all traces.  -1: ERR_BUSY, no memory. */
int tracing_turn_on(uint32_t ratio_millionths, struct err *err);

/* Nothing is kept any more; what the ring still holds is dropped. */
void tracing_turn_off(void);

#endif
