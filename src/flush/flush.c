/*
 * flush.c - the threads: claim records, make a batch, deliver it, again.
 *
 * Each thread has its claim in hand until all of it is delivered.  With one
 * request waiting it is sent alone at once; under load the records that
 * gathered during the last write make the next batch, so batches grow with the
 * load and no timer is needed.
 *
 * An operator may change what is pending at any time.  What was held or
 * removed while it was in a thread's hands and MongoDB was away is given up
 * at once, as that ends a backoff; what was delivered nevertheless does no
 * harm.  An operator who only wants a try now changes nothing but the number
 * by which edits are noticed.
 *
 * What fails is tried again after a backoff; nothing here is fatal.
 */
#include "flush.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "fault.h"
#include "flush_internal.h"
#include "log.h"

/* Payloads of one claim: one record larger than FLUSH_READ_BYTES_MAX, or several that are together smaller. */
#define CLAIM_KEEP_BYTES (8UL << 20)
/* How long to wait for new records before `pending` is looked at again: one look is a few steps in small trees. */
#define IDLE_WAIT_NS NS_PER_S

/* -1: no memory, and as many as there were are there still. */
static int make_verdicts(struct flush_thread *thread, size_t count)
{
    struct sink_verdict *verdicts = calloc(count, sizeof(*verdicts));

    if (verdicts == NULL)
        return -1;
    free(thread->verdicts);
    thread->verdicts = verdicts;
    thread->verdict_capacity = count;
    return 0;
}

/* They may have been changed since the last claim. */
static void take_settings(struct flush_thread *thread)
{
    struct flush_settings *settings = &thread->settings;
    size_t before = settings->batch_documents;

    pthread_mutex_lock(&thread->flusher->lock);
    *settings = thread->flusher->settings;
    pthread_mutex_unlock(&thread->flusher->lock);
    if (settings->batch_documents > thread->verdict_capacity && make_verdicts(thread, settings->batch_documents) != 0)
        settings->batch_documents = thread->verdict_capacity;
    if (thread->write_documents == before || thread->write_documents > settings->batch_documents)
        thread->write_documents = settings->batch_documents;
}

/* Takes pending records that nobody has.  0 with claimed_count 0 when there are none; *seen is then the seq to wait for. */
static int claim(struct flush_thread *thread, uint64_t *seen, struct err *err)
{
    struct flusher *flusher = thread->flusher;
    enum spool_end end;

    take_settings(thread);
    flush_note_attempt(thread);
    end = flush_claim_end(thread->settings.order, thread->number, flusher->options.threads, thread->claims);
    arena_reset(&thread->claim_arena, CLAIM_KEEP_BYTES);
    /* Both before the records: what is committed after this is waited for, and what is edited after this is noticed. */
    *seen = spool_writer_wait(flusher->writer, 0, 0);
    thread->generation = spool_writer_generation(flusher->writer);
    thread->asks = flush_asks(flusher); /* after it: else one edit would end every wait of this claim */
    if (flush_claim_take(&flusher->claims, thread->number, end, flusher->spool, &thread->claim_arena, thread->claimed,
                         &thread->claimed_count, err) != 0)
        return -1;
    if (thread->claimed_count > 0) {
        thread->claims++;
        fault_point("flush.claimed");
    }
    return 0;
}

/*
 * Also when one more record like the last would not fit: what is over would be
 * a write of its own, and each waits for MongoDB's journal.
 */
static bool batch_is_full(const struct flush_thread *thread)
{
    return thread->batch.count + thread->batch.last_count > thread->settings.batch_documents ||
           thread->batch.count >= thread->settings.batch_documents ||
           thread->batch.raw_bytes >= FLUSH_BATCH_RAW_BYTES_MAX || thread->batch.seq_count == FLUSH_RECORDS_MAX;
}

/*
 * Fills the batch from the claim, starting at *next, which moves on.  A
 * record that cannot be decoded is parked on the way.
 */
static int fill_batch(struct flush_thread *thread, size_t *next, struct err *err)
{
    flush_batch_clear(&thread->batch);
    for (; *next < thread->claimed_count && !batch_is_full(thread); (*next)++) {
        const struct spool_record *record = &thread->claimed[*next];
        struct err why;

        if (flush_batch_add(&thread->batch, record, &why) == 0)
            continue;
        if (why.class == ERR_POISON && flush_park_record(thread, record, &why, err) == 0)
            continue;
        if (thread->batch.seq_count > 0)
            return 0; /* memory or the spool is short for this one beside the others: it is first in the next batch */
        if (why.class == ERR_POISON)
            return -1;
        *err = why;
        return err_prefix(err, "batch %llu", (unsigned long long)record->seq);
    }
    return 0;
}

/* Ends early when the claim is to be given up: what is not delivered stays pending. */
static void deliver_claim(struct flush_thread *thread)
{
    struct err err;
    size_t next = 0;

    while (next < thread->claimed_count) {
        if (fill_batch(thread, &next, &err) != 0) {
            if (!flush_try_again(thread, &err))
                return;
            continue;
        }
        while (thread->batch.seq_count > 0 && flush_deliver(thread, &err) != 0) {
            if (!flush_try_again(thread, &err))
                return;
        }
    }
}

