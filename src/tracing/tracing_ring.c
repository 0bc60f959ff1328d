/*
 * tracing_ring.c - a ring of spans under one lock.
 *
 * The lock is held for one copy at a time, also by who takes many, so that no
 * thread that works waits longer than that.
 */
#include "tracing_ring.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "metrics.h"

static struct {
    pthread_mutex_t lock;

    /* under lock */
    pthread_cond_t ready; /* a batch is there, or woken; made by the first open, as it waits by the other clock */
    bool has_ready;
    struct tracing_span *spans; /* NULL: closed */
    size_t first;
    size_t count;
    bool is_woken;
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER};

int tracing_ring_open(struct err *err)
{
    struct tracing_span *spans = calloc(TRACING_RING_SPANS, sizeof(*spans));

    if (spans == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "no memory for the daemon's own spans");
    pthread_mutex_lock(&ring.lock);
    if (!ring.has_ready)
        clock_cond_init(&ring.ready);
    ring.has_ready = true;
    ring.spans = spans;
    ring.first = ring.count = 0;
    ring.is_woken = false;
    pthread_mutex_unlock(&ring.lock);
    return 0;
}

void tracing_ring_close(void)
{
    struct tracing_span *spans;

    pthread_mutex_lock(&ring.lock);
    metrics_add(METRIC_TRACING_DROPPED, ring.count);
    spans = ring.spans;
    ring.spans = NULL;
    ring.count = 0;
    pthread_mutex_unlock(&ring.lock);
    free(spans);
}

void tracing_ring_put(const struct tracing_span *span)
{
    pthread_mutex_lock(&ring.lock);
    if (ring.spans == NULL || ring.count == TRACING_RING_SPANS) {
        metrics_add(METRIC_TRACING_DROPPED, 1);
    } else {
        ring.spans[(ring.first + ring.count++) % TRACING_RING_SPANS] = *span;
        if (ring.count == TRACING_BATCH_SPANS)
            pthread_cond_signal(&ring.ready);
    }
    pthread_mutex_unlock(&ring.lock);
}

void tracing_ring_wait(uint64_t deadline_ns)
{
    struct timespec deadline = clock_timespec(deadline_ns);
    int rc = 0;

    pthread_mutex_lock(&ring.lock);
    while (rc == 0 && ring.count < TRACING_BATCH_SPANS && !ring.is_woken)
        rc = pthread_cond_timedwait(&ring.ready, &ring.lock, &deadline);
    pthread_mutex_unlock(&ring.lock);
}

void tracing_ring_wake(void)
{
    pthread_mutex_lock(&ring.lock);
    ring.is_woken = true;
    pthread_cond_signal(&ring.ready);
    pthread_mutex_unlock(&ring.lock);
}

static bool take_one(struct tracing_span *span)
{
    bool is_there;

    pthread_mutex_lock(&ring.lock);
    is_there = ring.count > 0;
    if (is_there) {
        *span = ring.spans[ring.first];
        ring.first = (ring.first + 1) % TRACING_RING_SPANS;
        ring.count--;
    }
    pthread_mutex_unlock(&ring.lock);
    return is_there;
}

size_t tracing_ring_take(struct tracing_span spans[TRACING_BATCH_SPANS])
{
    size_t count = 0;

    while (count < TRACING_BATCH_SPANS && take_one(&spans[count]))
        count++;
    return count;
}
