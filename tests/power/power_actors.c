/*
 * power_actors.c - the threads of a workload's daemon.
 *
 * Three put, two deliver, one parks, as the receiver and the flushers of a
 * daemon do.  Each says in the log what it asks before it asks, and what it was
 * told when it was told.
 */
#include "power_actors.h"

#include <stdlib.h>
#include <time.h>

#include "checksum.h"
#include "clock.h"

#define BURST_MAX 6
#define BATCH_MAX 24
#define PARKED_BYTES_MAX 9000
#define IDLE_MS 2

struct put {
    struct spool_put put;
    struct power_daemon *daemon;
    uint64_t id;
    bool told;
};

/* From one leaf node to several values of SPOOL_PART_PAGES pages. */
static size_t size_of_put(uint64_t *random)
{
    uint64_t kind = power_random_below(random, 10);

    if (kind < 6)
        return 300 + power_random_below(random, 5000);
    return kind < 9 ? 4000 + power_random_below(random, 70000) : 100000 + power_random_below(random, 500000);
}

static void idle(void)
{
    nanosleep(&(struct timespec){.tv_nsec = IDLE_MS * 1000000L}, NULL);
}

/* --- putting --------------------------------------------------------------- */

static void mark_put(const struct put *put, enum power_moment moment)
{
    struct power_mark mark = {.change = POWER_PUT,
                              .moment = moment,
                              .id = put->id,
                              .seq = put->put.seq,
                              .len = put->put.payload.len,
                              .checksum = checksum_64(put->put.payload)};

    power_log_mark(put->daemon->run->log, &mark, NULL);
}

static void on_done(struct spool_put *spool_put, const struct err *failure)
{
    struct put *put = spool_put->context;

    mark_put(put, failure == NULL ? POWER_CONFIRMED : POWER_REFUSED);
    if (failure != NULL)
        power_table_refuse(put->daemon->run->table);
    else
        power_table_add(put->daemon->run->table, spool_put->seq, spool_put->payload.len);
    pthread_mutex_lock(put->daemon->lock);
    put->told = true;
    pthread_cond_broadcast(put->daemon->told);
    pthread_mutex_unlock(put->daemon->lock);
}

/* False when there are no more numbers. */
static bool start_put(struct power_daemon *daemon, struct put *put, uint64_t *random)
{
    size_t len = size_of_put(random);
    struct err err;

    *put = (struct put){.daemon = daemon, .id = power_table_next_id(daemon->run->table), .told = true};
    if (put->id == 0)
        return false;
    put->put = (struct spool_put){
        .payload = slice_of(power_bytes(put->id, len), len),
        .raw_bytes = len * 2,
        .received_ns = POWER_RECEIVED_NS + put->id,
        .spans = 7,
        .done = on_done,
        .context = put,
    };
    mark_put(put, POWER_ASKED);
    put->told = false;
    if (spool_writer_put(daemon->writer, &put->put, &err) == 0)
        return true;
    if (err.class != ERR_BUSY)
        power_work_fail("put", &err);
    mark_put(put, POWER_REFUSED);
    power_table_refuse(daemon->run->table);
    put->told = true;
    idle();
    return true;
}

static void end_put(struct power_daemon *daemon, struct put *put)
{
    pthread_mutex_lock(daemon->lock);
    while (!put->told)
        pthread_cond_wait(daemon->told, daemon->lock);
    pthread_mutex_unlock(daemon->lock);
    free((void *)(uintptr_t)put->put.payload.data);
}

static bool is_over(const struct power_daemon *daemon)
{
    return power_table_stored_bytes(daemon->run->table) >= daemon->goal_bytes || clock_mono_ns() > daemon->deadline_ns;
}

void *power_put_many(void *context)
{
    struct power_daemon *daemon = context;
    uint64_t random = daemon->run->seed * 100 + daemon->number;
    struct put puts[BURST_MAX];
    bool more = true;

    while (more && !is_over(daemon)) {
        size_t count = 1 + power_random_below(&random, BURST_MAX), started = 0;

        while (more && started < count)
            more = start_put(daemon, &puts[started++], &random);
        for (size_t i = 0; i < started; i++)
            end_put(daemon, &puts[i]);
    }
    return NULL;
}

/* --- delivering and parking ------------------------------------------------ */

