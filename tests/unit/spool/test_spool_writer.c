/*
 * The writer: what is acknowledged can be read, in order, each caller told
 * once; groups; deliveries, parking, notes; waiting; stopping.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "metrics.h"
#include "spool_record.h"

/* --- records --------------------------------------------------------------- */

static void test_put_of_any_size_is_read_back_and_survives_a_restart(void **state)
{
    struct fixture *fixture = *state;
    size_t part = spool_part_bytes_max(SPOOL_PART_PAGES);
    const size_t sizes[] = {0,        1,    71,       1946,         1947,     4008,         4009,    100000,
                            part - 1, part, part + 1, 2 * part - 1, 2 * part, 2 * part + 1, 1 << 20, 10 << 20};
    const size_t count = sizeof(sizes) / sizeof(sizes[0]);

    for (size_t i = 0; i < count; i++)
        assert_int_equal(fixture_put(fixture, i + 1, sizes[i]), i + 1);
    for (size_t i = 0; i < count; i++)
        fixture_check(fixture->spool, i + 1, i + 1, sizes[i], SPOOL_PENDING);
    fixture_close(fixture);
    fixture_open(fixture);
    for (size_t i = 0; i < count; i++)
        fixture_check(fixture->spool, i + 1, i + 1, sizes[i], SPOOL_PENDING);
    assert_false(fixture_exists(fixture->spool, count + 1));
    assert_false(fixture_exists(fixture->spool, 0));
    assert_int_equal(fixture_put(fixture, 99, 10), count + 1);
}

static void test_put_that_can_never_fit_is_refused_for_good(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    assert_int_equal(fixture_try_put(fixture, 1, 40 << 20, &err), 0);
    assert_int_equal(err.class, ERR_POISON);
    assert_int_equal(err.code, EMSGSIZE);
    assert_string_equal(err.text, "40.0 MiB can never fit into a spool of 64.0 MiB");
    assert_true(spool_writer_admits(fixture->writer));
}

