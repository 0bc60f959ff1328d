/*
 * A process that is killed, and one whose disk fails: after it, exactly what
 * was acknowledged must be there, intact.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"

#define CRASH_PUTS 400
#define FATAL_STATUS 42

/* What the child tells of each acknowledged record, and of each delivered one. */
struct report {
    uint64_t seq;
    uint64_t seed;
    bool delivered;
};

static int report_fd;

static size_t size_of(uint64_t seed)
{
    return seed % 9 == 0 ? 300000 : seed * 131 % 12000;
}

/* A pipe's write of this size is whole, so a report is there or is not. */
static void report(uint64_t seq, uint64_t seed, bool delivered)
{
    struct report out = {.seq = seq, .seed = seed, .delivered = delivered};

    if (write(report_fd, &out, sizeof(out)) != sizeof(out))
        _exit(3);
}

static void on_done(struct spool_put *put, const struct err *failure)
{
    if (failure != NULL)
        _exit(4);
    report(put->seq, (uint64_t)(uintptr_t)put->context, false);
}

static void on_fatal(const struct err *err)
{
    _exit(err->class == ERR_FATAL && strstr(err->text, "Input/output error") != NULL ? FATAL_STATUS : 5);
}

/* The child: puts and delivers until it is killed. */
static void work_until_killed(struct fixture *fixture, const char *point, unsigned countdown, int action)
{
    static struct spool_put puts[CRASH_PUTS];
    struct err err;

    if (spool_open(&fixture->spool, &fixture->options, &err) == -1 ||
        spool_writer_start(&fixture->writer, fixture->spool, on_fatal, &err) == -1)
        _exit(6);
    if (point != NULL)
        fixture_fault(point, countdown, action);
    for (uint64_t seed = 1; seed <= CRASH_PUTS; seed++) {
        uint8_t *bytes = malloc(size_of(seed) + 1);

        fixture_fill(bytes, seed, size_of(seed));
        puts[seed - 1] = (struct spool_put){
            .payload = slice_of(bytes, size_of(seed)),
            .raw_bytes = size_of(seed) * 3,
            .received_ns = 1000000 + seed,
            .spans = (uint32_t)(seed % 100 + 1),
            .codec = (uint8_t)(seed % 3),
            .done = on_done,
            .context = (void *)(uintptr_t)seed,
        };
        if (spool_writer_put(fixture->writer, &puts[seed - 1], &err) == -1)
            _exit(7);
        if (seed % 10 == 0) {
            uint64_t seq = seed / 10;

            spool_writer_wait(fixture->writer, seq, UINT64_MAX / 2); /* what is not there yet cannot be delivered */
            if (spool_writer_delivered(fixture->writer, &seq, 1, &err) == 0)
                report(seq, 0, true);
        }
    }
    spool_writer_stop(fixture->writer);
    _exit(0);
}

/* Runs the child; what it reported, and how it ended. */
static size_t run_child(struct fixture *fixture, const char *point, unsigned countdown, int action,
                        struct report reports[2 * CRASH_PUTS], int *status)
{
    size_t count = 0;
    int ends[2];
    pid_t child;

    if (point != NULL)
        fixture_fault(point, 0, action); /* disarmed here; it is the child that fails */
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        close(ends[0]);
        report_fd = ends[1];
        work_until_killed(fixture, point, countdown, action);
    }
    close(ends[1]);
    while (count < 2 * CRASH_PUTS && read(ends[0], &reports[count], sizeof(reports[0])) == sizeof(reports[0]))
        count++;
    close(ends[0]);
    assert_int_equal(waitpid(child, status, 0), child);
    return count;
}