static void mark_change(const struct power_daemon *daemon, enum power_change change, enum power_moment moment,
                        uint64_t id, struct slice payload, const uint64_t *seqs, size_t count)
{
    struct power_mark mark = {.change = change,
                              .moment = moment,
                              .actor = daemon->number,
                              .id = id,
                              .len = payload.len,
                              .checksum = checksum_64(payload),
                              .count = count};

    power_log_mark(daemon->run->log, &mark, seqs);
}

static void deliver(struct power_daemon *daemon, const uint64_t *seqs, size_t count)
{
    struct slice none = {.len = 0};
    struct err err;
    int rc;

    mark_change(daemon, POWER_DELIVER, POWER_ASKED, 0, none, seqs, count);
    rc = spool_writer_delivered(daemon->writer, seqs, count, &err);
    if (rc == -1 && err.class != ERR_BUSY)
        power_work_fail("deliver", &err);
    mark_change(daemon, POWER_DELIVER, rc == 0 ? POWER_CONFIRMED : POWER_REFUSED, 0, none, NULL, 0);
    if (rc == 0)
        power_table_set(daemon->run->table, seqs, count, POWER_DONE);
}

/* So much may wait that some is always there; or, to fill the spool, until it refuses. */
static bool has_enough(const struct power_daemon *daemon)
{
    const struct power_work *work = daemon->run->work;
    uint64_t most = work->size_bytes < work->stored_bytes ? work->size_bytes / 4 : work->stored_bytes / 4;

    if (work->fill)
        return power_table_take_refusal(daemon->run->table);
    return power_table_waiting_bytes(daemon->run->table) > most;
}

void *power_deliver_many(void *context)
{
    struct power_daemon *daemon = context;
    uint64_t random = daemon->run->seed * 200 + daemon->number, seqs[BATCH_MAX];

    while (!is_over(daemon)) {
        size_t max = 1 + power_random_below(&random, BATCH_MAX);
        size_t spread = power_random_below(&random, 4) == 0 ? POWER_SEQS_MAX : 2 * BATCH_MAX;
        size_t count = 0;

        if (has_enough(daemon))
            count = power_table_choose(daemon->run->table, POWER_WAITS, power_random(&random), spread, max, seqs);
        if (count > 0)
            deliver(daemon, seqs, count);
        else
            idle();
    }
    return NULL;
}

static void park(struct power_daemon *daemon, uint64_t seq, bool whole, size_t len)
{
    enum power_change change = whole ? POWER_PARK_WHOLE : POWER_PARK;
    uint64_t id = power_table_next_id(daemon->run->table);
    struct spool_parked parked = {.seq = seq,
                                  .index = whole ? 0 : 1,
                                  .whole = whole,
                                  .reason = whole ? SPOOL_PARK_UNDECODABLE : SPOOL_PARK_REFUSED,
                                  .spans = 1,
                                  .parked_ns = POWER_RECEIVED_NS,
                                  .received_ns = POWER_RECEIVED_NS + id,
                                  .text = "parked by a test"};
    struct err err;
    uint8_t *bytes;
    int rc;

    if (id == 0)
        return;
    bytes = power_bytes(id, len);
    if (!whole)
        parked.payload = slice_of(bytes, len);
    mark_change(daemon, change, POWER_ASKED, id, parked.payload, &seq, 1);
    rc = spool_writer_park(daemon->writer, &parked, 1, &err);
    if (rc == -1 && err.class != ERR_BUSY)
        power_work_fail("park", &err);
    mark_change(daemon, change, rc == 0 ? POWER_CONFIRMED : POWER_REFUSED, id, parked.payload, NULL, 0);
    if (rc == 0)
        power_table_park(daemon->run->table, seq, id, whole);
    if (rc == 0 && whole)
        power_table_set(daemon->run->table, &seq, 1, POWER_HELD);
    free(bytes);
}

/* As the flusher does with a record of which MongoDB refuses a span, and with one that it cannot read. */
void *power_park_many(void *context)
{
    struct power_daemon *daemon = context;
    uint64_t random = daemon->run->seed * 300, seq;
    bool whole = false;

    while (!is_over(daemon)) {
        if (!daemon->run->work->park || !has_enough(daemon) ||
            power_table_choose(daemon->run->table, POWER_WAITS, power_random(&random), BATCH_MAX, 1, &seq) == 0 ||
            !power_table_may_park(daemon->run->table, seq)) {
            idle();
            continue;
        }
        park(daemon, seq, whole, 1 + power_random_below(&random, PARKED_BYTES_MAX));
        if (!whole)
            deliver(daemon, &seq, 1);
        whole = !whole;
    }
    return NULL;
}
