/*
 * spool_writer.c - the writer's queue and its thread.
 *
 * Callers on any thread append to two queues, the puts and the blocking
 * operations.  The thread takes what is there, up to a group's bounds, commits
 * it without the lock, and tells the callers in the order in which they came:
 * puts by their callback, operations by their condition variable.  While it
 * commits, the next group gathers; nothing waits for a timer.
 *
 * Idle, it looks every SPOOL_TICK_MS at history that is too old and at a full
 * spool that may have room again, so that admission reopens by itself.
 *
 * What is refused is told with ERR_BUSY.  When durability is in doubt nobody
 * is told anything: on_fatal ends the process.
 */
#include "spool_writer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "clock.h"
#include "fault.h"
#include "log.h"
#include "metrics.h"
#include "pulse.h"
#include "spool_commit.h"
#include "spool_park.h"
#include "spool_queue.h"
#include "spool_record.h"
#include "spool_trace.h"
#include "units.h"

struct spool_writer {
    /* set once */
    pthread_t thread;
    void (*on_fatal)(const struct err *err);
    struct spool *spool;

    /* the writer's thread */
    struct pulse pulse;
    struct spool_commit commit;
    uint64_t next_tick_ns;

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t work;      /* something is queued, or stopping */
    pthread_cond_t committed; /* next_seq or the wakes moved */
    pthread_cond_t left;      /* the last caller left */
    struct spool_queue queue;
    unsigned callers; /* in a blocking call: the struct must outlive them */
    uint64_t next_seq;
    uint64_t generation;
    uint64_t wakes;
    uint64_t retry_ms;             /* while refusing */
    void (*edited)(void *context); /* NULL: nobody watches */
    void *edited_context;
    bool woken_forever;
    bool refusing;
    bool stopping;
};

/* --- callers: puts --------------------------------------------------------- */

static int check_put_size(const struct spool_writer *writer, const struct spool_put *put, struct err *err)
{
    uint64_t most = writer->commit.layout.record_pages;
    char size[UNITS_TEXT_MAX], bytes[UNITS_TEXT_MAX];

    if (spool_commit_pages(&writer->commit, put->payload.len) <= most)
        return 0;
    return err_set(err, ERR_POISON, EMSGSIZE, "%s can never fit into a spool of %s",
                   units_format_bytes(bytes, put->payload.len), units_format_bytes(size, writer->spool->size_bytes));
}

/* Under the lock. */
static int admit(const struct spool_writer *writer, const struct spool_put *put, struct err *err)
{
    int rc = fault_point("spool.put");

    if (writer->stopping)
        return err_set(err, ERR_BUSY, ECANCELED, "the spool is stopping");
    if (writer->refusing) {
        metrics_add(METRIC_SPOOL_REFUSED, 1);
        return err_set(err, ERR_BUSY, ENOSPC, "the spool is full");
    }
    if (rc != 0 || !spool_queue_takes(&writer->queue, put->payload.len))
        return err_set(err, ERR_BUSY, EAGAIN, "the spool's queue is full");
    return 0;
}

int spool_writer_put(struct spool_writer *writer, struct spool_put *put, struct err *err)
{
    int rc;

    assert(put->done != NULL);
    if (check_put_size(writer, put, err) == -1)
        return -1;
    put->seq = 0;
    spool_trace_queue(put);
    /* Here rather than in the one thread that everybody waits for; a record of several parts has its sums made there. */
    if (put->payload.len <= spool_part_bytes_max(SPOOL_PART_PAGES))
        put->checksum = checksum_64(put->payload);
    pthread_mutex_lock(&writer->lock);
    rc = admit(writer, put, err);
    if (rc == 0) {
        spool_queue_add_put(&writer->queue, put);
        pthread_cond_signal(&writer->work);
    }
    pthread_mutex_unlock(&writer->lock);
    return rc;
}

bool spool_writer_admits(struct spool_writer *writer)
{
    bool admits;

    pthread_mutex_lock(&writer->lock);
    admits = !writer->stopping && !writer->refusing && spool_queue_takes(&writer->queue, 1);
    pthread_mutex_unlock(&writer->lock);
    return admits;
}

