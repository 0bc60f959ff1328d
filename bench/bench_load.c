/*
 * bench_load.c - so many puts outstanding.
 *
 * The callback that says that a record is durable puts the next one, on the
 * writer's thread.  So when a group has been told, as many puts as before wait
 * for the next one: transactions hold what is outstanding, up to a group's
 * bounds.  A client on a thread of its own would let the writer begin with the
 * first put that it queues, and the size of groups would be a matter of luck.
 *
 * A put that is refused for now is kept, and put again by the caller's thread
 * when the writer admits.
 */
#include "bench_load.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "metrics.h"

#define REFUSED_WAIT_NS (10 * NS_PER_MS)

struct run;

struct slot {
    struct spool_put put;
    struct run *run;
    struct slot *next_refused;
};

struct run {
    /* set once */
    const struct bench_load *load;
    uint64_t begin_ns;
    uint64_t deadline_ns;

    /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct bench_load_result *result;
    uint64_t chosen_bytes;
    unsigned in_hand; /* with the writer */
    struct slot *refused;
    struct err failure; /* ERR_NONE: none */
};

static void take_back(struct run *run, struct slot *slot, const struct err *why);

/* Not under the lock. */
static void submit(struct run *run, struct slot *slot)
{
    struct err err;

    if (spool_writer_put(run->load->writer, &slot->put, &err) == 0)
        return;
    pthread_mutex_lock(&run->lock);
    take_back(run, slot, &err);
    pthread_mutex_unlock(&run->lock);
}

/* Under the lock: the slot's next record, or false at the end. */
static bool choose(struct run *run, struct slot *slot)
{
    const struct bench_load *load = run->load;

    if (run->failure.class != ERR_NONE || run->chosen_bytes >= load->total_bytes || clock_mono_ns() >= run->deadline_ns)
        return false;
    slot->put.payload = bench_shape_next(load->shape);
    slot->put.raw_bytes = slot->put.payload.len;
    slot->put.received_ns = clock_wall_ns();
    run->chosen_bytes += slot->put.payload.len;
    run->in_hand++;
    return true;
}

/* Under the lock: the writer does not have it any more, and it is not stored. */
static void take_back(struct run *run, struct slot *slot, const struct err *why)
{
    run->in_hand--;
    if (why->class == ERR_BUSY) {
        run->result->refused++;
        slot->next_refused = run->refused;
        run->refused = slot;
    } else {
        run->failure = *why;
    }
    pthread_cond_signal(&run->changed);
}

/* Under the lock. */
static void count_stored(struct run *run, const struct slot *slot)
{
    run->in_hand--;
    run->result->records++;
    run->result->bytes += slot->put.payload.len;
    run->result->elapsed_ns = clock_mono_ns() - run->begin_ns - run->result->tenths.paused_ns;
    bench_tenths_add(&run->result->tenths, slot->put.payload.len);
}

static void told(struct spool_put *put, const struct err *failure)
{
    struct slot *slot = put->context;
    struct run *run = slot->run;
    bool again = false;

    if (failure == NULL && run->load->stored != NULL)
        run->load->stored(run->load->context, put->seq);
    pthread_mutex_lock(&run->lock);
    if (failure != NULL) {
        take_back(run, slot, failure);
    } else {
        count_stored(run, slot);
        again = choose(run, slot);
        if (!again)
            pthread_cond_signal(&run->changed);
    }
    pthread_mutex_unlock(&run->lock);
    if (again)
        submit(run, slot);
}

/* Under the lock, which it leaves meanwhile. */
static void put_refused(struct run *run)
{
    struct slot *slot = run->refused;

    if (!spool_writer_admits(run->load->writer))
        return;
    run->refused = slot->next_refused;
    run->in_hand++;
    pthread_mutex_unlock(&run->lock);
    submit(run, slot);
    pthread_mutex_lock(&run->lock);
}

static void start(struct run *run, struct slot *slots)
{
    bool chosen = true;

    for (unsigned i = 0; chosen && i < run->load->outstanding; i++) {
        slots[i] = (struct slot){.run = run, .put = {.spans = 1, .done = told, .context = &slots[i]}};
        pthread_mutex_lock(&run->lock);
        chosen = choose(run, &slots[i]);
        pthread_mutex_unlock(&run->lock);
        if (chosen)
            submit(run, &slots[i]);
    }
}

static void wait_for_all(struct run *run)
{
    struct timespec deadline;

    pthread_mutex_lock(&run->lock);
    while (run->in_hand > 0 || (run->refused != NULL && run->failure.class == ERR_NONE)) {
        if (run->refused != NULL)
            put_refused(run);
        deadline = clock_timespec(clock_mono_ns() + REFUSED_WAIT_NS);
        pthread_cond_timedwait(&run->changed, &run->lock, &deadline);
    }
    pthread_mutex_unlock(&run->lock);
}

static uint64_t end_of(uint64_t begin_ns, uint64_t duration_ns)
{
    return duration_ns > UINT64_MAX - begin_ns ? UINT64_MAX : begin_ns + duration_ns;
}

int bench_load_run(const struct bench_load *load, struct bench_load_result *result, struct err *err)
{
    struct run run = {.load = load, .begin_ns = clock_mono_ns(), .result = result};
    struct slot *slots = calloc(load->outstanding, sizeof(*slots));
    uint64_t commits = metrics_get(METRIC_SPOOL_COMMITS);

    if (slots == NULL)
        return err_set(err, ERR_BUSY, ENOMEM, "out of memory for %u puts", load->outstanding);
    run.deadline_ns = end_of(run.begin_ns, load->duration_ns);
    *result = (struct bench_load_result){.records = 0};
    bench_tenths_begin(&result->tenths, load->total_bytes);
    result->tenths.disk = load->disk;
    pthread_mutex_init(&run.lock, NULL);
    clock_cond_init(&run.changed);
    start(&run, slots);
    wait_for_all(&run);
    pthread_cond_destroy(&run.changed);
    pthread_mutex_destroy(&run.lock);
    free(slots);
    result->commits = metrics_get(METRIC_SPOOL_COMMITS) - commits;
    if (run.failure.class != ERR_NONE) {
        *err = run.failure;
        return -1;
    }
    return 0;
}

void bench_load_json(const struct bench_load_result *result, struct json *json)
{
    json_key(json, "records");
    json_uint(json, result->records);
    json_key(json, "bytes");
    json_uint(json, result->bytes);
    json_key(json, "refused");
    json_uint(json, result->refused);
    json_key(json, "commits");
    json_uint(json, result->commits);
    json_key(json, "seconds");
    json_double(json, (double)result->elapsed_ns / (double)NS_PER_S);
}
