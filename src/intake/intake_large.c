/*
 * intake_large.c - the queue of large requests and its thread.
 *
 * Transports append; the thread takes the oldest.  One is enough: it checks
 * more bytes in a second than the spool writes.  It alone needs memory for
 * requests of the largest size, so their number does not grow with the
 * transports' threads.
 *
 * Nothing fails here once the thread is there; how a check ended is told to
 * the one who gave the request.
 */
#include "intake_large.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "intake_export.h"
#include "pulse.h"

struct intake_large {
    /* set once */
    pthread_t thread;

    /* the thread's */
    struct pulse pulse;
    struct intake_scratch scratch;

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t work; /* something is queued, or stopping */
    struct intake_export *first;
    struct intake_export *last;
    bool is_cut;
    bool stopping;
};

void intake_large_put(struct intake_large *large, struct intake_export *export)
{
    export->next = NULL;
    pthread_mutex_lock(&large->lock);
    assert(!large->stopping);
    if (large->first == NULL)
        large->first = export;
    else
        large->last->next = export;
    large->last = export;
    pthread_cond_signal(&large->work);
    pthread_mutex_unlock(&large->lock);
}

void intake_large_cut(struct intake_large *large)
{
    pthread_mutex_lock(&large->lock);
    large->is_cut = true;
    pthread_mutex_unlock(&large->lock);
}

/* NULL: it is over. */
static struct intake_export *wait_for_next(struct intake_large *large, bool *is_cut)
{
    struct intake_export *export;

    pthread_mutex_lock(&large->lock);
    while (large->first == NULL && !large->stopping)
        pthread_cond_wait(&large->work, &large->lock);
    export = large->first;
    if (export != NULL)
        large->first = export->next;
    *is_cut = large->is_cut;
    pthread_mutex_unlock(&large->lock);
    return export;
}

static void *run(void *context)
{
    struct intake_large *large = context;
    struct intake_export *export;
    bool is_cut;

    while ((export = wait_for_next(large, &is_cut)) != NULL) {
        pulse_busy(&large->pulse);
        intake_export_check_large(export, &large->scratch, is_cut);
        pulse_idle(&large->pulse);
    }
    return NULL;
}

static void free_large(struct intake_large *large)
{
    pulse_stop(&large->pulse);
    intake_scratch_fini(&large->scratch);
    pthread_cond_destroy(&large->work);
    pthread_mutex_destroy(&large->lock);
    free(large);
}

int intake_large_start(struct intake_large **out, size_t max_request_bytes, struct err *err)
{
    struct intake_large *large = calloc(1, sizeof(*large));
    int rc;

    if (large == NULL)
        return err_set(err, ERR_RETRY, ENOMEM, "no memory for large requests");
    pthread_mutex_init(&large->lock, NULL);
    pthread_cond_init(&large->work, NULL);
    intake_scratch_init(&large->scratch, max_request_bytes);
    pulse_start(&large->pulse, "receiver large", PULSE_RECEIVER_MS);
    rc = fault_point("receiver.thread");
    if (rc == 0)
        rc = pthread_create(&large->thread, NULL, run, large);
    if (rc != 0) {
        free_large(large);
        return err_set(err, ERR_RETRY, rc, "cannot start a thread: %s", strerror(rc));
    }
    *out = large;
    return 0;
}

void intake_large_stop(struct intake_large *large)
{
    if (large == NULL)
        return;
    pthread_mutex_lock(&large->lock);
    assert(large->first == NULL);
    large->stopping = true;
    pthread_cond_signal(&large->work);
    pthread_mutex_unlock(&large->lock);
    pthread_join(large->thread, NULL);
    free_large(large);
}
