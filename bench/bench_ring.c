/*
 * bench_ring.c - a full spool that goes round.
 *
 * Records are written through the writer and marked as delivered as soon as
 * they are durable, by a second thread, as flushers do it: what was told since
 * the last call is one call.  First the spool is filled, so that from the first
 * measured record on history has to go for each new one.
 */
#include "bench.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "bench_load.h"
#include "bench_store.h"
#include "clock.h"

#define OUTSTANDING 16
/* While a call is under way at most two groups are told; far above that. */
#define SEQS_MAX 4096

struct delivery {
    struct spool_writer *writer; /* set once */
    pthread_t thread;

    /* the thread's; read by others after it has ended */
    uint64_t calls;
    uint64_t repeated; /* calls that had to be made again, as there was no page for them */

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t seqs[SEQS_MAX];
    size_t count;
    bool ending;
};

/* On the writer's thread. */
static void stored(void *context, uint64_t seq)
{
    struct delivery *delivery = context;

    pthread_mutex_lock(&delivery->lock);
    assert(delivery->count < SEQS_MAX);
    delivery->seqs[delivery->count++] = seq;
    pthread_cond_signal(&delivery->changed);
    pthread_mutex_unlock(&delivery->lock);
}

/* What is durable and not delivered; 0 at the end. */
static size_t take(struct delivery *delivery, uint64_t seqs[SEQS_MAX])
{
    size_t count;

    pthread_mutex_lock(&delivery->lock);
    while (delivery->count == 0 && !delivery->ending)
        pthread_cond_wait(&delivery->changed, &delivery->lock);
    count = delivery->count;
    memcpy(seqs, delivery->seqs, count * sizeof(seqs[0]));
    delivery->count = 0;
    pthread_mutex_unlock(&delivery->lock);
    return count;
}

static void *deliver(void *context)
{
    struct delivery *delivery = context;
    uint64_t seqs[SEQS_MAX];
    struct err err;
    size_t count;

    while ((count = take(delivery, seqs)) > 0) {
        delivery->calls++;
        /* ERR_BUSY: not even the headroom had a page, which may pass. */
        while (spool_writer_delivered(delivery->writer, seqs, count, &err) == -1)
            delivery->repeated++;
    }
    return NULL;
}

static int delivery_start(struct delivery *delivery, struct spool_writer *writer, struct err *err)
{
    int rc;

    *delivery = (struct delivery){.writer = writer};
    pthread_mutex_init(&delivery->lock, NULL);
    clock_cond_init(&delivery->changed);
    rc = pthread_create(&delivery->thread, NULL, deliver, delivery);
    return rc == 0 ? 0 : err_set(err, ERR_BUSY, rc, "cannot start a thread: %s", strerror(rc));
}

/* Returns when all is delivered. */
static void delivery_stop(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    delivery->ending = true;
    pthread_cond_signal(&delivery->changed);
    pthread_mutex_unlock(&delivery->lock);
    pthread_join(delivery->thread, NULL);
    pthread_cond_destroy(&delivery->changed);
    pthread_mutex_destroy(&delivery->lock);
}

struct ring {
    struct bench_store store;
    struct bench_shape shape;
    struct delivery delivery;
};

static int load(struct ring *ring, uint64_t total_bytes, struct bench_load_result *result, struct err *err)
{
    struct bench_load load = {.writer = ring->store.writer,
                              .shape = &ring->shape,
                              .outstanding = OUTSTANDING,
                              .total_bytes = total_bytes,
                              .duration_ns = UINT64_MAX,
                              .stored = stored,
                              .context = &ring->delivery};
    int rc;

    if (delivery_start(&ring->delivery, ring->store.writer, err) == -1)
        return -1;
    rc = bench_load_run(&load, result, err);
    delivery_stop(&ring->delivery);
    return rc;
}

static int write_stat(struct ring *ring, const char *name, struct json *json, struct err *err)
{
    int rc;

    json_key(json, name);
    json_begin_object(json);
    rc = bench_store_json(&ring->store, json, err);
    json_end_object(json);
    return rc;
}

static int measure(struct ring *ring, const struct bench_options *options, struct json *json, struct err *err)
{
    struct bench_load_result result;

    /* Payload of the spool's size does not fit into it: the oldest goes before this ends. */
    if (load(ring, options->size_bytes, &result, err) == -1 || write_stat(ring, "full", json, err) == -1 ||
        load(ring, options->total_bytes, &result, err) == -1)
        return -1;
    json_key(json, "outstanding");
    json_uint(json, OUTSTANDING);
    bench_load_json(&result, json);
    json_key(json, "deliveries");
    json_uint(json, ring->delivery.calls);
    json_key(json, "deliveries_repeated");
    json_uint(json, ring->delivery.repeated);
    json_key(json, "tenths");
    bench_tenths_json(&result.tenths, json);
    return write_stat(ring, "end", json, err);
}

int bench_ring(const struct bench_options *options, struct json *json, struct err *err)
{
    struct ring ring;
    int rc;

    if (bench_store_remove(options->dir, err) == -1 ||
        bench_shape_init(&ring.shape, options->min_bytes, options->max_bytes, options->seed, err) == -1)
        return -1;
    rc = bench_store_open(&ring.store, options->dir, options->size_bytes, err);
    if (rc == 0) {
        rc = measure(&ring, options, json, err);
        bench_store_close(&ring.store);
    }
    bench_shape_fini(&ring.shape);
    return rc == 0 ? bench_store_remove(options->dir, err) : -1;
}
