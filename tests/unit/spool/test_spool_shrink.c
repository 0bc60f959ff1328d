/*
 * A spool that is opened with a smaller size than its file was used up to: what
 * is not delivered comes along, history as far as it fits, and nothing is lost
 * by a crash or a full disk on the way.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "spool_aside.h"
#include "spool_check.h"
#include "spool_edit.h"

#define LARGE (64UL << 20)
#define SMALL (24UL << 20)
#define LEN 100000
#define PENDING 20

/* A ring that has turned in LARGE bytes, the last PENDING records of which wait.  Returns the last one's number. */
static uint64_t turn(struct fixture *fixture)
{
    uint64_t last = 0;

    while (fixture_stat(fixture->spool).evicted_records < 100) {
        last = fixture_put(fixture, last + 1, LEN);
        if (last > PENDING)
            fixture_deliver(fixture, last - PENDING, last - PENDING + 1);
    }
    return last;
}

static off_t length_of(struct fixture *fixture, const char *name)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void expect_sound(struct fixture *fixture)
{
    static struct spool_check_report report;
    struct spool_check_to to = {.context = NULL};
    struct err err;

    assert_int_equal(spool_check(fixture->path, &to, &report, &err), 0);
    for (size_t i = 0; i < report.finding_count && i < SPOOL_CHECK_FINDINGS_MAX; i++)
        print_error("found: %s\n", report.findings[i].text);
    assert_int_equal(report.finding_count, 0);
}

/* The spool is closed, has SMALL bytes and all that waited; it is left open. */
static void expect_shrunk(struct fixture *fixture, uint64_t last)
{
    struct spool_stat stat;

    assert_true(length_of(fixture, "data.mdb") <= (off_t)SMALL);
    assert_int_equal(length_of(fixture, "data.mdb.smaller"), -1);
    expect_sound(fixture);
    fixture_open(fixture);
    stat = fixture_stat(fixture->spool);
    assert_int_equal(stat.size_bytes, SMALL);
    assert_int_equal(stat.pending_records, PENDING);
    assert_int_equal(stat.next_seq, last + 1);
    for (uint64_t seq = last - PENDING + 1; seq <= last; seq++)
        fixture_check(fixture->spool, seq, seq, LEN, SPOOL_PENDING);
    assert_int_equal(spool_aside_count(fixture->path), 0);
}

static void test_shrink_keeps_what_waits_and_the_newest_history(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = turn(fixture), history;

    fixture_close(fixture);
    assert_true(length_of(fixture, "data.mdb") > (off_t)SMALL);
    fixture->options.size_bytes = SMALL;
    fixture_open(fixture);
    fixture_close(fixture);
    expect_shrunk(fixture, last);
    history = fixture_stat(fixture->spool).history_records;
    assert_true(history > 100);
    for (uint64_t seq = last - PENDING - history + 1; seq <= last - PENDING; seq++)
        fixture_check(fixture->spool, seq, seq, LEN, SPOOL_DELIVERED);
    /* And it goes on as a ring of that size. */
    for (uint64_t i = 0; i < 3 * SMALL / LEN; i++) {
        uint64_t seq = fixture_put(fixture, last + 1 + i, LEN);

        assert_int_equal(seq, last + 1 + i);
        fixture_deliver(fixture, seq, seq + 1);
    }
    fixture_close(fixture);
    assert_true(length_of(fixture, "data.mdb") <= (off_t)SMALL);
    expect_sound(fixture);
    fixture_open(fixture);
}

static void test_shrink_with_reserve_allocates_the_new_size(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = turn(fixture);

    fixture_close(fixture);
    fixture->options.size_bytes = SMALL;
    fixture->options.reserve = true;
    fixture_open(fixture);
    fixture_close(fixture);
    assert_int_equal(length_of(fixture, "data.mdb"), SMALL);
    expect_shrunk(fixture, last);
}

static struct err refused(struct fixture *fixture)
{
    struct err err;

    assert_int_equal(spool_open(&fixture->spool, &fixture->options, &err), -1);
    assert_int_equal(spool_owner(fixture->path), 0);
    return err;
}