uint64_t spool_writer_retry_ms(struct spool_writer *writer)
{
    uint64_t retry_ms;

    pthread_mutex_lock(&writer->lock);
    retry_ms = writer->refusing && !writer->stopping ? writer->retry_ms : SPOOL_RETRY_MIN_MS;
    pthread_mutex_unlock(&writer->lock);
    return retry_ms;
}

/* --- callers: blocking operations ------------------------------------------ */

/* Under the lock. */
static void leave(struct spool_writer *writer)
{
    if (--writer->callers == 0)
        pthread_cond_broadcast(&writer->left);
}

/* Queues the operations and waits until each is told.  -1: of those that failed the first one's failure. */
static int run_ops(struct spool_writer *writer, struct spool_op *ops, size_t count, struct err *err)
{
    const struct spool_op *failed = NULL;

    for (size_t i = 0; i < count; i++)
        clock_cond_init(&ops[i].cond);
    pthread_mutex_lock(&writer->lock);
    writer->callers++;
    for (size_t i = 0; i < count && !writer->stopping; i++)
        spool_queue_add_op(&writer->queue, &ops[i]);
    if (writer->stopping) {
        ops[0].failed = true;
        err_set(&ops[0].failure, ERR_BUSY, ECANCELED, "the spool is stopping");
    } else {
        pthread_cond_signal(&writer->work);
        for (size_t i = 0; i < count; i++)
            while (!ops[i].told)
                pthread_cond_wait(&ops[i].cond, &writer->lock);
    }
    leave(writer);
    pthread_mutex_unlock(&writer->lock);
    for (size_t i = count; i-- > 0;) {
        pthread_cond_destroy(&ops[i].cond);
        if (ops[i].failed)
            failed = &ops[i];
    }
    if (failed != NULL && err != NULL)
        *err = failed->failure;
    return failed == NULL ? 0 : -1;
}

static int run_op(struct spool_writer *writer, struct spool_op *op, struct err *err)
{
    return run_ops(writer, op, 1, err);
}

int spool_writer_delivered(struct spool_writer *writer, const uint64_t *seqs, size_t count, struct err *err)
{
    struct spool_op op = {.kind = SPOOL_OP_DELIVERED, .seqs = seqs, .seq_count = count};

    return run_op(writer, &op, err);
}

static int encode_parked(struct spool_op *op, struct buf *blob, const struct spool_parked *parked, struct err *err)
{
    assert(parked->seq > 0 && (!parked->whole || parked->payload.len == 0));
    *op = (struct spool_op){.kind = SPOOL_OP_PARK, .parked = parked};
    if (spool_park_encode(blob, parked, err) != 0)
        return -1;
    op->blob = buf_slice(blob);
    return 0;
}

int spool_writer_park(struct spool_writer *writer, const struct spool_parked *parked, size_t count, struct err *err)
{
    struct spool_op *ops = calloc(count, sizeof(*ops));
    struct buf *blobs = calloc(count, sizeof(*blobs));
    int rc = 0;

    assert(count > 0);
    if (ops == NULL || blobs == NULL)
        rc = err_set(err, ERR_BUSY, ENOMEM, "no memory to park %zu entries", count);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        buf_init(&blobs[i], SPOOL_PARKED_BYTES_MAX);
        rc = encode_parked(&ops[i], &blobs[i], &parked[i], err);
    }
    if (rc == 0)
        rc = run_ops(writer, ops, count, err);
    for (size_t i = 0; blobs != NULL && i < count; i++)
        buf_fini(&blobs[i]);
    free(blobs);
    free(ops);
    return rc;
}

int spool_writer_note_delivery(struct spool_writer *writer, const struct spool_delivery *delivery, struct err *err)
{
    struct spool_op op = {.kind = SPOOL_OP_NOTE_DELIVERY, .delivery = delivery};

    return run_op(writer, &op, err);
}

/* --- callers: waiting ------------------------------------------------------ */

