/*
 * The walk: files that LMDB leaves are sound, whatever happened to them.  What
 * each rule finds is in test_spool_walk_rules.c.
 */
#include "spool_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "spool_internal.h"
#include "spool_walk.h"

static const struct spool_walk_options newest;

static int walk_path(const char *path, const struct spool_walk_options *options, struct spool_walk_report *report,
                     struct err *err)
{
    int fd = open(path, O_RDONLY), rc;

    assert_int_not_equal(fd, -1);
    rc = spool_walk(fd, options, report, err);
    close(fd);
    return rc;
}

static void data_path(const struct fixture *fixture, char out[128])
{
    snprintf(out, 128, "%s/data.mdb", fixture->path);
}

static struct spool_walk_report sound(const struct fixture *fixture)
{
    struct spool_walk_report report;
    struct err err = {.text = ""};
    char path[128];

    data_path(fixture, path);
    if (walk_path(path, &newest, &report, &err) == -1)
        fail_msg("%s", err.text);
    assert_true(report.used_pages + report.free_pages + report.lost_pages == report.touched_pages);
    assert_int_equal(report.lost_pages, 0);
    assert_int_equal(report.newer_txnid, 0);
    return report;
}

static const struct spool_walk_database *database(const struct spool_walk_report *report, const char *name)
{
    for (unsigned i = 0; i < report->database_count; i++) {
        if (strcmp(report->databases[i].name, name) == 0)
            return &report->databases[i];
    }
    fail_msg("no database %s", name);
    return NULL;
}

/* --- sound files ----------------------------------------------------------- */

static void test_walk_of_an_empty_spool(void **state)
{
    struct fixture *fixture = *state;
    struct spool_walk_report report = sound(fixture);

    assert_int_equal(report.database_count, 7);
    assert_int_equal(database(&report, "main")->entries, 5);
    assert_int_equal(database(&report, "records")->entries, 0);
    assert_int_equal(database(&report, "pending")->entries, 1);
    assert_int_equal(report.map_bytes, FIXTURE_SIZE);
    fixture_close(fixture);
    sound(fixture);
}

static void test_walk_of_an_environment_without_a_transaction(void **state)
{
    struct fixture *fixture = *state;
    struct spool_walk_report report;
    char path[128];
    MDB_env *env;

    fixture_close(fixture);
    data_path(fixture, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, fixture->path, 0, 0600), 0);
    mdb_env_close(env);
    report = sound(fixture);
    assert_int_equal(report.txnid, 0);
    assert_int_equal(report.used_pages, 2);
    assert_int_equal(unlink(path), 0);
    fixture_open(fixture);
}

static void test_walk_of_a_ring_that_has_turned(void **state)
{
    struct fixture *fixture = *state;
    struct spool_walk_report report;
    uint64_t delivered = 1;

    fixture_fini(fixture);
    fixture_init(fixture, 16UL << 20);
    fixture_open(fixture);
    for (uint64_t i = 1; i <= 3000; i++) {
        size_t len = (size_t)(i * 7919 % 37 == 0 ? 400000 : i * 104729 % 11000);
        struct err err;

        while (fixture_try_put(fixture, i, len, &err) == 0) {
            uint64_t next = fixture_stat(fixture->spool).next_seq;

            fixture_deliver(fixture, delivered, next);
            delivered = next;
        }
        if (i % 100 == 0)
            sound(fixture);
    }
    report = sound(fixture);
    assert_true(fixture_stat(fixture->spool).evicted_records > 1000);
    assert_true(database(&report, "records")->depth >= 2);
    assert_true(database(&report, "records")->overflow_pages > 1000);
    assert_true(report.free_pages > 0);
}

static void test_walk_of_held_and_parked(void **state)
{
    struct fixture *fixture = *state;
    uint8_t payload[50000] = {0};
    struct spool_walk_report report;
    struct err err;

    for (uint64_t seq = 1; seq <= 300; seq++) {
        struct spool_parked parked = {.seq = seq, .reason = SPOOL_PARK_REFUSED, .text = "why"};

        fixture_put(fixture, seq, (size_t)(seq * 997 % 5000));
        if (seq % 3 == 0) {
            parked.whole = true;
            assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
        } else if (seq % 3 == 1) {
            parked.index = 7;
            parked.payload = slice_of(payload, (size_t)(seq * 499 % sizeof(payload)));
            assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
        }
        if (seq % 20 == 0)
            sound(fixture);
    }
    report = sound(fixture);
    assert_int_equal(database(&report, "held")->entries, 100);
    assert_int_equal(database(&report, "pending")->entries, 101);
}