/* Opens what the child left, and compares. Returns how many records it acknowledged. */
static unsigned check_left(struct fixture *fixture, const struct report *reports, size_t count)
{
    uint64_t seeds[CRASH_PUTS + 1] = {0};
    bool delivered[CRASH_PUTS + 1] = {false};
    unsigned acknowledged = 0;
    uint64_t held, pending = 0;
    struct spool_stat stat;

    for (size_t i = 0; i < count; i++) {
        assert_in_range(reports[i].seq, 1, CRASH_PUTS);
        if (reports[i].delivered) {
            delivered[reports[i].seq] = true;
            continue;
        }
        assert_int_equal(seeds[reports[i].seq], 0);
        seeds[reports[i].seq] = reports[i].seed;
        acknowledged++;
    }
    fixture_open(fixture);
    stat = fixture_stat(fixture->spool);
    held = stat.next_seq - 1;
    assert_int_equal(stat.received_records, held);
    assert_true(held >= acknowledged);
    /* One thread puts, so seqs are seeds: what was stored and not yet told is whole as well. */
    for (uint64_t seq = 1; seq <= held; seq++) {
        struct spool_record record;
        size_t listed;

        assert_int_equal(spool_list(fixture->spool, seq, 1, &record, &listed, NULL), 0);
        assert_int_equal(listed, 1);
        if (delivered[seq])
            assert_int_equal(record.state, SPOOL_DELIVERED);
        pending += record.state == SPOOL_PENDING ? 1 : 0;
        fixture_check(fixture->spool, seq, seq, size_of(seq), record.state);
    }
    for (uint64_t seq = 1; seq <= CRASH_PUTS; seq++)
        assert_true(seeds[seq] == 0 || (seeds[seq] == seq && seq <= held));
    assert_int_equal(stat.pending_records, pending);
    assert_int_equal(fixture_put(fixture, 1, 100), held + 1);
    return acknowledged;
}

static void crash_at(struct fixture *fixture, const char *point, unsigned countdown)
{
    static struct report reports[2 * CRASH_PUTS];
    size_t count;
    int status;

    fixture_fini(fixture);
    fixture_init(fixture, FIXTURE_SIZE);
    count = run_child(fixture, point, countdown, FAULT_KILL, reports, &status);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    check_left(fixture, reports, count);
}

static void test_kill_while_appending_loses_nothing_acknowledged(void **state)
{
    for (unsigned countdown = 1; countdown <= 301; countdown += 60)
        crash_at(*state, "spool.append", countdown);
}

static void test_kill_before_the_commit_loses_nothing_acknowledged(void **state)
{
    for (unsigned countdown = 1; countdown <= 31; countdown += 6)
        crash_at(*state, "spool.commit", countdown);
}

static void test_kill_after_the_commit_loses_nothing_acknowledged(void **state)
{
    for (unsigned countdown = 1; countdown <= 31; countdown += 6)
        crash_at(*state, "spool.synced", countdown);
}

static void test_no_kill_acknowledges_all(void **state)
{
    struct fixture *fixture = *state;
    static struct report reports[2 * CRASH_PUTS];
    size_t count;
    int status;

    fixture_fini(fixture);
    fixture_init(fixture, FIXTURE_SIZE);
    count = run_child(fixture, NULL, 0, 0, reports, &status);
    assert_int_equal(status, 0);
    assert_int_equal(check_left(fixture, reports, count), CRASH_PUTS);
}

/* A failed sync: nobody is told, the process ends, the next one goes on from what is on disk. */
static void test_failed_commit_is_fatal(void **state)
{
    struct fixture *fixture = *state;
    static struct report reports[2 * CRASH_PUTS];
    size_t count;
    int status;

    fixture_fini(fixture);
    fixture_init(fixture, FIXTURE_SIZE);
    count = run_child(fixture, "spool.commit", 5, EIO, reports, &status);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), FATAL_STATUS);
    check_left(fixture, reports, count);
}

static void test_failed_append_is_fatal(void **state)
{
    struct fixture *fixture = *state;
    static struct report reports[2 * CRASH_PUTS];
    size_t count;
    int status;

    fixture_fini(fixture);
    fixture_init(fixture, FIXTURE_SIZE);
    count = run_child(fixture, "spool.append", 50, EIO, reports, &status);
    assert_int_equal(WEXITSTATUS(status), FATAL_STATUS);
    check_left(fixture, reports, count);
}

#define CRASH_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CRASH_TEST(test_no_kill_acknowledges_all),
        CRASH_TEST(test_kill_while_appending_loses_nothing_acknowledged),
        CRASH_TEST(test_kill_before_the_commit_loses_nothing_acknowledged),
        CRASH_TEST(test_kill_after_the_commit_loses_nothing_acknowledged),
        CRASH_TEST(test_failed_commit_is_fatal),
        CRASH_TEST(test_failed_append_is_fatal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