uint64_t spool_writer_wait(struct spool_writer *writer, uint64_t from, uint64_t deadline_ns)
{
    struct timespec deadline = clock_timespec(deadline_ns);
    uint64_t wakes, next_seq;
    int rc = 0;

    pthread_mutex_lock(&writer->lock);
    writer->callers++;
    wakes = writer->wakes;
    while (rc == 0 && writer->next_seq <= from && writer->wakes == wakes && !writer->woken_forever)
        rc = pthread_cond_timedwait(&writer->committed, &writer->lock, &deadline);
    next_seq = writer->next_seq;
    leave(writer);
    pthread_mutex_unlock(&writer->lock);
    return next_seq;
}

uint64_t spool_writer_generation(struct spool_writer *writer)
{
    uint64_t generation;

    pthread_mutex_lock(&writer->lock);
    generation = writer->generation;
    pthread_mutex_unlock(&writer->lock);
    return generation;
}

void spool_writer_watch(struct spool_writer *writer, void (*edited)(void *context), void *context)
{
    pthread_mutex_lock(&writer->lock);
    writer->edited = edited;
    writer->edited_context = context;
    pthread_mutex_unlock(&writer->lock);
}

void spool_writer_wake(struct spool_writer *writer, bool forever)
{
    pthread_mutex_lock(&writer->lock);
    writer->wakes++;
    writer->woken_forever = writer->woken_forever || forever;
    pthread_cond_broadcast(&writer->committed);
    pthread_mutex_unlock(&writer->lock);
}

/* --- the thread ------------------------------------------------------------ */

static void tell_puts(struct spool_put *puts, const struct spool_trace_group *trace, const struct err *refusal)
{
    while (puts != NULL) {
        struct spool_put *put = puts;

        puts = put->next; /* after `done` it is the caller's again, who may free it */
        if (put->seq == 0)
            metrics_add(METRIC_SPOOL_REFUSED, 1);
        spool_trace_told(put, trace, refusal);
        put->done(put, put->seq == 0 ? refusal : NULL);
    }
}

/* Under the lock. */
static void tell_ops(const struct spool_group *group, const struct err *refusal)
{
    struct spool_op *ops = group->ops;

    while (ops != NULL) {
        struct spool_op *op = ops;

        ops = op->next; /* once it is told it is gone with its caller's stack */
        op->failed = !group->ops_done;
        if (op->failed)
            op->failure = *refusal;
        op->told = true;
        pthread_cond_signal(&op->cond);
    }
}

/* Under the lock: what the last transaction changed for callers. */
static void publish(struct spool_writer *writer)
{
    writer->refusing = writer->commit.refusing;
    writer->retry_ms = spool_commit_retry_ms(&writer->commit);
    metrics_set(METRIC_SPOOL_RETRY_DELAY_SECONDS, writer->refusing ? (writer->retry_ms + 999) / 1000 : 0);
    if (writer->generation != writer->commit.counters.generation) {
        /* There may be work with an old number. */
        writer->generation = writer->commit.counters.generation;
        writer->wakes++;
        pthread_cond_broadcast(&writer->committed);
        if (writer->edited != NULL)
            writer->edited(writer->edited_context);
    }
    if (writer->next_seq != writer->commit.counters.next_seq) {
        writer->next_seq = writer->commit.counters.next_seq;
        pthread_cond_broadcast(&writer->committed);
    }
}

static void die(struct spool_writer *writer, const struct err *err)
{
    writer->on_fatal(err);
    abort(); /* on_fatal does not return; going on would acknowledge what may be gone */
}

/* Under the lock.  True when there is a group to commit, false when it is time for a look around, or to end. */
static bool wait_for_work(struct spool_writer *writer)
{
    struct timespec deadline = clock_timespec(writer->next_tick_ns);
    int rc = 0;

    while (rc == 0 && spool_queue_is_empty(&writer->queue) && !writer->stopping)
        rc = pthread_cond_timedwait(&writer->work, &writer->lock, &deadline);
    return !spool_queue_is_empty(&writer->queue);
}

