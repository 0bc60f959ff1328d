/*
 * The spool as a ring: history makes room, what is pending never does, a full
 * spool refuses and opens again by itself.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "metrics.h"
#include "spool_internal.h"
#include "spool_space.h"

#define SMALL (16UL << 20)
#define IN_FLIGHT 16

static int small_setup(void **state)
{
    return fixture_setup_by(state, fixture_init, SMALL);
}

/* A stream of records: IN_FLIGHT at a time, `lag` of them not delivered. */
struct stream {
    struct fixture *fixture;
    size_t (*size_of)(uint64_t seed);
    uint64_t lag_bytes;
    uint64_t put_count;
    uint64_t delivered; /* seqs up to this one are */
    uint64_t waiting_bytes;
    uint64_t written_bytes;
};

static void put_some(struct stream *stream)
{
    static struct fixture_put puts[IN_FLIGHT];
    struct err err = {.text = ""};

    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        uint64_t seed = ++stream->put_count;

        if (fixture_put_start(stream->fixture, &puts[i], seed, stream->size_of(seed), &err) == -1)
            fail_msg("record %llu: %s", (unsigned long long)seed, err.text);
    }
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        fixture_put_wait(&puts[i]);
        if (puts[i].failed)
            fail_msg("record %llu: %s", (unsigned long long)puts[i].seed, puts[i].failure.text);
        assert_int_equal(puts[i].put.seq, puts[i].seed);
        stream->waiting_bytes += puts[i].put.payload.len;
        stream->written_bytes += puts[i].put.payload.len;
        fixture_put_fini(&puts[i]);
    }
}

static void deliver_some(struct stream *stream)
{
    uint64_t seqs[IN_FLIGHT * 4];
    size_t count = 0;
    struct err err = {.text = ""};

    while (stream->waiting_bytes > stream->lag_bytes && count < sizeof(seqs) / sizeof(seqs[0])) {
        seqs[count++] = ++stream->delivered;
        stream->waiting_bytes -= stream->size_of(stream->delivered);
    }
    if (count > 0 && spool_writer_delivered(stream->fixture->writer, seqs, count, &err) == -1)
        fail_msg("delivered: %s", err.text);
}

/* The oldest went first: what is held is one run of seqs that ends with the newest. */
static void check_held(struct stream *stream)
{
    struct spool_stat stat = fixture_stat(stream->fixture->spool);
    uint64_t oldest = stat.next_seq - stat.pending_records - stat.history_records;

    assert_int_equal(stat.pending_records, stream->put_count - stream->delivered);
    assert_true(stat.history_records > 0);
    assert_false(fixture_exists(stream->fixture->spool, oldest - 1));
    for (uint64_t seq = oldest; seq < stat.next_seq; seq++)
        fixture_check(stream->fixture->spool, seq, seq, stream->size_of(seq),
                      seq <= stream->delivered ? SPOOL_DELIVERED : SPOOL_PENDING);
    assert_int_equal(stat.evicted_records, oldest - 1);
    assert_false(stat.refusing);
}

static void run_stream(struct stream *stream, uint64_t bytes)
{
    while (stream->written_bytes < bytes) {
        put_some(stream);
        deliver_some(stream);
    }
    check_held(stream);
}

static size_t plain_size(uint64_t seed)
{
    return 6600 + seed % 13;
}

static void test_ring_in_steady_state_never_refuses(void **state)
{
    struct stream stream = {.fixture = *state, .size_of = plain_size, .lag_bytes = 1 << 20};
    uint64_t refused = metrics_get(METRIC_SPOOL_REFUSED);

    run_stream(&stream, 20 * SMALL);
    assert_int_equal(metrics_get(METRIC_SPOOL_REFUSED), refused);
    fixture_close(stream.fixture);
    fixture_open(stream.fixture);
    check_held(&stream);
}