static void test_read_into_a_full_arena_is_busy(void **state)
{
    struct fixture *fixture = *state;
    struct spool_record records[2];
    struct arena arena;
    size_t count;
    struct err err;

    fixture_put(fixture, 1, 100000);
    fixture_put(fixture, 2, 3000000);
    arena_init(&arena, 1 << 20);
    assert_int_equal(spool_read(fixture->spool, 2, &arena, &records[0], &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "no memory for record 2 of 3000000 bytes");
    /* After the first the rest is left for later. */
    assert_int_equal(fixture_read_pending(fixture, 1, 2, SIZE_MAX, &arena, records, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(fixture_read_pending(fixture, 2, 2, SIZE_MAX, &arena, records, &count, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(count, 0);
    arena_fini(&arena);
}

/* --- concurrency ----------------------------------------------------------- */

#define THREADS 8
#define PUTS_A_THREAD 150

struct producer {
    struct fixture *fixture;
    unsigned number;
    struct fixture_put puts[PUTS_A_THREAD];
    unsigned rejected;
};

static size_t size_of(uint64_t seed)
{
    return seed % 17 == 0 ? 200000 : seed * 37 % 9000;
}

static void *produce(void *context)
{
    struct producer *producer = context;
    struct err err;

    for (unsigned i = 0; i < PUTS_A_THREAD; i++) {
        uint64_t seed = producer->number * 1000 + i + 1;

        if (fixture_put_start(producer->fixture, &producer->puts[i], seed, size_of(seed), &err) == -1)
            producer->rejected++;
    }
    return NULL;
}

static void test_put_from_many_threads_tells_each_once_and_loses_none(void **state)
{
    struct fixture *fixture = *state;
    struct producer *producers = calloc(THREADS, sizeof(*producers));
    pthread_t threads[THREADS];
    bool seen[THREADS * PUTS_A_THREAD + 1] = {false};

    for (unsigned i = 0; i < THREADS; i++) {
        producers[i].fixture = fixture;
        producers[i].number = i;
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        uint64_t before = 0;

        assert_int_equal(producers[i].rejected, 0);
        for (unsigned j = 0; j < PUTS_A_THREAD; j++) {
            struct fixture_put *put = &producers[i].puts[j];

            fixture_put_wait(put);
            assert_false(put->failed);
            assert_true(put->put.seq > before); /* a thread's puts keep their order */
            before = put->put.seq;
            assert_true(before <= THREADS * PUTS_A_THREAD && !seen[before]);
            seen[before] = true;
        }
    }
    fixture_close(fixture);
    fixture_open(fixture);
    for (unsigned i = 0; i < THREADS; i++) {
        for (unsigned j = 0; j < PUTS_A_THREAD; j++) {
            struct fixture_put *put = &producers[i].puts[j];

            assert_int_equal(put->tells, 1);
            fixture_check(fixture->spool, put->put.seq, put->seed, size_of(put->seed), SPOOL_PENDING);
            fixture_put_fini(put);
        }
    }
    assert_int_equal(fixture_stat(fixture->spool).pending_records, THREADS * PUTS_A_THREAD);
    free(producers);
}

/* --- groups ---------------------------------------------------------------- */

struct blocker {
    sem_t entered;
    sem_t go_on;
};

/* Holds the writer's thread between two transactions. */
static void block(struct spool_put *put, const struct err *failure)
{
    struct blocker *blocker = put->context;

    (void)failure;
    sem_post(&blocker->entered);
    sem_wait(&blocker->go_on);
}

static void block_writer(struct fixture *fixture, struct spool_put *put, struct blocker *blocker)
{
    struct err err;

    sem_init(&blocker->entered, 0, 0);
    sem_init(&blocker->go_on, 0, 0);
    *put = (struct spool_put){.payload = slice_of("x", 1), .spans = 1, .done = block, .context = blocker};
    assert_int_equal(spool_writer_put(fixture->writer, put, &err), 0);
    sem_wait(&blocker->entered);
}

static void test_put_what_gathers_during_a_commit_is_one_transaction(void **state)
{
    struct fixture *fixture = *state;
    static struct fixture_put puts[500];
    struct blocker blocker;
    struct spool_put first;
    uint64_t commits;
    struct err err;

    block_writer(fixture, &first, &blocker);
    commits = metrics_get(METRIC_SPOOL_COMMITS);
    for (unsigned i = 0; i < 500; i++)
        assert_int_equal(fixture_put_start(fixture, &puts[i], i, 300, &err), 0);
    sem_post(&blocker.go_on);
    for (unsigned i = 0; i < 500; i++) {
        fixture_put_wait(&puts[i]);
        assert_int_equal(puts[i].put.seq, i + 2);
        fixture_put_fini(&puts[i]);
    }
    assert_int_equal(metrics_get(METRIC_SPOOL_COMMITS) - commits, 2); /* 500 records are more than one group's pages */
}

static void test_put_when_the_queue_is_full_is_busy(void **state)
{
    struct fixture *fixture = *state;
    static struct spool_put puts[SPOOL_QUEUE_COUNT_MAX + 1];
    static struct fixture_put last;
    struct blocker blocker;
    struct err err;

    /* One is being told, all the others wait. */
    block_writer(fixture, &puts[0], &blocker);
    assert_true(spool_writer_admits(fixture->writer));
    for (unsigned i = 1; i < SPOOL_QUEUE_COUNT_MAX; i++) {
        puts[i] = puts[0];
        assert_int_equal(spool_writer_put(fixture->writer, &puts[i], &err), 0);
    }
    puts[SPOOL_QUEUE_COUNT_MAX] = puts[0];
    assert_int_equal(fixture_put_start(fixture, &last, 1, 1, &err), 0);
    assert_false(spool_writer_admits(fixture->writer));
    assert_int_equal(spool_writer_put(fixture->writer, &puts[SPOOL_QUEUE_COUNT_MAX], &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "the spool's queue is full");
    assert_int_equal(spool_writer_retry_ms(fixture->writer), SPOOL_RETRY_MIN_MS);
    for (unsigned i = 0; i < SPOOL_QUEUE_COUNT_MAX; i++)
        sem_post(&blocker.go_on); /* one for each that `block` is called for */
    fixture_put_wait(&last);
    assert_int_equal(last.put.seq, SPOOL_QUEUE_COUNT_MAX + 1);
    fixture_put_fini(&last);
}

static void test_put_fault_in_the_queue_is_busy(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    fixture_fault("spool.put", 1, ENOMEM);
    assert_int_equal(fixture_try_put(fixture, 1, 10, &err), 0);
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(fixture_put(fixture, 1, 10), 1);
}

/* --- delivery -------------------------------------------------------------- */

/* Reads what is pending from `from` and compares the seqs. */
static void expect_pending(struct fixture *fixture, uint64_t from, const uint64_t *seqs, size_t expected)
{
    struct spool_record records[64];
    struct arena arena;
    size_t count;
    struct err err;

    arena_init(&arena, SIZE_MAX);
    assert_int_equal(fixture_read_pending(fixture, from, 64, SIZE_MAX, &arena, records, &count, &err), 0);
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(records[i].seq, seqs[i]);
    arena_fini(&arena);
}

static void test_delivered_in_and_out_of_order(void **state)
{
    struct fixture *fixture = *state;
    struct spool_stat stat;
    struct err err;

    for (unsigned i = 1; i <= 10; i++)
        fixture_put(fixture, i, i * 1000);
    fixture_deliver(fixture, 1, 3);
    expect_pending(fixture, 0, (uint64_t[]){3, 4, 5, 6, 7, 8, 9, 10}, 8);
    assert_int_equal(spool_writer_delivered(fixture->writer, (uint64_t[]){9, 5, 6}, 3, &err), 0);
    expect_pending(fixture, 0, (uint64_t[]){3, 4, 7, 8, 10}, 5);
    expect_pending(fixture, 5, (uint64_t[]){7, 8, 10}, 3);
    expect_pending(fixture, 11, NULL, 0);
    fixture_check(fixture->spool, 5, 5, 5000, SPOOL_DELIVERED);
    fixture_check(fixture->spool, 7, 7, 7000, SPOOL_PENDING);
    stat = fixture_stat(fixture->spool);
    assert_int_equal(stat.pending_records, 5);
    assert_int_equal(stat.pending_bytes, (3 + 4 + 7 + 8 + 10) * 1000);
    assert_int_equal(stat.pending_spans, 3 + 4 + 7 + 8 + 10 + 5);

    /* What is not pending, or never was, is passed over: nothing is counted twice, and what comes is not lost. */
    assert_int_equal(spool_writer_delivered(fixture->writer, (uint64_t[]){0, 1, 5, 11, 12, SPOOL_SEQ_OPEN}, 6, &err),
                     0);
    stat = fixture_stat(fixture->spool);
    assert_int_equal(stat.pending_records, 5);
    assert_int_equal(fixture_put(fixture, 11, 100), 11);
    expect_pending(fixture, 8, (uint64_t[]){8, 10, 11}, 3);

    fixture_close(fixture);
    fixture_open(fixture);
    expect_pending(fixture, 0, (uint64_t[]){3, 4, 7, 8, 10, 11}, 6);
    fixture_deliver(fixture, 3, 12);
    stat = fixture_stat(fixture->spool);
    assert_int_equal(stat.pending_records, 0);
    assert_int_equal(stat.pending_spans, 0);
    assert_int_equal(stat.pending_bytes, 0);
    assert_int_equal(stat.oldest_pending_ns, 0);
    assert_int_equal(stat.history_records, 11);
    assert_int_equal(stat.delivered_spans, stat.received_spans);
}

static void test_read_pending_keeps_to_its_bounds(void **state)
{
    struct fixture *fixture = *state;
    struct spool_record records[16];
    struct arena arena;
    size_t count;
    struct err err;

    for (unsigned i = 1; i <= 8; i++)
        fixture_put(fixture, i, 3 << 20); /* several read transactions */
    arena_init(&arena, SIZE_MAX);
    assert_int_equal(fixture_read_pending(fixture, 1, 16, SIZE_MAX, &arena, records, &count, &err), 0);
    assert_int_equal(count, 8);
    assert_int_equal(records[7].payload.len, 3 << 20);
    assert_int_equal(fixture_read_pending(fixture, 1, 3, SIZE_MAX, &arena, records, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_int_equal(fixture_read_pending(fixture, 1, 16, 7 << 20, &arena, records, &count, &err), 0);
    assert_int_equal(count, 2);
    assert_int_equal(fixture_read_pending(fixture, 4, 16, 1, &arena, records, &count, &err), 0);
    assert_int_equal(count, 1); /* the first whatever its size */
    assert_int_equal(records[0].seq, 4);
    arena_fini(&arena);
}

static void test_list_shows_headers_of_all(void **state)
{
    struct fixture *fixture = *state;
    struct spool_record records[4];
    size_t count;
    struct err err;

    for (unsigned i = 1; i <= 6; i++)
        fixture_put(fixture, i, i * 100000);
    fixture_deliver(fixture, 1, 4);
    assert_int_equal(spool_list(fixture->spool, 0, 4, records, &count, &err), 0);
    assert_int_equal(count, 4);
    assert_int_equal(records[2].state, SPOOL_DELIVERED);
    assert_int_equal(records[3].state, SPOOL_PENDING);
    assert_int_equal(records[3].stored_bytes, 400000);
    assert_int_equal(records[3].payload.len, 0);
    assert_int_equal(spool_list(fixture->spool, 5, 4, records, &count, &err), 0);
    assert_int_equal(count, 2);
    assert_int_equal(records[1].seq, 6);
}

static void test_delivered_fault_tells_the_caller_and_takes_nothing(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seq = fixture_put(fixture, 1, 1000);
    struct err err;

    fixture_fault("spool.delivered", 1, ENOMEM);
    assert_int_equal(spool_writer_delivered(fixture->writer, &seq, 1, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(fixture_stat(fixture->spool).pending_records, 1);
    assert_int_equal(spool_writer_delivered(fixture->writer, &seq, 1, &err), 0);
    assert_int_equal(fixture_stat(fixture->spool).pending_records, 0);
}

/* --- parking and notes ----------------------------------------------------- */

static void test_park_and_list_parked(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t big[3 << 20];
    struct spool_parked parked = {.seq = 7,
                                  .index = 3,
                                  .reason = SPOOL_PARK_REFUSED,
                                  .code = -17280,
                                  .attempts = 2,
                                  .spans = 1,
                                  .parked_ns = 1234,
                                  .received_ns = 999,
                                  .text = "key too large to index",
                                  .payload = slice_of("span", 4)};
    struct spool_parked listed[8];
    struct spool_parked two[] = {
        {.seq = 7, .index = 1, .reason = SPOOL_PARK_UNDECODABLE, .text = "", .payload = slice_of(big, sizeof(big))},
        {.seq = 2, .reason = SPOOL_PARK_DAMAGED}};
    struct arena arena;
    size_t count;
    uint64_t of_one;
    struct err err;

    fixture_fill(big, 1, sizeof(big));
    arena_init(&arena, SIZE_MAX);
    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    assert_int_equal(spool_writer_park(fixture->writer, two, 2, &err), 0);
    parked.attempts = 3;
    parked.text = "again"; /* in place of the first */
    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    assert_int_equal(fixture_stat(fixture->spool).parked_entries, 3);
    fixture_close(fixture);
    fixture_open(fixture);

    assert_int_equal(spool_list_parked(fixture->spool, 0, 0, 8, &arena, listed, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_int_equal(listed[0].seq, 2);
    assert_int_equal(listed[0].reason, SPOOL_PARK_DAMAGED);
    assert_int_equal(listed[0].payload.len, 0);
    assert_string_equal(listed[0].text, "");
    assert_int_equal(listed[1].index, 1);
    assert_true(slice_equal(listed[1].payload, slice_of(big, sizeof(big))));
    assert_int_equal(listed[2].seq, 7);
    assert_int_equal(listed[2].index, 3);
    assert_int_equal(listed[2].reason, SPOOL_PARK_REFUSED);
    assert_int_equal(listed[2].code, -17280);
    assert_int_equal(listed[2].attempts, 3);
    assert_int_equal(listed[2].spans, 1);
    assert_int_equal(listed[2].parked_ns, 1234);
    assert_int_equal(listed[2].received_ns, 999);
    assert_string_equal(listed[2].text, "again");
    assert_true(slice_equal(listed[2].payload, slice_of("span", 4)));

    assert_int_equal(spool_list_parked(fixture->spool, 7, 2, 8, &arena, listed, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(spool_list_parked(fixture->spool, 7, 4, 8, &arena, listed, &count, &err), 0);
    assert_int_equal(count, 0);
    assert_int_equal(spool_list_parked(fixture->spool, 0, 0, 2, &arena, listed, &count, &err), 0);
    assert_int_equal(count, 2);
    for (uint64_t seq = 1; seq < 10; seq++) {
        assert_int_equal(spool_count_parked(fixture->spool, seq, &of_one, &err), 0);
        assert_int_equal(of_one, seq == 7 ? 2 : seq == 2);
    }

    assert_int_equal(spool_list_parked_before(fixture->spool, UINT64_MAX, 0, 8, &arena, listed, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_int_equal(listed[0].seq, 7);
    assert_int_equal(listed[0].index, 3);
    assert_int_equal(listed[1].index, 1);
    assert_true(slice_equal(listed[1].payload, slice_of(big, sizeof(big))));
    assert_int_equal(listed[2].seq, 2);
    assert_int_equal(spool_list_parked_before(fixture->spool, 7, 3, 1, &arena, listed, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(listed[0].index, 1);
    assert_int_equal(spool_list_parked_before(fixture->spool, 2, 0, 8, &arena, listed, &count, &err), 0);
    assert_int_equal(count, 0);
    arena_fini(&arena);
    arena_init(&arena, 1 << 20);
    assert_int_equal(spool_list_parked(fixture->spool, 7, 1, 1, &arena, listed, &count, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "no memory for a parked entry");
    arena_fini(&arena);
}

static void test_note_delivery_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct spool_delivery delivery = {
        .state = SPOOL_DELIVERY_BACKING_OFF, .since_ns = 5, .last_ok_ns = 4, .attempts = 17, .text = "no primary"};
    struct spool_stat stat;
    struct err err;

    assert_int_equal(spool_writer_note_delivery(fixture->writer, &delivery, &err), 0);
    fixture_close(fixture);
    fixture_open(fixture);
    stat = fixture_stat(fixture->spool);
    assert_int_equal(stat.delivery.state, SPOOL_DELIVERY_BACKING_OFF);
    assert_int_equal(stat.delivery.since_ns, 5);
    assert_int_equal(stat.delivery.last_ok_ns, 4);
    assert_int_equal(stat.delivery.attempts, 17);
    assert_string_equal(stat.delivery.text, "no primary");
    assert_string_equal(spool_delivery_state_name(stat.delivery.state), "backing off");
    assert_string_equal(spool_park_reason_name(SPOOL_PARK_UNDECODABLE), "undecodable");
}

static void test_stat_and_metrics_are_right(void **state)
{
    struct fixture *fixture = *state;
    struct spool_stat stat;

    for (unsigned i = 1; i <= 5; i++)
        fixture_put(fixture, i, 10000);
    fixture_deliver(fixture, 1, 3);
    stat = fixture_stat(fixture->spool);
    assert_int_equal(stat.next_seq, 6);
    assert_int_equal(stat.received_records, 5);
    assert_int_equal(stat.received_spans, 2 + 3 + 4 + 5 + 6);
    assert_int_equal(stat.delivered_spans, 2 + 3);
    assert_int_equal(stat.pending_spans, 4 + 5 + 6);
    assert_int_equal(stat.history_records, 2);
    assert_int_equal(stat.evicted_records, 0);
    assert_int_equal(stat.oldest_record_ns, 1000001);
    assert_int_equal(stat.oldest_pending_ns, 1000003);
    assert_int_equal(stat.newest_received_ns, 1000005);
    assert_true(stat.used_bytes >= 5 * 3 * 4096 && stat.used_bytes < 200000);
    spool_refresh_metrics(fixture->spool);
    assert_int_equal(metrics_get(METRIC_SPOOL_SIZE_BYTES), FIXTURE_SIZE);
    assert_int_equal(metrics_get(METRIC_SPOOL_USED_BYTES), stat.used_bytes);
    assert_int_equal(metrics_get(METRIC_SPOOL_PENDING_RECORDS), 3);
    assert_int_equal(metrics_get(METRIC_SPOOL_PENDING_SPANS), 15);
    assert_int_equal(metrics_get(METRIC_SPOOL_PENDING_BYTES), 30000);
    assert_true(metrics_get(METRIC_SPOOL_OLDEST_PENDING_SECONDS) > 1000000000); /* it was received in 1970 */
}

/* --- waiting and stopping -------------------------------------------------- */

struct waiter {
    struct spool_writer *writer;
    uint64_t from;
    uint64_t next_seq;
    sem_t returned;
};

static void *wait_for_record(void *context)
{
    struct waiter *waiter = context;

    waiter->next_seq = spool_writer_wait(waiter->writer, waiter->from, clock_mono_ns() + FIXTURE_WAIT_S * NS_PER_S);
    sem_post(&waiter->returned);
    return NULL;
}

static bool has_returned(void *context)
{
    struct waiter *waiter = context;

    return sem_trywait(&waiter->returned) == 0;
}

static void test_wait_returns_when_the_record_is_there(void **state)
{
    struct fixture *fixture = *state;
    struct waiter waiter = {.writer = fixture->writer, .from = 3};
    pthread_t thread;

    sem_init(&waiter.returned, 0, 0);
    assert_int_equal(spool_writer_wait(fixture->writer, 1, clock_mono_ns()), 1); /* the deadline has passed */
    assert_int_equal(pthread_create(&thread, NULL, wait_for_record, &waiter), 0);
    for (unsigned i = 1; i <= 3; i++)
        fixture_put(fixture, i, 100);
    fixture_until(has_returned, &waiter);
    pthread_join(thread, NULL);
    assert_int_equal(waiter.next_seq, 4);
    assert_int_equal(spool_writer_wait(fixture->writer, 2, UINT64_MAX / 2), 4); /* at once */
}

struct waker {
    struct waiter waiter;
    struct spool_writer *writer;
};

/* Wakes until the waiter is back: it may not have been waiting yet at the first. */
static bool wake_and_look(void *context)
{
    struct waker *waker = context;

    spool_writer_wake(waker->writer, false);
    return has_returned(&waker->waiter);
}

static void test_wake_ends_the_waits(void **state)
{
    struct fixture *fixture = *state;
    struct waker waker = {.waiter = {.writer = fixture->writer, .from = 1}, .writer = fixture->writer};
    pthread_t thread;

    sem_init(&waker.waiter.returned, 0, 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_record, &waker.waiter), 0);
    fixture_until(wake_and_look, &waker);
    pthread_join(thread, NULL);
    assert_int_equal(waker.waiter.next_seq, 1);
    spool_writer_wake(fixture->writer, true);
    assert_int_equal(spool_writer_wait(fixture->writer, 1, UINT64_MAX / 2), 1);
    assert_int_equal(spool_writer_wait(fixture->writer, 1, UINT64_MAX / 2), 1);
}

struct stopper {
    struct spool_writer *writer;
    pthread_t thread;
};

static void *stop(void *context)
{
    struct stopper *stopper = context;

    spool_writer_stop(stopper->writer);
    return NULL;
}

static bool admits_no_more(void *context)
{
    return !spool_writer_admits(context);
}

static void test_stop_commits_what_is_queued_and_refuses_the_rest(void **state)
{
    struct fixture *fixture = *state;
    static struct fixture_put puts[20], late;
    struct stopper stopper = {.writer = fixture->writer};
    struct blocker blocker;
    struct spool_put first;
    uint64_t seq = 1;
    struct err err;

    block_writer(fixture, &first, &blocker);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(fixture_put_start(fixture, &puts[i], i, 5000, &err), 0);
    assert_int_equal(pthread_create(&stopper.thread, NULL, stop, &stopper), 0);
    fixture_until(admits_no_more, fixture->writer);
    assert_int_equal(fixture_put_start(fixture, &late, 1, 1, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "the spool is stopping");
    assert_int_equal(spool_writer_delivered(fixture->writer, &seq, 1, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_string_equal(err.text, "the spool is stopping");
    sem_post(&blocker.go_on);
    pthread_join(stopper.thread, NULL);
    fixture->writer = NULL;
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(puts[i].tells, 1);
        assert_false(puts[i].failed);
        fixture_check(fixture->spool, puts[i].put.seq, i, 5000, SPOOL_PENDING);
        fixture_put_fini(&puts[i]);
    }
    fixture_put_fini(&late);
    spool_writer_stop(NULL);
    spool_close(NULL);
}

#define WRITER_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WRITER_TEST(test_put_of_any_size_is_read_back_and_survives_a_restart),
        WRITER_TEST(test_put_that_can_never_fit_is_refused_for_good),
        WRITER_TEST(test_read_into_a_full_arena_is_busy),
        WRITER_TEST(test_put_from_many_threads_tells_each_once_and_loses_none),
        WRITER_TEST(test_put_what_gathers_during_a_commit_is_one_transaction),
        WRITER_TEST(test_put_when_the_queue_is_full_is_busy),
        WRITER_TEST(test_put_fault_in_the_queue_is_busy),
        WRITER_TEST(test_delivered_in_and_out_of_order),
        WRITER_TEST(test_read_pending_keeps_to_its_bounds),
        WRITER_TEST(test_list_shows_headers_of_all),
        WRITER_TEST(test_delivered_fault_tells_the_caller_and_takes_nothing),
        WRITER_TEST(test_park_and_list_parked),
        WRITER_TEST(test_note_delivery_is_kept),
        WRITER_TEST(test_stat_and_metrics_are_right),
        WRITER_TEST(test_wait_returns_when_the_record_is_there),
        WRITER_TEST(test_wake_ends_the_waits),
        WRITER_TEST(test_stop_commits_what_is_queued_and_refuses_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
