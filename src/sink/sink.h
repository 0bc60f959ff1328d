/*
 * sink.h - where fragments go.  Two implementations: MongoDB (sink_mongo.h)
 * and the test's fake one, which the flusher's unit tests use.
 */
#ifndef TRACESPOOL_SINK_H
#define TRACESPOOL_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "otlp_fragment.h"
#include "tracing.h"

enum sink_outcome {
    SINK_STORED,        /* durable at the sink */
    SINK_STORED_BEFORE, /* it was there already, durable */
    SINK_REFUSED,       /* this fragment will never be taken as it is, or it was taken apart before */
};

struct sink_verdict {
    enum sink_outcome outcome;
    int code; /* the sink's, when refused */
    char text[PARK_TEXT_MAX];
    size_t quoted_at; /* where in the text a part begins that quotes the spans, which is for no log; 0: nowhere */
};

struct sink_session; /* one thread's connection */
struct sink;

struct sink_ops {
    /* Blocks no longer than the sink's timeouts.  -1: ERR_RETRY, ERR_CONFIG. */
    int (*session_open)(struct sink *sink, struct sink_session **session, struct err *err);
    void (*session_close)(struct sink_session *session);

    /*
     * Stores `count` fragments, in any order.  0: every verdict is filled.
     * -1: nothing may be concluded about any of them, all are to be sent
     * again: ERR_RETRY (network, change of state, not durable), ERR_OVERLOAD
     * (later, and fewer), ERR_FULL (there is no room) and ERR_CONFIG (a person
     * has to act): probe from time to time; ERR_UNKNOWN: when that has lasted,
     * with `apart`, which looks for the fragments that are to blame and
     * refuses them, unless all are refused.  Blocks.
     */
    int (*write)(struct sink_session *session, const struct otlp_fragment *fragments, size_t count, bool apart,
                 struct sink_verdict *verdicts, struct err *err);

    /*
     * From now on `told` is called, on a thread of the sink's that must not be
     * kept: true whenever writes that failed may pass again, false when it is
     * found out, without a write, that none would.  NULL: never again, and when
     * this returns no call is under way.  Any thread; one watcher at a time.
     */
    void (*watch)(struct sink *sink, void (*told)(void *context, bool passable), void *context);

    /* Says in the span of such a write where it goes: at most SINK_DESCRIBED_MAX attributes.  Any thread. */
    void (*describe)(struct sink *sink, const struct otlp_fragment *fragments, size_t count, struct tracing_span *span);
};

/* The head of an implementation's own struct. */
struct sink {
    const struct sink_ops *ops;
};

#endif