/* 3 kB to 2 MiB; one in a hundred is larger than a group of this spool. */
static size_t mixed_size(uint64_t seed)
{
    uint64_t x = seed * 0x9E3779B97F4A7C15ULL >> 40;

    if (seed % 100 == 0)
        return (1 << 20) + x % (1 << 20);
    return seed % 10 == 0 ? 30000 + x % 300000 : 3000 + x % 5000;
}

static void test_ring_of_mixed_sizes_never_refuses(void **state)
{
    struct fixture *fixture = *state;
    struct stream stream = {.fixture = fixture, .size_of = mixed_size, .lag_bytes = 24 << 20};
    struct spool_layout layout;

    fixture_fini(fixture);
    fixture_init(fixture, 48UL << 20);
    fixture_open(fixture);
    run_stream(&stream, 600UL << 20);
    layout = spool_layout_of(48UL << 20, fixture->spool->page_bytes);
    /* It is as full as it may be. */
    assert_true(fixture_stat(fixture->spool).used_bytes / fixture->spool->page_bytes > layout.limit_pages * 9 / 10);
}

/* Puts until the spool is full; the seq of the last one. */
static uint64_t fill_up(struct fixture *fixture, size_t len)
{
    uint64_t seq, last = 0;
    struct err err;

    while ((seq = fixture_try_put(fixture, last + 1, len, &err)) != 0)
        last = seq;
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(err.code, ENOSPC);
    assert_string_equal(err.text, "the spool is full");
    return last;
}

static bool admits(void *context)
{
    return spool_writer_admits(context);
}

static void test_full_spool_refuses_and_opens_again_by_itself(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last, refused = metrics_get(METRIC_SPOOL_REFUSED), next = 1;
    struct spool_stat stat;
    struct err err;

    last = fill_up(fixture, 100000);
    stat = fixture_stat(fixture->spool);
    assert_true(stat.refusing);
    assert_int_equal(stat.pending_records, last);
    assert_int_equal(stat.evicted_records, 0);
    assert_true(stat.used_bytes > SMALL * 8 / 10);
    assert_int_equal(metrics_get(METRIC_SPOOL_REFUSED), refused + 1);
    assert_false(spool_writer_admits(fixture->writer));
    assert_int_equal(fixture_try_put(fixture, 1, 10, &err), 0); /* not even a small one */
    assert_string_equal(err.text, "the spool is full");
    assert_int_equal(metrics_get(METRIC_SPOOL_REFUSED), refused + 2);

    /* A little room is not enough: it would be full again at once. */
    fixture_deliver(fixture, next, next + 1);
    next++;
    assert_false(spool_writer_admits(fixture->writer));
    while (!spool_writer_admits(fixture->writer)) {
        assert_true(next <= last);
        fixture_deliver(fixture, next, next + 1);
        next++;
    }
    assert_true(next < 10); /* a group's worth */
    stat = fixture_stat(fixture->spool);
    assert_false(stat.refusing);
    assert_int_equal(fixture_put(fixture, last + 1, 100000), last + 1); /* the refused one's number was not used up */
    for (uint64_t seq = next; seq <= last; seq++)
        fixture_check(fixture->spool, seq, seq, 100000, SPOOL_PENDING);
}