static void test_shrink_below_what_is_held_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct spool_parked parked = {.whole = true, .reason = SPOOL_PARK_UNDECODABLE, .text = "cannot be read"};
    struct err err;
    uint64_t last = 0;

    while (last < 300)
        last = fixture_put(fixture, last + 1, LEN);
    fixture_deliver(fixture, 1, 101);
    for (parked.seq = 101; parked.seq <= 300; parked.seq++)
        assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    fixture_close(fixture);
    fixture->options.size_bytes = 16UL << 20;
    err = refused(fixture);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_non_null(strstr(err.text, "cannot shrink to 16.0 MiB: what waits, is held or is parked takes 19."));
    fixture->options.size_bytes = LARGE;
    fixture_open(fixture);
    assert_int_equal(fixture_stat(fixture->spool).held_records, 200);
    assert_int_equal(fixture_stat(fixture->spool).history_records, 100); /* a refusal costs none of it */
    for (uint64_t seq = 101; seq <= 300; seq++)
        fixture_check(fixture->spool, seq, seq, LEN, SPOOL_HELD);
}

static void test_shrink_without_room_for_the_copy_is_refused(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = turn(fixture), history = fixture_stat(fixture->spool).history_records;
    struct err err;

    fixture_close(fixture);
    fixture->options.size_bytes = SMALL;
    fixture_fault("spool.shrink.room", 1, ENOSPC);
    err = refused(fixture);
    assert_int_equal(err.class, ERR_BUSY);
    assert_non_null(strstr(err.text, "no room to shrink spool "));
    assert_non_null(strstr(err.text, "a copy of up to 24.0 MiB is made beside it"));
    fixture->options.size_bytes = LARGE;
    fixture_open(fixture);
    /* A writer that starts makes room for a group. */
    assert_true(fixture_stat(fixture->spool).history_records > history - 2 * LARGE / SPOOL_GROUP_SHARE / LEN);
    fixture_close(fixture);
    fixture->options.size_bytes = SMALL;
    fixture_open(fixture);
    fixture_close(fixture);
    expect_shrunk(fixture, last);
}

static const char *const steps[] = {"spool.shrink.evict", "spool.shrink.copy", "spool.shrink.lock"};

static void test_shrink_that_fails_leaves_what_was_there(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = turn(fixture);
    struct err err;

    fixture_close(fixture);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        fixture->options.size_bytes = SMALL;
        fixture_fault(steps[i], 1, ENOSPC);
        err = refused(fixture);
        assert_int_equal(err.class, ERR_BUSY);
        assert_non_null(strstr(err.text, "cannot shrink spool "));
        assert_int_equal(length_of(fixture, "data.mdb.smaller"), -1);
        expect_sound(fixture);
        fixture->options.size_bytes = LARGE;
        fixture_open(fixture);
        for (uint64_t seq = last - PENDING + 1; seq <= last; seq++)
            fixture_check(fixture->spool, seq, seq, LEN, SPOOL_PENDING);
        fixture_close(fixture);
    }
    fixture->options.size_bytes = SMALL;
    fixture_open(fixture);
    fixture_close(fixture);
    expect_shrunk(fixture, last);
}

static void test_shrink_goes_on_after_a_crash_at_any_step(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = turn(fixture);

    fixture_close(fixture);
    fixture->options.size_bytes = SMALL;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int status;
        pid_t child = fork();

        assert_int_not_equal(child, -1);
        if (child == 0) {
            struct err err;

            fault_arm(steps[i], 1, FAULT_KILL);
            spool_open(&fixture->spool, &fixture->options, &err);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        expect_sound(fixture);
    }
    fixture_open(fixture);
    fixture_close(fixture);
    expect_shrunk(fixture, last);
}

static int setup(void **state)
{
    return fixture_setup_by(state, fixture_init, LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
        TEST(test_shrink_keeps_what_waits_and_the_newest_history),
        TEST(test_shrink_with_reserve_allocates_the_new_size),
        TEST(test_shrink_below_what_is_held_is_refused),
        TEST(test_shrink_without_room_for_the_copy_is_refused),
        TEST(test_shrink_that_fails_leaves_what_was_there),
        TEST(test_shrink_goes_on_after_a_crash_at_any_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
