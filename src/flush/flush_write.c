/*
 * flush_write.c - fragments to the sink until it has answered for each.
 *
 * A write that fails as a whole says nothing about its fragments: the same
 * again after a backoff.  Two kinds of failure change what is sent: after an
 * overload half as many fragments, growing again with success; and what keeps
 * failing in a way that nobody knows is taken apart by the sink, so that the
 * document that is to blame is found and its neighbours get through.
 */
#include "clock.h"
#include "flush_internal.h"
#include "metrics.h"

/* Once per thread.  -1: the claim is given up. */
static int open_session(struct flush_thread *thread, struct err *err)
{
    struct sink *sink = thread->flusher->sink;

    while (thread->session == NULL) {
        if (flush_stopping(thread->flusher))
            return err_set(err, ERR_BUSY, 0, "stopping");
        flush_note_attempt(thread);
        if (sink->ops->session_open(sink, &thread->session, err) != 0) {
            thread->session = NULL;
            if (!flush_try_again(thread, err))
                return -1;
        }
    }
    return 0;
}

/* How many of the fragments one write takes: by number, and no more spans than the rate allows in a second. */
static size_t size_write(const struct flush_thread *thread, const struct otlp_fragment *fragments, size_t count,
                         uint64_t *spans)
{
    uint64_t rate = thread->settings.rate;
    size_t n = 0;

    for (*spans = 0; n < count && n < thread->write_documents; n++) {
        if (n > 0 && rate > 0 && *spans + fragments[n].span_count > rate)
            break;
        *spans += fragments[n].span_count;
    }
    return n;
}

static void note_answered(struct flush_thread *thread, size_t documents)
{
    size_t most = thread->settings.batch_documents;
    size_t step = most / FLUSH_WRITE_STEPS + 1;

    thread->attempts = 0;
    thread->unknown_since_ns = 0;
    if (documents == thread->write_documents)
        thread->write_documents = thread->write_documents + step < most ? thread->write_documents + step : most;
    flush_note_success(thread);
}

static void note_failed(struct flush_thread *thread, const struct err *failure)
{
    if (failure->class == ERR_OVERLOAD)
        thread->write_documents = (thread->write_documents + 1) / 2;
    if (failure->class == ERR_UNKNOWN && thread->unknown_since_ns == 0)
        thread->unknown_since_ns = clock_mono_ns();
}

static bool is_to_be_taken_apart(const struct flush_thread *thread)
{
    uint64_t cap_ns = thread->flusher->options.unknown_ms * NS_PER_MS;

    return thread->unknown_since_ns != 0 && clock_mono_ns() - thread->unknown_since_ns >= cap_ns;
}

static int write_once(struct flush_thread *thread, const struct otlp_fragment *fragments, size_t count,
                      struct sink_verdict *verdicts, struct err *err)
{
    const struct sink_ops *ops = thread->flusher->sink->ops;
    uint64_t begun_ns = clock_mono_ns();
    struct tracing_live live;
    int rc;

    flush_note_attempt(thread);
    flush_trace_begin(&live);
    pulse_busy(&thread->pulse);
    rc = ops->write(thread->session, fragments, count, is_to_be_taken_apart(thread), verdicts, err);
    flush_trace_end(thread, &live, fragments, count, verdicts, rc == 0 ? NULL : err);
    metrics_observe(METRIC_HISTOGRAM_FLUSH_WRITE, clock_mono_ns() - begun_ns);
    return rc;
}

/* *written of the fragments have their verdicts.  -1: the claim is given up. */
static int write_some(struct flush_thread *thread, const struct otlp_fragment *fragments, size_t count,
                      struct sink_verdict *verdicts, size_t *written, struct err *err)
{
    uint64_t spans;
    size_t n = size_write(thread, fragments, count, &spans);

    if (!flush_wait_for_rate(thread, spans))
        return err_set(err, ERR_BUSY, 0, "stopping, or the spool was edited");
    while (write_once(thread, fragments, n, verdicts, err) != 0) {
        note_failed(thread, err);
        if (!flush_try_again(thread, err))
            return -1;
        n = n < thread->write_documents ? n : thread->write_documents;
    }
    note_answered(thread, n);
    *written = n;
    return 0;
}

int flush_write(struct flush_thread *thread, const struct otlp_fragment *fragments, size_t count, struct err *err)
{
    size_t written = 0;

    if (open_session(thread, err) != 0)
        return -1;
    for (size_t done = 0; done < count; done += written)
        if (write_some(thread, fragments + done, count - done, thread->verdicts + done, &written, err) != 0)
            return -1;
    return 0;
}