/* The delay is the longest while nothing is delivered, falls as room comes back, and is the shortest when it is there. */
static void test_full_spool_asks_for_a_delay_by_its_deliveries(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last, next = 1, delay_ms, least_ms = SPOOL_RETRY_MAX_MS;

    assert_int_equal(spool_writer_retry_ms(fixture->writer), SPOOL_RETRY_MIN_MS);
    assert_int_equal(metrics_get(METRIC_SPOOL_RETRY_DELAY_SECONDS), 0);
    last = fill_up(fixture, 20000);
    assert_int_equal(spool_writer_retry_ms(fixture->writer), SPOOL_RETRY_MAX_MS);
    assert_int_equal(metrics_get(METRIC_SPOOL_RETRY_DELAY_SECONDS), SPOOL_RETRY_MAX_MS / 1000);
    while (!spool_writer_admits(fixture->writer)) {
        assert_true(next <= last);
        delay_ms = spool_writer_retry_ms(fixture->writer);
        assert_in_range(delay_ms, SPOOL_RETRY_MIN_MS, SPOOL_RETRY_MAX_MS);
        least_ms = delay_ms < least_ms ? delay_ms : least_ms;
        fixture_deliver(fixture, next, next + 1);
        next++;
    }
    assert_true(least_ms < SPOOL_RETRY_MAX_MS);
    assert_int_equal(spool_writer_retry_ms(fixture->writer), SPOOL_RETRY_MIN_MS);
    assert_int_equal(metrics_get(METRIC_SPOOL_RETRY_DELAY_SECONDS), 0);
}

static void test_full_spool_is_full_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = fill_up(fixture, 20000);

    fixture_close(fixture);
    fixture_open(fixture);
    assert_false(spool_writer_admits(fixture->writer));
    assert_int_equal(spool_writer_retry_ms(fixture->writer), SPOOL_RETRY_MAX_MS);
    assert_true(fixture_stat(fixture->spool).refusing);
    fixture_deliver(fixture, 1, last + 1);
    assert_true(spool_writer_admits(fixture->writer));
    assert_int_equal(fixture_put(fixture, 1, 20000), last + 1);
}

static void test_full_spool_makes_room_for_the_large_record_it_refused(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = 0, next = 1;
    struct err err;

    for (unsigned i = 0; i < 100; i++)
        last = fixture_put(fixture, last + 1, 100000);
    assert_int_equal(fixture_try_put(fixture, last + 1, 6 << 20, &err), 0);
    assert_string_equal(err.text, "the spool is full");
    while (!spool_writer_admits(fixture->writer)) {
        fixture_deliver(fixture, next, next + 1);
        next++;
    }
    assert_int_equal(fixture_put(fixture, last + 1, 6 << 20), last + 1);
    fixture_check(fixture->spool, last + 1, last + 1, 6 << 20, SPOOL_PENDING);
    fixture_check(fixture->spool, next, next, 100000, SPOOL_PENDING);
}

/* Records of several megabytes through the smallest spool: each needs a fifth of it. */
static size_t large_size(uint64_t seed)
{
    return (3 << 20) + seed % 7 * 10000;
}

static void test_ring_of_records_larger_than_a_group(void **state)
{
    struct fixture *fixture = *state;

    for (uint64_t seq = 1; seq <= 60; seq++) {
        assert_int_equal(fixture_put(fixture, seq, large_size(seq)), seq);
        fixture_check(fixture->spool, seq, seq, large_size(seq), SPOOL_PENDING);
        fixture_deliver(fixture, seq, seq + 1);
    }
    assert_true(fixture_stat(fixture->spool).evicted_records >= 55);
}

static void test_eviction_steps_over_what_is_pending(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seqs[64];
    struct err err;

    for (uint64_t seq = 1; seq <= 100; seq++)
        fixture_put(fixture, seq, 100000);
    for (unsigned i = 0; i < 50; i++)
        seqs[i] = 2 * i + 2; /* the even ones */
    assert_int_equal(spool_writer_delivered(fixture->writer, seqs, 50, &err), 0);
    for (uint64_t seq = 101; seq <= 180; seq++)
        fixture_put(fixture, seq, 100000);
    assert_false(fixture_exists(fixture->spool, 2));
    for (uint64_t seq = 1; seq <= 99; seq += 2)
        fixture_check(fixture->spool, seq, seq, 100000, SPOOL_PENDING);
}

/* --- history --------------------------------------------------------------- */

static bool has_no_history(void *context)
{
    return fixture_stat(context).history_records == 0;
}

