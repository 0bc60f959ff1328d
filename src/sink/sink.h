/*
 * sink.h - where fragments go.  Two implementations: MongoDB (sink_mongo.h)
 * and the test's fake one, which the flusher's unit tests use.
 */
#ifndef TRACESPOOL_SINK_H
#define TRACESPOOL_SINK_H

#include <stddef.h>

#include "err.h"
#include "otlp_fragment.h"

enum sink_outcome {
    SINK_STORED,        /* durable at the sink */
    SINK_STORED_BEFORE, /* it was there already, durable */
    SINK_REFUSED,       /* this fragment will never be taken as it is */
};

struct sink_verdict {
    enum sink_outcome outcome;
    int code; /* the sink's, when refused */
    char text[PARK_TEXT_MAX];
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
     * again: ERR_RETRY (network, change of state, overload, not durable),
     * ERR_CONFIG (a person has to act; probe from time to time).  Blocks.
     */
    int (*write)(struct sink_session *session, const struct otlp_fragment *fragments, size_t count,
                 struct sink_verdict *verdicts, struct err *err);
};

/* The head of an implementation's own struct. */
struct sink {
    const struct sink_ops *ops;
};

#endif
