/*
 * intake.c - the two sums, calls and bytes, and the way to their end.
 *
 * Runs on every thread that receives.  The sums are atomic, so that counting
 * a piece of a message costs no lock; who waits for the last call to be over
 * (main, at the end) is told under one.
 *
 * Nothing here fails but with ERR_BUSY: the same call may pass later.
 */
#include "intake.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "clock.h"
#include "intake_large.h"
#include "metrics.h"

struct intake {
    /* set once */
    struct intake_options options;
    struct spool_writer *writer;
    struct intake_large *large;

    atomic_bool closed;
    atomic_uint calls;
    atomic_size_t bytes;

    pthread_mutex_t lock;
    pthread_cond_t idle; /* calls fell to 0 */
};

int intake_new(struct intake **out, const struct intake_options *options, struct spool_writer *writer, struct err *err)
{
    struct intake *intake = calloc(1, sizeof(*intake));

    assert(options->max_depth >= 1 && options->max_depth <= OTLP_DEPTH_MAX && options->max_calls >= 1);
    if (intake == NULL)
        return err_set(err, ERR_RETRY, ENOMEM, "no memory for the intake");
    if (intake_large_start(&intake->large, options->max_request_bytes, err) != 0) {
        free(intake);
        return -1;
    }
    intake->options = *options;
    intake->writer = writer;
    pthread_mutex_init(&intake->lock, NULL);
    clock_cond_init(&intake->idle);
    *out = intake;
    return 0;
}

void intake_free(struct intake *intake)
{
    if (intake == NULL)
        return;
    assert(atomic_load(&intake->calls) == 0 && atomic_load(&intake->bytes) == 0);
    intake_large_stop(intake->large);
    pthread_cond_destroy(&intake->idle);
    pthread_mutex_destroy(&intake->lock);
    free(intake);
}

const struct intake_options *intake_options(const struct intake *intake)
{
    return &intake->options;
}

struct spool_writer *intake_writer(struct intake *intake)
{
    return intake->writer;
}

struct intake_large *intake_large(struct intake *intake)
{
    return intake->large;
}

void intake_close(struct intake *intake)
{
    atomic_store(&intake->closed, true);
}

void intake_cut(struct intake *intake)
{
    intake_large_cut(intake->large);
}

bool intake_is_open(struct intake *intake)
{
    return !atomic_load(&intake->closed) && spool_writer_admits(intake->writer);
}

bool intake_wait_idle(struct intake *intake, uint64_t deadline_ns)
{
    struct timespec deadline = clock_timespec(deadline_ns);
    bool idle;
    int rc = 0;

    pthread_mutex_lock(&intake->lock);
    /* one look decides: a call may come in behind it, while the intake is open */
    while (!(idle = atomic_load(&intake->calls) == 0) && rc == 0)
        rc = pthread_cond_timedwait(&intake->idle, &intake->lock, &deadline);
    pthread_mutex_unlock(&intake->lock);
    return idle;
}

uint64_t intake_retry_ms(struct intake *intake)
{
    return spool_writer_retry_ms(intake->writer);
}

/* The last one out tells who waits; under the lock, so that it is not told between its look and its wait. */
static void count_out(struct intake *intake)
{
    unsigned before = atomic_fetch_sub(&intake->calls, 1);

    assert(before > 0);
    metrics_add(METRIC_RECEIVER_CALLS, (uint64_t)-1);
    if (before > 1)
        return;
    pthread_mutex_lock(&intake->lock);
    pthread_cond_broadcast(&intake->idle);
    pthread_mutex_unlock(&intake->lock);
}

int intake_enter(struct intake *intake, struct err *err)
{
    unsigned before;

    if (atomic_load(&intake->closed))
        return err_set(err, ERR_BUSY, ECANCELED, "the receiver is stopping");
    if (!spool_writer_admits(intake->writer))
        return err_set(err, ERR_BUSY, ENOSPC,
                       "the spool takes nothing at the moment: it is full, or its writer is behind");
    before = atomic_fetch_add(&intake->calls, 1);
    metrics_add(METRIC_RECEIVER_CALLS, 1);
    if (before >= intake->options.max_calls) {
        count_out(intake);
        return err_set(err, ERR_BUSY, EUSERS, "the receiver has %u calls in hand, which is receiver.max_calls", before);
    }
    return 0;
}

int intake_resize(struct intake *intake, size_t before, size_t after, struct err *err)
{
    size_t sum;

    if (after <= before) {
        sum = atomic_fetch_sub(&intake->bytes, before - after);
        assert(sum >= before - after);
        metrics_add(METRIC_RECEIVER_IN_FLIGHT_BYTES, (uint64_t)after - before);
        return 0;
    }
    sum = atomic_fetch_add(&intake->bytes, after - before);
    if (sum + (after - before) <= intake->options.max_in_flight_bytes) {
        metrics_add(METRIC_RECEIVER_IN_FLIGHT_BYTES, after - before);
        return 0;
    }
    atomic_fetch_sub(&intake->bytes, after - before);
    return err_set(err, ERR_BUSY, ENOBUFS, "the receiver has %zu bytes in hand, near receiver.max_in_flight_bytes",
                   sum);
}

void intake_leave(struct intake *intake, size_t bytes)
{
    intake_resize(intake, bytes, 0, NULL);
    count_out(intake);
}