static void test_history_that_is_too_old_is_removed_when_idle(void **state)
{
    struct fixture *fixture = *state;
    uint64_t commits;

    fixture_close(fixture);
    fixture->options.history_ns = 3600 * NS_PER_S; /* the fixture's records are of 1970 */
    fixture_open(fixture);
    for (uint64_t seq = 1; seq <= 10; seq++)
        fixture_put(fixture, seq, 5000);
    assert_int_equal(fixture_stat(fixture->spool).pending_records, 10);
    fixture_deliver(fixture, 1, 6);
    fixture_until(has_no_history, fixture->spool);
    assert_int_equal(fixture_stat(fixture->spool).pending_records, 5);
    assert_int_equal(fixture_stat(fixture->spool).evicted_records, 5);
    fixture_check(fixture->spool, 6, 6, 5000, SPOOL_PENDING);
    /* Looking around writes nothing when there is nothing to do. */
    commits = metrics_get(METRIC_SPOOL_COMMITS);
    fixture_close(fixture);
    assert_int_equal(metrics_get(METRIC_SPOOL_COMMITS), commits + 1); /* the clean stop */
}

static void test_history_of_many_records_goes_in_bounded_steps(void **state)
{
    struct fixture *fixture = *state;
    struct spool_stat stat;
    uint64_t commits, seqs[1000];
    struct err err;

    for (uint64_t seq = 1; seq <= 1000; seq++) {
        seqs[seq - 1] = seq;
        if (seq % 10 == 0)
            fixture_put(fixture, seq, 500);
        else
            fixture_put(fixture, seq, 1);
    }
    assert_int_equal(spool_writer_delivered(fixture->writer, seqs, 1000, &err), 0);
    fixture_close(fixture);
    fixture->options.history_ns = 0;
    commits = metrics_get(METRIC_SPOOL_COMMITS);
    fixture_open(fixture);
    fixture_until(has_no_history, fixture->spool);
    stat = fixture_stat(fixture->spool);
    assert_int_equal(stat.evicted_records, 1000);
    assert_true(metrics_get(METRIC_SPOOL_COMMITS) - commits >= 1000 / SPOOL_EXPIRE_RECORDS_MAX);
    assert_int_equal(stat.oldest_record_ns, 0);
    assert_int_equal(fixture_put(fixture, 1, 10), 1001);
}

/* --- LMDB and the disk without a page --------------------------------------- */

static void test_map_full_is_tried_again_in_smaller_parts(void **state)
{
    struct fixture *fixture = *state;

    fixture_fault("spool.append", 1, MDB_MAP_FULL);
    assert_int_equal(fixture_put(fixture, 1, 500000), 1);
    fixture_check(fixture->spool, 1, 1, 500000, SPOOL_PENDING);
    assert_true(spool_writer_admits(fixture->writer));
}

/* A reader that stays pins every page that is freed: the ring cannot turn, and says so instead of breaking. */
static void test_map_full_from_a_stuck_reader_refuses_until_it_is_gone(void **state)
{
    struct fixture *fixture = *state;
    struct stream stream = {.fixture = fixture, .size_of = plain_size, .lag_bytes = 0};
    uint64_t seq, last = 0;
    MDB_txn *reader;
    struct err err;

    run_stream(&stream, 2 * SMALL);
    assert_int_equal(mdb_txn_begin(fixture->spool->env, NULL, MDB_RDONLY, &reader), 0);
    while ((seq = fixture_try_put(fixture, 1, 100000, &err)) != 0) {
        fixture_deliver(fixture, seq, seq + 1);
        last = seq;
    }
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(err.code, MDB_MAP_FULL);
    assert_non_null(strstr(err.text, ": MDB_MAP_FULL: Environment mapsize limit reached"));
    assert_false(spool_writer_admits(fixture->writer));
    /* There is room by the count: the next try is what a sender has to wait for. */
    assert_in_range(spool_writer_retry_ms(fixture->writer), SPOOL_RETRY_MIN_MS, SPOOL_HOLD_MS);
    mdb_txn_abort(reader);
    fixture_until(admits, fixture->writer);
    assert_int_equal(fixture_put(fixture, last + 1, 100000), last + 1);
}