/* Without the lock. */
static void commit_group(struct spool_writer *writer, struct spool_group *group)
{
    struct spool_trace_group trace = spool_trace_group(group->puts);
    struct err refusal, err;

    if (spool_commit_group(&writer->commit, group, &refusal, &err) == -1)
        die(writer, &err);
    pthread_mutex_lock(&writer->lock);
    publish(writer);
    tell_ops(group, &refusal);
    pthread_mutex_unlock(&writer->lock);
    fault_point("spool.told"); /* the operations' callers know, the puts' do not */
    tell_puts(group->puts, &trace, &refusal);
}

/* Without the lock. */
static void tick(struct spool_writer *writer)
{
    struct err err;

    if (clock_mono_ns() < writer->next_tick_ns)
        return;
    fault_point("spool.tick");
    if (spool_commit_tick(&writer->commit, &err) == -1)
        die(writer, &err);
    writer->next_tick_ns = clock_mono_ns() + (writer->commit.expired_more ? 0 : SPOOL_TICK_MS * NS_PER_MS);
    pthread_mutex_lock(&writer->lock);
    publish(writer);
    pthread_mutex_unlock(&writer->lock);
}

static void *run(void *context)
{
    struct spool_writer *writer = context;
    struct spool_group group;
    bool more = true;

    while (more) {
        pthread_mutex_lock(&writer->lock);
        pulse_idle(&writer->pulse);
        if (wait_for_work(writer)) {
            pulse_busy(&writer->pulse);
            spool_queue_gather(&writer->queue, &writer->commit, &group);
            pthread_mutex_unlock(&writer->lock);
            commit_group(writer, &group);
        } else {
            pulse_busy(&writer->pulse);
            more = !writer->stopping;
            pthread_mutex_unlock(&writer->lock);
        }
        tick(writer);
    }
    return NULL;
}

/* --- start and stop -------------------------------------------------------- */

static void init_writer(struct spool_writer *writer)
{
    pthread_mutex_init(&writer->lock, NULL);
    clock_cond_init(&writer->work);
    clock_cond_init(&writer->committed);
    clock_cond_init(&writer->left);
    spool_queue_init(&writer->queue);
}

static void free_writer(struct spool_writer *writer)
{
    pthread_cond_destroy(&writer->left);
    pthread_cond_destroy(&writer->committed);
    pthread_cond_destroy(&writer->work);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

int spool_writer_start(struct spool_writer **out, struct spool *spool, void (*on_fatal)(const struct err *err),
                       struct err *err)
{
    struct spool_writer *writer = calloc(1, sizeof(*writer));
    int rc;

    if (writer == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory");
    init_writer(writer);
    writer->spool = spool;
    writer->on_fatal = on_fatal;
    if (spool_commit_init(&writer->commit, spool, err) == -1)
        goto fail;
    writer->next_tick_ns = clock_mono_ns() + SPOOL_TICK_MS * NS_PER_MS;
    publish(writer);
    pulse_start(&writer->pulse, "spool writer", PULSE_WRITER_MS);
    rc = pthread_create(&writer->thread, NULL, run, writer);
    if (rc != 0) {
        pulse_stop(&writer->pulse);
        err_set(err, ERR_BUSY, rc, "cannot start the spool's writer: %s", strerror(rc));
        goto fail;
    }
    *out = writer;
    return 0;
fail:
    free_writer(writer);
    return -1;
}

void spool_writer_stop(struct spool_writer *writer)
{
    struct err err;

    if (writer == NULL)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    pulse_stop(&writer->pulse);
    spool_writer_wake(writer, true);
    pthread_mutex_lock(&writer->lock);
    while (writer->callers > 0)
        pthread_cond_wait(&writer->left, &writer->lock);
    pthread_mutex_unlock(&writer->lock);
    if (spool_commit_clean(&writer->commit, &err) == -1)
        die(writer, &err);
    log_debug("spool.stopped", "%s: stopped with %llu records that are not delivered", writer->spool->path,
              (unsigned long long)writer->commit.counters.pending_records);
    free_writer(writer);
}
