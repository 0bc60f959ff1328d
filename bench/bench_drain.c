/*
 * bench_drain.c - a backlog is read and marked as delivered.
 *
 * As the flusher does it, without inflating, decoding and MongoDB: two threads
 * claim what is pending and nobody has, with the flusher's bounds, copy it out
 * with its checksums verified, and tell the writer what is delivered, a batch
 * a call.  Each call is durable when it returns, as there.
 *
 * It is an error when not all that was pending was read, or a record was
 * damaged: then the figures would be of something else.
 */
#include "bench.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "bench_memory.h"
#include "bench_store.h"
#include "bench_tenths.h"
#include "clock.h"
#include "metrics.h"

#define THREADS 2                      /* flush.threads, unless the configuration says otherwise */
#define BATCH_BYTES (600UL << 10)      /* flush.batch_documents = 1000, of 6 spans, of 100 stored bytes */
#define CLAIM_KEEP_BYTES (8UL << 20)   /* as the flusher keeps of a claim's memory */
#define ARENA_BYTES_MAX (2048UL << 20) /* one claim */

struct drain {
    struct bench_store store; /* set once */
    struct bench_disk disk;   /* read in turn, by who passes a tenth, under lock */

    /* under lock */
    pthread_mutex_t lock;
    struct spool_range taken[THREADS];
    struct bench_tenths tenths;
    uint64_t records;
    uint64_t damaged;
    uint64_t end_ns;
    struct err failure; /* ERR_NONE: none */
};

struct thread {
    struct drain *drain;
    unsigned number;
    pthread_t id;
    struct arena arena;
    struct spool_record records[FLUSH_RECORDS_MAX];
    uint64_t seqs[FLUSH_RECORDS_MAX];
    size_t count;
};

/* Under the lock. */
static int claim(struct thread *thread, struct err *err)
{
    struct drain *drain = thread->drain;
    struct spool_want want = {.end = SPOOL_OLDEST,
                              .taken = drain->taken,
                              .taken_count = THREADS,
                              .max_records = FLUSH_RECORDS_MAX,
                              .max_bytes = FLUSH_READ_BYTES_MAX};

    drain->taken[thread->number] = (struct spool_range){0, 0};
    arena_reset(&thread->arena, CLAIM_KEEP_BYTES);
    if (spool_read_pending(drain->store.spool, &want, &thread->arena, thread->records, &thread->count, err) == -1)
        return -1;
    if (thread->count > 0)
        drain->taken[thread->number] =
            (struct spool_range){thread->records[0].seq, thread->records[thread->count - 1].seq + 1};
    return 0;
}

static void count_delivered(struct drain *drain, const struct spool_record *records, size_t count)
{
    pthread_mutex_lock(&drain->lock);
    for (size_t i = 0; i < count; i++) {
        drain->records++;
        drain->damaged += records[i].damaged ? 1 : 0;
        bench_tenths_add(&drain->tenths, records[i].stored_bytes);
    }
    drain->end_ns = clock_mono_ns();
    pthread_mutex_unlock(&drain->lock);
}

static int deliver(struct thread *thread, struct err *err)
{
    struct drain *drain = thread->drain;
    size_t first = 0, bytes = 0;

    for (size_t i = 0; i < thread->count; i++) {
        thread->seqs[i] = thread->records[i].seq;
        bytes += thread->records[i].stored_bytes;
        if (bytes < BATCH_BYTES && i + 1 < thread->count)
            continue;
        if (spool_writer_delivered(drain->store.writer, &thread->seqs[first], i + 1 - first, err) == -1)
            return -1;
        count_delivered(drain, &thread->records[first], i + 1 - first);
        first = i + 1;
        bytes = 0;
    }
    return 0;
}

static void *run(void *context)
{
    struct thread *thread = context;
    struct drain *drain = thread->drain;
    struct err err;
    int rc;

    do {
        pthread_mutex_lock(&drain->lock);
        rc = drain->failure.class == ERR_NONE ? claim(thread, &err) : -1;
        pthread_mutex_unlock(&drain->lock);
        if (rc == 0)
            rc = deliver(thread, &err);
    } while (rc == 0 && thread->count > 0);
    pthread_mutex_lock(&drain->lock);
    if (rc == -1 && drain->failure.class == ERR_NONE)
        drain->failure = err;
    pthread_mutex_unlock(&drain->lock);
    return NULL;
}