static void test_full_disk_refuses_puts_and_takes_deliveries(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    fixture_put(fixture, 1, 1000000);
    fixture_fault("spool.commit", 1, ENOSPC);
    assert_int_equal(fixture_try_put(fixture, 2, 1000, &err), 0);
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(err.code, ENOSPC);
    assert_non_null(strstr(err.text, "cannot commit to spool "));
    assert_non_null(strstr(err.text, ": No space left on device"));
    assert_false(spool_writer_admits(fixture->writer));
    fixture_deliver(fixture, 1, 2);
    assert_int_equal(fixture_stat(fixture->spool).pending_records, 0);
    fixture_until(admits, fixture->writer);
    assert_int_equal(fixture_put(fixture, 2, 1000), 2);
    fixture_check(fixture->spool, 2, 2, 1000, SPOOL_PENDING);
}

/* A limit on the file's length, RLIM_INFINITY for none: to the spool the same as a disk that is full. */
static void limit_file(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int limited_setup(void **state)
{
    limit_file(24 << 20);
    return fixture_setup(state);
}

static int limited_teardown(void **state)
{
    limit_file(RLIM_INFINITY);
    return fixture_teardown(state);
}

static void test_full_disk_is_turned_within(void **state)
{
    struct fixture *fixture = *state;
    struct stream stream = {.fixture = fixture, .size_of = mixed_size, .lag_bytes = 6 << 20};
    uint64_t seq, last = 0;
    struct err err;

    while ((seq = fixture_try_put(fixture, last + 1, mixed_size(last + 1), &err)) != 0)
        last = seq;
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(err.code, EFBIG);
    assert_non_null(strstr(err.text, "cannot extend "));
    assert_non_null(strstr(err.text, "/data.mdb: File too large"));
    assert_false(spool_writer_admits(fixture->writer));
    for (seq = 1; seq <= last; seq++)
        fixture_check(fixture->spool, seq, seq, mixed_size(seq), SPOOL_PENDING);

    /* Once something is delivered the ring turns, in the file that it has. */
    fixture_deliver(fixture, 1, last + 1);
    fixture_until(admits, fixture->writer);
    stream.put_count = stream.delivered = last;
    run_stream(&stream, 100 << 20);

    /* And with room on the disk it goes on growing. */
    limit_file(RLIM_INFINITY);
    stream.lag_bytes = 36 << 20;
    run_stream(&stream, 200 << 20);
    assert_true(fixture_stat(fixture->spool).used_bytes > 36 << 20);
}

#define SHORT_TURNS 2      /* of opening at each limit: free pages are taken in another order every time */
#define SHORT_META_PAGES 2 /* LMDB's, written on their own */
#define SHORT_SPARE_PAGES 16

/* LMDB writes pages that follow each other in one call: when the disk has room for some of them, it says EIO. */
static void test_commit_that_a_full_disk_cuts_short_is_no_failure(void **state)
{
    struct fixture *fixture = *state;
    uint64_t page_bytes = fixture->spool->page_bytes, touched;
    char name[128];

    snprintf(name, sizeof(name), "%s/data.mdb", fixture->path);
    fixture_put(fixture, 1, 1000);
    touched = spool_space_touched(fixture->spool);
    for (uint64_t turn = 0; turn < SHORT_TURNS * (touched + SHORT_SPARE_PAGES - SHORT_META_PAGES); turn++) {
        uint64_t limit_pages = SHORT_META_PAGES + turn / SHORT_TURNS;

        fixture_close(fixture);
        /* Nothing is allocated ahead, so that more blocks are needed at once. */
        assert_int_equal(truncate(name, (off_t)((touched + SHORT_SPARE_PAGES) * page_bytes)), 0);
        limit_file(limit_pages * page_bytes);
        fixture_open(fixture);
        fixture_check(fixture->spool, 1, 1, 1000, SPOOL_PENDING);
        limit_file(RLIM_INFINITY);
    }
    fixture_until(admits, fixture->writer);
    assert_int_equal(fixture_put(fixture, 2, 1000), 2);
}

static void test_disk_that_is_full_for_a_moment_is_not_noticed(void **state)
{
    struct fixture *fixture = *state;

    fixture_fault("spool.grow", 1, ENOSPC); /* a step ahead fails, what is needed goes */
    for (uint64_t seq = 1; seq <= 50; seq++)
        assert_int_equal(fixture_put(fixture, seq, 100000), seq);
    assert_true(spool_writer_admits(fixture->writer));
}

static void test_append_and_begin_faults_refuse_one_group(void **state)
{
    static const char *const points[] = {"spool.append", "spool.begin"};
    struct fixture *fixture = *state;
    struct err err;

    for (size_t i = 0; i < 2; i++) {
        fixture_fault(points[i], 1, ENOMEM);
        assert_int_equal(fixture_try_put(fixture, 1, 1000, &err), 0);
        assert_int_equal(err.class, ERR_BUSY);
        assert_int_equal(err.code, ENOMEM);
        fixture_until(admits, fixture->writer);
        assert_int_equal(fixture_put(fixture, i + 1, 1000), i + 1);
    }
}

/* --- dropping the oldest ------------------------------------------------------ */

static void init_dropping(struct fixture *fixture, uint64_t size_bytes)
{
    fixture_init(fixture, size_bytes);
    fixture->options.drop_oldest = true;
}

static int dropping_setup(void **state)
{
    return fixture_setup_by(state, init_dropping, SMALL);
}

static void test_full_spool_drops_the_oldest_that_wait(void **state)
{
    struct fixture *fixture = *state;
    uint64_t metric_before = metrics_get(METRIC_SPOOL_DROPPED_RECORDS);
    struct spool_stat stat;
    uint64_t last = 0;

    /* Three times what it holds, nothing delivered. */
    for (uint64_t seed = 1; seed <= 3 * SMALL / 100000; seed++)
        last = fixture_put(fixture, seed, 100000);
    stat = fixture_stat(fixture->spool);
    assert_true(stat.dropped_records > 0);
    assert_int_equal(stat.dropped_records + stat.pending_records, last);
    assert_int_equal(metrics_get(METRIC_SPOOL_DROPPED_RECORDS) - metric_before, stat.dropped_records);
    assert_false(stat.refusing);
    assert_int_equal(stat.evicted_records, 0);
    /* What is left is the newest, whole. */
    assert_false(fixture_exists(fixture->spool, stat.dropped_records));
    for (uint64_t seq = stat.dropped_records + 1; seq <= last; seq++)
        fixture_check(fixture->spool, seq, seq, 100000, SPOOL_PENDING);
}

static void test_dropping_takes_history_first_and_never_what_is_held(void **state)
{
    struct fixture *fixture = *state;
    struct spool_parked parked = {.seq = 1, .whole = true, .reason = SPOOL_PARK_UNDECODABLE, .text = "cannot be read"};
    struct err err;

    fixture_put(fixture, 1, 100000);
    fixture_put(fixture, 2, 100000);
    fixture_put(fixture, 3, 100000);
    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    fixture_deliver(fixture, 3, 4);
    for (uint64_t seed = 4; fixture_exists(fixture->spool, 2); seed++)
        fixture_put(fixture, seed, 100000);
    assert_false(fixture_exists(fixture->spool, 3));
    assert_int_equal(fixture_stat(fixture->spool).evicted_records, 1);
    assert_int_equal(fixture_stat(fixture->spool).dropped_records, 1);
    fixture_check(fixture->spool, 1, 1, 100000, SPOOL_HELD);
}

static void test_dropping_starts_on_a_full_spool_without_refusing(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = 0;

    while (fixture_stat(fixture->spool).dropped_records == 0)
        last = fixture_put(fixture, last + 1, 100000);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_true(spool_writer_admits(fixture->writer));
    assert_int_equal(fixture_put(fixture, 7, 100000), last + 1);
}

static void test_dropped_in_hand_is_no_error_when_it_is_delivered(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = 0, delivered;

    while (fixture_stat(fixture->spool).dropped_records < 3)
        last = fixture_put(fixture, last + 1, 100000);
    delivered = fixture_stat(fixture->spool).delivered_spans;
    fixture_deliver(fixture, 1, 4);
    assert_int_equal(fixture_stat(fixture->spool).delivered_spans, delivered);
}

/* --- refusing is counted ------------------------------------------------------ */

static void test_time_spent_refusing_is_counted(void **state)
{
    struct fixture *fixture = *state;
    uint64_t before = metrics_get(METRIC_SPOOL_REFUSING_SECONDS), last = 0, counted;
    struct err err;

    for (uint64_t seq; (seq = fixture_try_put(fixture, last + 1, 100000, &err)) != 0;)
        last = seq;
    assert_int_equal(metrics_get(METRIC_SPOOL_REFUSING), 1);
    while (metrics_get(METRIC_SPOOL_REFUSING_SECONDS) == before)
        fixture_deliver(fixture, 0, 1); /* nothing is: but a transaction looks at the clock */
    fixture_deliver(fixture, 1, last + 1);
    while (fixture_try_put(fixture, 1, 100000, &err) == 0) {
    }
    assert_int_equal(metrics_get(METRIC_SPOOL_REFUSING), 0);
    counted = metrics_get(METRIC_SPOOL_REFUSING_SECONDS);
    fixture_put(fixture, 2, 100000);
    assert_int_equal(metrics_get(METRIC_SPOOL_REFUSING_SECONDS), counted);
}

#define DROP_TEST(test) cmocka_unit_test_setup_teardown(test, dropping_setup, fixture_teardown)
#define RING_TEST(test) cmocka_unit_test_setup_teardown(test, small_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RING_TEST(test_ring_in_steady_state_never_refuses),
        RING_TEST(test_ring_of_mixed_sizes_never_refuses),
        RING_TEST(test_ring_of_records_larger_than_a_group),
        RING_TEST(test_full_spool_refuses_and_opens_again_by_itself),
        RING_TEST(test_full_spool_asks_for_a_delay_by_its_deliveries),
        RING_TEST(test_full_spool_is_full_after_a_restart),
        RING_TEST(test_time_spent_refusing_is_counted),
        DROP_TEST(test_full_spool_drops_the_oldest_that_wait),
        DROP_TEST(test_dropping_takes_history_first_and_never_what_is_held),
        DROP_TEST(test_dropping_starts_on_a_full_spool_without_refusing),
        DROP_TEST(test_dropped_in_hand_is_no_error_when_it_is_delivered),
        RING_TEST(test_full_spool_makes_room_for_the_large_record_it_refused),
        RING_TEST(test_eviction_steps_over_what_is_pending),
        RING_TEST(test_history_that_is_too_old_is_removed_when_idle),
        RING_TEST(test_history_of_many_records_goes_in_bounded_steps),
        RING_TEST(test_map_full_is_tried_again_in_smaller_parts),
        RING_TEST(test_map_full_from_a_stuck_reader_refuses_until_it_is_gone),
        RING_TEST(test_full_disk_refuses_puts_and_takes_deliveries),
        cmocka_unit_test_setup_teardown(test_commit_that_a_full_disk_cuts_short_is_no_failure, small_setup,
                                        limited_teardown),
        RING_TEST(test_disk_that_is_full_for_a_moment_is_not_noticed),
        cmocka_unit_test_setup_teardown(test_full_disk_is_turned_within, limited_setup, limited_teardown),
        RING_TEST(test_append_and_begin_faults_refuse_one_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