/* --- killed ------------------------------------------------------------------ */

/* Up to 20 of those that wait: the oldest, so that a spool that they fill has room again. */
static void deliver_oldest(struct fixture *fixture)
{
    struct spool_want want = {.end = SPOOL_OLDEST, .max_records = 20, .max_bytes = SIZE_MAX};
    struct spool_record records[20];
    struct err err;
    size_t count;

    assert_int_equal(spool_read_pending(fixture->spool, &want, NULL, records, &count, &err), 0);
    for (size_t i = 0; i < count; i++)
        fixture_deliver(fixture, records[i].seq, records[i].seq + 1);
}

/* The child: all that a daemon writes, until it is killed.  A byte for each record that it has put or tried to. */
static void work_until_killed(struct fixture *fixture, int tried)
{
    fixture_open(fixture);
    for (uint64_t i = 1;; i++) {
        struct err err;

        if (fixture_try_put(fixture, i, (size_t)(i * 104729 % (i % 10 == 0 ? 300000 : 9000)), &err) == 0 || i % 20 == 0)
            deliver_oldest(fixture);
        if (write(tried, "", 1) != 1)
            _exit(1);
    }
}

static void kill_after(struct fixture *fixture, const char *point, unsigned countdown)
{
    int ends[2], status;
    char byte;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        close(ends[0]);
        if (point != NULL)
            fixture_fault(point, countdown, FAULT_KILL);
        work_until_killed(fixture, ends[1]);
    }
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1 && (point != NULL || --countdown > 0)) {
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    close(ends[0]);
}

static void test_walk_after_a_kill_at_each_point_and_at_any_time(void **state)
{
    static const char *const points[] = {"spool.begin", "spool.append", "spool.commit", "spool.synced", NULL};
    struct fixture *fixture = *state;

    fixture_fini(fixture);
    fixture_init_fast(fixture, 16UL << 20);
    for (unsigned i = 0; i < 60; i++) {
        kill_after(fixture, points[i % 5], 1 + i * 37 % 100);
        sound(fixture);
    }
    fixture_open(fixture);
    assert_true(fixture_stat(fixture->spool).next_seq > 100);
}

/* --- beside a writer ------------------------------------------------------------ */

static void test_walk_under_a_read_transaction_beside_the_writer(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_put puts[8];
    struct spool_walk_report report;
    struct err err;
    char path[128];
    MDB_txn *txn;

    data_path(fixture, path);
    for (uint64_t round = 0; round < 100; round++) {
        /* One more commit leaves the snapshot's meta page where it is; several may write over it. */
        uint64_t count = round % 2 == 0 ? 1 : 8;
        struct spool_walk_options options;

        assert_int_equal(mdb_txn_begin(fixture->spool->env, NULL, MDB_RDONLY, &txn), 0);
        options = (struct spool_walk_options){.txnid = mdb_txn_id(txn)};
        for (uint64_t i = 0; i < count; i++)
            assert_int_equal(fixture_put_start(fixture, &puts[i], 8 * round + i, (size_t)(i * 7000), &err), 0);
        if (walk_path(path, &options, &report, &err) == 0) {
            assert_int_equal(report.txnid, options.txnid);
        } else {
            assert_int_equal(count, 8);
            assert_int_equal(err.class, ERR_RETRY);
        }
        mdb_txn_abort(txn);
        for (uint64_t i = 0; i < count; i++) {
            fixture_put_wait(&puts[i]);
            fixture_put_fini(&puts[i]);
        }
    }
}

#define WALK_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WALK_TEST(test_walk_of_an_empty_spool),
        WALK_TEST(test_walk_of_an_environment_without_a_transaction),
        WALK_TEST(test_walk_of_a_ring_that_has_turned),
        WALK_TEST(test_walk_of_held_and_parked),
        WALK_TEST(test_walk_after_a_kill_at_each_point_and_at_any_time),
        WALK_TEST(test_walk_under_a_read_transaction_beside_the_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