static int start_threads(struct drain *drain, struct thread *threads, unsigned *started, struct err *err)
{
    for (*started = 0; *started < THREADS; ++*started) {
        struct thread *thread = &threads[*started];
        int rc;

        *thread = (struct thread){.drain = drain, .number = *started};
        arena_init(&thread->arena, ARENA_BYTES_MAX);
        rc = pthread_create(&thread->id, NULL, run, thread);
        if (rc != 0)
            return err_set(err, ERR_BUSY, rc, "cannot start a thread: %s", strerror(rc));
    }
    return 0;
}

static int run_threads(struct drain *drain, struct err *err)
{
    struct thread *threads = calloc(THREADS, sizeof(*threads));
    unsigned started;
    int rc;

    if (threads == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory");
    rc = start_threads(drain, threads, &started, err);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(threads[i].id, NULL);
        arena_fini(&threads[i].arena);
    }
    free(threads);
    if (rc == 0 && drain->failure.class != ERR_NONE) {
        *err = drain->failure;
        rc = -1;
    }
    return rc;
}

/* Of what was measured: that it was all. */
static int check(struct drain *drain, const struct spool_stat *before, struct err *err)
{
    struct spool_stat after;

    if (spool_stat(drain->store.spool, &after, err) == -1)
        return -1;
    if (drain->records == before->pending_records && drain->damaged == 0 && after.pending_records == 0)
        return 0;
    return err_set(err, ERR_FATAL, 0,
                   "of %llu pending records %llu were delivered, %llu of them damaged; %llu are left",
                   (unsigned long long)before->pending_records, (unsigned long long)drain->records,
                   (unsigned long long)drain->damaged, (unsigned long long)after.pending_records);
}

static void write_result(const struct drain *drain, uint64_t commits, struct json *json)
{
    json_key(json, "threads");
    json_uint(json, THREADS);
    json_key(json, "records");
    json_uint(json, drain->records);
    json_key(json, "bytes");
    json_uint(json, drain->tenths.bytes);
    json_key(json, "commits");
    json_uint(json, commits);
    json_key(json, "seconds");
    json_double(json, (double)(drain->end_ns - drain->tenths.begin_ns - drain->tenths.paused_ns) / (double)NS_PER_S);
    json_key(json, "tenths");
    bench_tenths_json(&drain->tenths, json);
    json_key(json, "disk");
    bench_disk_json(&drain->disk, json);
}

static int measure(struct drain *drain, struct json *json, struct err *err)
{
    uint64_t commits = metrics_get(METRIC_SPOOL_COMMITS);
    struct bench_memory memory;
    struct spool_stat before;
    int rc;

    if (spool_stat(drain->store.spool, &before, err) == -1 || bench_memory_start(&memory, err) == -1)
        return -1;
    bench_tenths_begin(&drain->tenths, before.pending_bytes);
    drain->tenths.disk = &drain->disk;
    rc = run_threads(drain, err);
    bench_memory_stop(&memory);
    if (rc == -1 || check(drain, &before, err) == -1)
        return -1;
    write_result(drain, metrics_get(METRIC_SPOOL_COMMITS) - commits, json);
    json_key(json, "memory");
    bench_memory_json(&memory, json);
    return 0;
}

int bench_drain(const struct bench_options *options, struct json *json, struct err *err)
{
    struct drain drain = {.records = 0};
    int rc;

    rc = bench_disk_open(&drain.disk, options->dir, true, 0, err);
    if (rc == 0)
        rc = bench_store_open(&drain.store, options->dir, options->size_bytes, err);
    if (rc == 0) {
        pthread_mutex_init(&drain.lock, NULL);
        rc = measure(&drain, json, err);
        pthread_mutex_destroy(&drain.lock);
        bench_store_close(&drain.store);
    }
    bench_disk_close(&drain.disk);
    return rc;
}