static void *run(void *argument)
{
    struct flush_thread *thread = argument;
    struct flusher *flusher = thread->flusher;
    struct err err;
    uint64_t seen;

    while (!flush_stopping(flusher)) {
        pulse_busy(&thread->pulse);
        if (claim(thread, &seen, &err) != 0) {
            err_prefix(&err, "read the spool");
            flush_back_off(thread, &err);
        } else if (thread->claimed_count == 0) {
            flush_pay_note(flusher);
            pulse_idle(&thread->pulse);
            /* Others may have all of it in hand, and their claims may be left without a new record: hence the bound. */
            spool_writer_wait(flusher->writer, seen, clock_mono_ns() + IDLE_WAIT_NS);
        } else {
            deliver_claim(thread);
            flush_claim_leave(&flusher->claims, thread->number);
        }
    }
    return NULL;
}

static int thread_init(struct flush_thread *thread, struct flusher *flusher, struct err *err)
{
    thread->flusher = flusher;
    thread->number = flusher->started;
    pulse_start(&thread->pulse, "flusher", PULSE_FLUSHER_MS);
    thread->settings = flusher->settings;
    thread->write_documents = thread->settings.batch_documents;
    arena_init(&thread->claim_arena, FLUSH_ARENA_BYTES_MAX);
    flush_batch_init(&thread->batch, flusher->options.max_request_bytes);
    if (make_verdicts(thread, thread->settings.batch_documents) != 0)
        return err_set(err, ERR_BUSY, 0, "out of memory for %zu verdicts", thread->settings.batch_documents);
    if (getrandom(&thread->random, sizeof(thread->random), 0) != (ssize_t)sizeof(thread->random))
        thread->random = clock_mono_ns() ^ (uintptr_t)thread;
    return 0;
}

static void thread_fini(struct flush_thread *thread)
{
    pulse_stop(&thread->pulse);
    if (thread->session != NULL)
        thread->flusher->sink->ops->session_close(thread->session);
    if (thread->flusher != NULL) {
        flush_batch_fini(&thread->batch);
        arena_fini(&thread->claim_arena);
    }
    free(thread->verdicts);
}

static void check_settings(const struct flush_settings *settings)
{
    assert(settings->batch_documents >= 1 && settings->batch_documents <= SINK_MESSAGE_DOCUMENTS_MAX);
}

int flusher_start(struct flusher **out, const struct flush_options *options, struct spool *spool,
                  struct spool_writer *writer, struct sink *sink, struct err *err)
{
    struct flusher *flusher = calloc(1, sizeof(*flusher));
    int rc;

    assert(options->threads >= 1 && options->threads <= FLUSH_THREADS_MAX);
    check_settings(&options->settings);
    if (flusher == NULL)
        return err_set(err, ERR_BUSY, 0, "out of memory for the flusher");
    flusher->options = *options;
    flusher->settings = options->settings;
    flusher->spool = spool;
    flusher->writer = writer;
    flusher->sink = sink;
    flush_show_state(flusher->delivery.state);
    flush_claim_init(&flusher->claims, options->threads);
    pthread_mutex_init(&flusher->lock, NULL);
    clock_cond_init(&flusher->changed);
    flusher->threads = calloc(options->threads, sizeof(*flusher->threads));
    if (flusher->threads == NULL) {
        err_set(err, ERR_BUSY, 0, "out of memory for %u flusher threads", options->threads);
        goto fail;
    }
    for (; flusher->started < options->threads; flusher->started++) {
        struct flush_thread *thread = &flusher->threads[flusher->started];

        if (thread_init(thread, flusher, err) != 0)
            goto fail;
        rc = pthread_create(&thread->id, NULL, run, thread);
        if (rc != 0) {
            err_set(err, ERR_BUSY, rc, "start flusher thread: %s", strerror(rc));
            goto fail;
        }
    }
    sink->ops->watch(sink, flush_note_told, flusher);
    spool_writer_watch(writer, flush_note_edited, flusher);
    *out = flusher;
    return 0;

fail:
    flusher_stop(flusher);
    return -1;
}

void flusher_configure(struct flusher *flusher, const struct flush_settings *settings)
{
    check_settings(settings);
    pthread_mutex_lock(&flusher->lock);
    flusher->settings = *settings;
    pthread_mutex_unlock(&flusher->lock);
}

void flusher_stop(struct flusher *flusher)
{
    if (flusher == NULL)
        return;
    spool_writer_watch(flusher->writer, NULL, NULL);
    flusher->sink->ops->watch(flusher->sink, NULL, NULL);
    pthread_mutex_lock(&flusher->lock);
    flusher->stopping = true;
    pthread_cond_broadcast(&flusher->changed);
    pthread_mutex_unlock(&flusher->lock);
    spool_writer_wake(flusher->writer, true);
    for (unsigned i = 0; i < flusher->started; i++)
        pthread_join(flusher->threads[i].id, NULL);
    for (unsigned i = 0; flusher->threads != NULL && i < flusher->options.threads; i++)
        thread_fini(&flusher->threads[i]);
    pthread_cond_destroy(&flusher->changed);
    pthread_mutex_destroy(&flusher->lock);
    flush_claim_fini(&flusher->claims);
    free(flusher->threads);
    free(flusher);
}
