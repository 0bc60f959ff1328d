/*
 * What an operator changes: each kind of edit in each state of a record, in a
 * spool at rest and beside a running writer, and what fails.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "spool_edit.h"
#include "spool_internal.h"

#define RECORDS 10
#define LEN 3000
#define CODEC 7
#define CUT_BYTES (256 << 10)

/* Records 1 .. RECORDS, received at their number in ns, and the first `delivered` of them delivered. */
static void fill(struct fixture *fixture, uint64_t delivered)
{
    for (uint64_t seed = 1; seed <= RECORDS; seed++)
        assert_int_equal(fixture_put(fixture, seed, LEN), seed);
    if (delivered > 0)
        fixture_deliver(fixture, 1, delivered + 1);
}

/* The whole of an edit, in as many steps as it takes, on the fixture's spool, which is closed. */
static struct spool_edit_result edit(struct fixture *fixture, const struct spool_edit *what)
{
    struct spool_edit_result result = {0};
    uint64_t from = what->range.first;
    struct spool *spool;
    struct err err;
    int more;

    assert_int_equal(spool_open_edit(&spool, fixture->path, &err), 0);
    do {
        more = spool_edit_step(spool, what, &from, &result, &err);
        if (more == -1)
            fail_msg("%s", err.text);
    } while (more == 1);
    spool_close(spool);
    return result;
}

static struct spool_edit_result edit_range(struct fixture *fixture, enum spool_edit_kind kind, uint64_t first,
                                           uint64_t end)
{
    return edit(fixture,
                &(struct spool_edit){.kind = kind,
                                     .range = {first, end},
                                     .until_ns = UINT64_MAX,
                                     .states = SPOOL_EDIT_STATE(SPOOL_PENDING) | SPOOL_EDIT_STATE(SPOOL_HELD)});
}

/* The states of records 1 .. RECORDS as letters: p, d, h, and - for one that is gone. */
static void expect_states(struct fixture *fixture, const char *expected)
{
    char states[RECORDS + 1] = "";
    struct spool_record records[RECORDS];
    struct err err;
    size_t count;

    memset(states, '-', RECORDS);
    assert_int_equal(spool_list(fixture->spool, 1, RECORDS, records, &count, &err), 0);
    for (size_t i = 0; i < count; i++) {
        if (records[i].seq <= RECORDS)
            states[records[i].seq - 1] = "pdh"[records[i].state];
    }
    assert_string_equal(states, expected);
}

static void expect_stat(struct fixture *fixture, uint64_t pending, uint64_t held, uint64_t history)
{
    struct spool_stat stat = fixture_stat(fixture->spool);

    assert_int_equal(stat.pending_records, pending);
    assert_int_equal(stat.held_records, held);
    assert_int_equal(stat.history_records, history);
}

/* --- at rest ----------------------------------------------------------------- */

static void test_edit_replay_makes_history_pending(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit_result result;

    fill(fixture, 6);
    fixture_close(fixture);
    result = edit_range(fixture, SPOOL_EDIT_REPLAY, 2, 9);
    assert_int_equal(result.records, 5);
    assert_int_equal(result.passed, 2);
    assert_int_equal(result.stored_bytes, 5 * LEN);
    fixture_open(fixture);
    expect_states(fixture, "dppppppppp");
    expect_stat(fixture, 9, 0, 1);
    for (uint64_t seq = 2; seq <= RECORDS; seq++)
        fixture_check(fixture->spool, seq, seq, LEN, SPOOL_PENDING);
}

static void test_edit_replay_by_time_finds_records_received_out_of_order(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit_result result;
    static const uint64_t seeds[RECORDS] = {50, 60, 10, 20, 70, 30, 80, 40, 90, 100};

    for (uint64_t i = 0; i < RECORDS; i++)
        fixture_put(fixture, seeds[i], LEN); /* received 1,000,000 ns after its seed */
    fixture_deliver(fixture, 1, RECORDS + 1);
    fixture_close(fixture);
    result =
        edit(fixture,
             &(struct spool_edit){
                 .kind = SPOOL_EDIT_REPLAY, .range = {1, SPOOL_SEQ_OPEN}, .since_ns = 1000030, .until_ns = 1000080});
    assert_int_equal(result.records, 5);
    fixture_open(fixture);
    expect_states(fixture, "ppddppdpdd");
}

static void test_edit_of_only_some_leaves_the_others(void **state)
{
    static const uint64_t only[] = {2, 3, 7, 9, 12};
    struct fixture *fixture = *state;
    struct spool_edit what = {.kind = SPOOL_EDIT_REPLAY,
                              .range = {1, 9},
                              .until_ns = UINT64_MAX,
                              .only = only,
                              .only_count = sizeof(only) / sizeof(only[0])};
    struct spool_edit_result result;

    fill(fixture, 6);
    fixture_close(fixture);
    result = edit(fixture, &what);
    assert_int_equal(result.records, 2);
    assert_int_equal(result.passed, 1); /* 7 is pending; the others were not looked at */
    fixture_open(fixture);
    expect_states(fixture, "dppdddpppp");
    fixture_close(fixture);
    what.only_count = 0;
    assert_int_equal(edit(fixture, &what).records, 0);
    fixture_open(fixture);
    expect_states(fixture, "dppdddpppp");
}

static void test_edit_hold_and_release(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit_result result;

    fill(fixture, 2);
    fixture_close(fixture);
    result = edit_range(fixture, SPOOL_EDIT_HOLD, 1, 6);
    assert_int_equal(result.records, 3);
    fixture_open(fixture);
    expect_states(fixture, "ddhhhppppp");
    expect_stat(fixture, 5, 3, 2);
    fixture_close(fixture);
    result = edit_range(fixture, SPOOL_EDIT_RELEASE, 4, SPOOL_SEQ_OPEN);
    assert_int_equal(result.records, 2);
    assert_int_equal(result.parked, 0);
    fixture_open(fixture);
    expect_states(fixture, "ddhppppppp");
    expect_stat(fixture, 7, 1, 2);
}

static void test_edit_remove_takes_what_was_asked_for_and_no_history(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit_result result;
    struct spool_edit all = {.kind = SPOOL_EDIT_REMOVE,
                             .range = {1, SPOOL_SEQ_OPEN},
                             .until_ns = UINT64_MAX,
                             .states = SPOOL_EDIT_STATE(SPOOL_DELIVERED)};

    fill(fixture, 2);
    fixture_close(fixture);
    edit_range(fixture, SPOOL_EDIT_HOLD, 5, 6);
    result = edit_range(fixture, SPOOL_EDIT_REMOVE, 1, 7);
    assert_int_equal(result.records, 4);
    assert_int_equal(result.passed, 2);
    fixture_open(fixture);
    expect_states(fixture, "dd----pppp");
    expect_stat(fixture, 4, 0, 2);
    assert_int_equal(fixture_stat(fixture->spool).removed_records, 4);
    fixture_close(fixture);
    assert_int_equal(edit(fixture, &all).records, 2);
    fixture_open(fixture);
    expect_states(fixture, "------pppp");
    expect_stat(fixture, 4, 0, 0);
}

static void test_edit_of_everything_gives_pages_back(void **state)
{
    struct fixture *fixture = *state;
    uint64_t empty_bytes = fixture_stat(fixture->spool).used_bytes;

    for (uint64_t seed = 1; seed <= 3 * SPOOL_EDIT_RECORDS_MAX; seed++)
        fixture_put(fixture, seed, 200);
    fixture_close(fixture);
    assert_int_equal(edit_range(fixture, SPOOL_EDIT_REMOVE, 1, SPOOL_SEQ_OPEN).records, 3 * SPOOL_EDIT_RECORDS_MAX);
    fixture_open(fixture);
    expect_stat(fixture, 0, 0, 0);
    assert_true(fixture_stat(fixture->spool).used_bytes < empty_bytes + (64 << 10));
    /* Numbers are not used again. */
    assert_int_equal(fixture_put(fixture, 1, LEN), 3 * SPOOL_EDIT_RECORDS_MAX + 1);
}

static void test_edit_dry_run_counts_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    static const enum spool_edit_kind kinds[] = {SPOOL_EDIT_REPLAY, SPOOL_EDIT_HOLD, SPOOL_EDIT_REMOVE};
    static const uint64_t expected[] = {4, 6, 6};

    fill(fixture, 4);
    fixture_close(fixture);
    for (size_t i = 0; i < 3; i++) {
        struct spool_edit what = {.kind = kinds[i],
                                  .range = {1, SPOOL_SEQ_OPEN},
                                  .until_ns = UINT64_MAX,
                                  .states = SPOOL_EDIT_STATE(SPOOL_PENDING),
                                  .dry_run = true};

        assert_int_equal(edit(fixture, &what).records, expected[i]);
    }
    fixture_open(fixture);
    expect_states(fixture, "ddddpppppp");
}

/* --- parked ------------------------------------------------------------------ */

static void park(struct fixture *fixture, uint64_t seq, uint32_t index, const char *payload, bool whole)
{
    struct spool_parked parked = {.seq = seq,
                                  .index = index,
                                  .whole = whole,
                                  .reason = whole ? SPOOL_PARK_UNDECODABLE : SPOOL_PARK_REFUSED,
                                  .code = 121,
                                  .attempts = 1,
                                  .spans = 1,
                                  .parked_ns = 5,
                                  .received_ns = 3,
                                  .text = "refused",
                                  .payload = slice_of_text(payload)};
    struct err err;

    assert_int_equal(whole ? spool_writer_park(fixture->writer, &parked, 1, &err)
                           : spool_writer_park(fixture->writer, &parked, 1, &err),
                     0);
}

/* All entries from seq on; returns the last new record. */
static uint64_t edit_parked(struct fixture *fixture, bool requeue, uint64_t seq, struct spool_edit_result *result)
{
    struct spool_edit_parked what = {
        .requeue = requeue, .seq = seq, .last_seq = UINT64_MAX, .last_index = UINT32_MAX, .codec = CODEC};
    uint64_t new_seq, last = 0;
    struct spool *spool;
    struct err err;
    int more;

    *result = (struct spool_edit_result){0};
    assert_int_equal(spool_open_edit(&spool, fixture->path, &err), 0);
    while ((more = spool_edit_parked_step(spool, &what, &new_seq, result, &err)) == 1)
        last = new_seq == 0 ? last : new_seq;
    if (more == -1)
        fail_msg("%s", err.text);
    spool_close(spool);
    return last;
}

static void test_edit_requeue_makes_a_record_of_a_refused_span(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit_result result;
    struct spool_record record;
    struct arena arena;
    struct err err;

    fill(fixture, RECORDS);
    park(fixture, 2, 3, "first", false);
    park(fixture, 2, 4, "second", false);
    fixture_close(fixture);
    assert_int_equal(edit_parked(fixture, true, 1, &result), RECORDS + 2);
    assert_int_equal(result.parked, 2);
    assert_int_equal(result.spans, 2);
    fixture_open(fixture);
    assert_int_equal(fixture_stat(fixture->spool).parked_entries, 0);
    expect_stat(fixture, 2, 0, RECORDS);
    arena_init(&arena, 1 << 20);
    assert_int_equal(spool_read(fixture->spool, RECORDS + 2, &arena, &record, &err), 1);
    assert_false(record.damaged);
    assert_int_equal(record.state, SPOOL_PENDING);
    assert_int_equal(record.codec, CODEC);
    assert_int_equal(record.received_ns, 3);
    assert_int_equal(record.spans, 1);
    assert_int_equal(record.payload.len, 6);
    assert_memory_equal(record.payload.data, "second", 6);
    arena_fini(&arena);
}

static void test_edit_requeue_releases_a_record_that_is_parked_whole(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit_result result;

    fill(fixture, 0);
    park(fixture, 4, 0, "", true);
    expect_states(fixture, "ppphpppppp");
    expect_stat(fixture, 9, 1, 0);
    assert_int_equal(fixture_stat(fixture->spool).parked_entries, 1);
    fixture_close(fixture);
    assert_int_equal(edit_parked(fixture, true, 1, &result), 0);
    assert_int_equal(result.parked, 1);
    fixture_open(fixture);
    expect_states(fixture, "pppppppppp");
    expect_stat(fixture, RECORDS, 0, 0);
    assert_int_equal(fixture_stat(fixture->spool).parked_entries, 0);
    fixture_check(fixture->spool, 4, 4, LEN, SPOOL_PENDING);
}

static void test_edit_release_takes_the_entry_of_the_whole_record_along(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit_result result;

    fill(fixture, 0);
    park(fixture, 4, 7, "a span of it", false);
    park(fixture, 4, 0, "", true);
    fixture_close(fixture);
    result = edit_range(fixture, SPOOL_EDIT_RELEASE, 4, 5);
    assert_int_equal(result.records, 1);
    assert_int_equal(result.parked, 1);
    fixture_open(fixture);
    expect_states(fixture, "pppppppppp");
    assert_int_equal(fixture_stat(fixture->spool).parked_entries, 1);
}

static void test_edit_remove_takes_all_entries_of_the_record_along(void **state)
{
    struct fixture *fixture = *state;

    fill(fixture, 0);
    park(fixture, 4, 7, "a span of it", false);
    park(fixture, 4, 0, "", true);
    park(fixture, 5, 1, "another's", false);
    fixture_close(fixture);
    assert_int_equal(edit_range(fixture, SPOOL_EDIT_REMOVE, 4, 5).parked, 2);
    fixture_open(fixture);
    expect_states(fixture, "ppp-pppppp");
    assert_int_equal(fixture_stat(fixture->spool).parked_entries, 1);
}

static void test_edit_remove_parked(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit_result result;

    fill(fixture, 0);
    park(fixture, 2, 3, "refused", false);
    park(fixture, 4, 0, "", true);
    fixture_close(fixture);
    assert_int_equal(edit_parked(fixture, false, 1, &result), 0);
    assert_int_equal(result.parked, 2);
    assert_int_equal(result.records, 1); /* the one that was held goes with its entry */
    fixture_open(fixture);
    expect_states(fixture, "ppp-pppppp");
    assert_int_equal(fixture_stat(fixture->spool).parked_entries, 0);
}

static void test_edit_requeue_makes_room_by_removing_history(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit_result result;
    char *payload = calloc(1, (1 << 20) + 1);
    uint64_t seed = 1;

    assert_non_null(payload);
    memset(payload, 'x', 1 << 20);
    while (fixture_stat(fixture->spool).evicted_records == 0) {
        uint64_t seq = fixture_put(fixture, seed++, 1 << 20);

        fixture_deliver(fixture, seq, seq + 1);
    }
    park(fixture, seed, 0, payload, false);
    fixture_close(fixture);
    assert_true(edit_parked(fixture, true, 1, &result) >= seed);
    fixture_open(fixture);
    assert_true(fixture_stat(fixture->spool).evicted_records > 1);
    expect_stat(fixture, 1, 0, fixture_stat(fixture->spool).history_records);
    free(payload);
}

static void test_edit_requeue_without_room_is_busy_and_keeps_the_entry(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit_parked what = {.requeue = true, .last_seq = UINT64_MAX, .last_index = UINT32_MAX};
    struct spool_edit_result result = {0};
    char *payload = calloc(1, (2 << 20) + 1);
    struct spool *spool;
    uint64_t new_seq, seed = 1;
    struct err err;

    assert_non_null(payload);
    memset(payload, 'x', 2 << 20);
    park(fixture, 1000, 0, payload, false);
    while (fixture_try_put(fixture, seed++, 1 << 20, &err) != 0) {
    }
    fixture_close(fixture);
    assert_int_equal(spool_open_edit(&spool, fixture->path, &err), 0);
    assert_int_equal(spool_edit_parked_step(spool, &what, &new_seq, &result, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_int_equal(what.seq, 0);
    spool_close(spool);
    fixture_open(fixture);
    assert_int_equal(fixture_stat(fixture->spool).parked_entries, 1);
    free(payload);
}

/* --- beside a writer --------------------------------------------------------- */

/* Runs in a process of its own, as an operator's command does. */
static void in_child(struct fixture *fixture, void (*run)(struct spool *spool))
{
    int status;
    pid_t pid = fork();

    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        struct spool *spool;
        struct err err;

        if (spool_open_edit(&spool, fixture->path, &err) == -1)
            _exit(2);
        run(spool);
        spool_close(spool);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void step_or_exit(struct spool *spool, struct spool_edit what)
{
    struct spool_edit_result result = {0};
    uint64_t from = what.range.first;
    struct err err;
    int more;

    do {
        more = spool_edit_step(spool, &what, &from, &result, &err);
    } while (more == 1);
    if (more == -1)
        _exit(3);
}

static void hold_first_half(struct spool *spool)
{
    step_or_exit(spool,
                 (struct spool_edit){.kind = SPOOL_EDIT_HOLD, .range = {1, RECORDS / 2 + 1}, .until_ns = UINT64_MAX});
}

static bool has_moved(void *context)
{
    struct fixture *fixture = context;

    return spool_writer_generation(fixture->writer) > 0;
}

static void test_edit_beside_a_writer_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    uint64_t before;

    fill(fixture, 0);
    before = spool_writer_generation(fixture->writer);
    assert_int_equal(before, 0);
    in_child(fixture, hold_first_half);
    fixture_until(has_moved, fixture);
    expect_states(fixture, "hhhhhppppp");
    expect_stat(fixture, 5, 5, 0);
    /* The writer goes on from what is there: held records are passed over, sums stay right. */
    fixture_deliver(fixture, 1, 9);
    expect_states(fixture, "hhhhhdddpp");
    expect_stat(fixture, 2, 5, 3);
}

static void requeue_all(struct spool *spool)
{
    struct spool_edit_parked what = {.requeue = true, .last_seq = UINT64_MAX, .last_index = UINT32_MAX};
    struct spool_edit_result result = {0};
    uint64_t new_seq;
    struct err err;

    if (spool_edit_parked_step(spool, &what, &new_seq, &result, &err) != 1 || new_seq != RECORDS + 1)
        _exit(4);
}

static void test_edit_requeue_beside_a_writer_takes_the_next_number(void **state)
{
    struct fixture *fixture = *state;

    fill(fixture, RECORDS);
    park(fixture, 2, 3, "refused", false);
    in_child(fixture, requeue_all);
    /* Without waiting: the next transaction sees it. */
    assert_int_equal(fixture_put(fixture, 77, LEN), RECORDS + 2);
    expect_stat(fixture, 2, 0, RECORDS);
}

static void test_edit_wakes_who_waits(void **state)
{
    struct fixture *fixture = *state;
    uint64_t next;

    fill(fixture, 0);
    in_child(fixture, hold_first_half);
    /* Ends by the wake, long before the deadline; without it the test's own time limit ends it. */
    next = spool_writer_wait(fixture->writer, 1000, clock_mono_ns() + 3600 * NS_PER_S);
    assert_int_equal(next, RECORDS + 1);
    assert_true(has_moved(fixture));
}

/* A command that was begun before the daemon got another size: its map reaches too far. */
static void test_edit_after_a_change_of_size_is_refused(void **state)
{
    struct fixture *fixture = *state;
    int go[2], status;
    pid_t pid;

    fill(fixture, 0);
    fixture_close(fixture); /* before the fork, which would share the owner's lock */
    assert_int_equal(pipe(go), 0);
    pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        struct spool_edit what = {.kind = SPOOL_EDIT_HOLD, .range = {1, SPOOL_SEQ_OPEN}, .until_ns = UINT64_MAX};
        struct spool_edit_result result = {0};
        struct spool *spool;
        uint64_t from = 1;
        struct err err;
        char byte;

        if (spool_open_edit(&spool, fixture->path, &err) == -1 || write(go[1], "o", 1) != 1 || raise(SIGSTOP) != 0 ||
            read(go[0], &byte, 1) != 1)
            _exit(2);
        _exit(spool_edit_step(spool, &what, &from, &result, &err) == -1 && err.class == ERR_RETRY ? 0 : 3);
    }
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    fixture->options.size_bytes = FIXTURE_SIZE / 2;
    fixture_open(fixture);
    assert_int_equal(kill(pid, SIGCONT), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(go[0]);
    close(go[1]);
    expect_states(fixture, "pppppppppp");
}

/* --- failures ---------------------------------------------------------------- */

static void test_edit_open_without_a_spool_makes_none(void **state)
{
    struct fixture *fixture = *state;
    struct spool *spool;
    struct stat st;
    struct err err;
    char name[128];

    fixture_close(fixture);
    snprintf(name, sizeof(name), "%s/data.mdb", fixture->path);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(spool_open_edit(&spool, fixture->path, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_non_null(strstr(err.text, "no spool at"));
    assert_int_equal(stat(name, &st), -1);
}

static void test_edit_step_that_fails_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit what = {.kind = SPOOL_EDIT_HOLD, .range = {1, SPOOL_SEQ_OPEN}, .until_ns = UINT64_MAX};
    struct spool_edit_result result = {0};
    struct spool *spool;
    uint64_t from = 1;
    struct err err;

    fill(fixture, 0);
    fixture_close(fixture);
    assert_int_equal(spool_open_edit(&spool, fixture->path, &err), 0);
    fixture_fault("spool.edit", 1, EIO);
    assert_int_equal(spool_edit_step(spool, &what, &from, &result, &err), -1);
    assert_int_equal(err.class, ERR_FATAL);
    assert_non_null(strstr(err.text, "cannot change spool"));
    fixture_fault("spool.edit", 1, MDB_MAP_FULL);
    assert_int_equal(spool_edit_step(spool, &what, &from, &result, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    assert_non_null(strstr(err.text, " is full: delivery and `tracespool rm` make room"));
    assert_int_equal(result.records, 0);
    assert_int_equal(from, 1);
    spool_close(spool);
    fixture_open(fixture);
    expect_states(fixture, "pppppppppp");
}

static void test_edit_on_a_full_disk_is_busy(void **state)
{
    struct fixture *fixture = *state;
    struct spool_edit what = {.kind = SPOOL_EDIT_HOLD, .range = {1, SPOOL_SEQ_OPEN}, .until_ns = UINT64_MAX};
    struct spool_edit_result result = {0};
    struct spool *spool;
    uint64_t from = 1;
    struct rlimit limit;
    struct err err;
    char name[128];

    fill(fixture, 0);
    fixture_close(fixture);
    /* Cut to about what is used, so that the edit has to take blocks, which a limit on files refuses. */
    snprintf(name, sizeof(name), "%s/data.mdb", fixture->path);
    assert_int_equal(truncate(name, CUT_BYTES), 0);
    assert_int_equal(spool_open_edit(&spool, fixture->path, &err), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = CUT_BYTES, .rlim_max = limit.rlim_max}), 0);
    assert_int_equal(spool_edit_step(spool, &what, &from, &result, &err), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(err.class, ERR_BUSY);
    assert_non_null(strstr(err.text, "cannot extend"));
    assert_int_equal(result.records, 0);
    assert_int_equal(spool_edit_step(spool, &what, &from, &result, &err), 0);
    spool_close(spool);
    fixture_open(fixture);
    expect_states(fixture, "hhhhhhhhhh");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        TEST(test_edit_replay_makes_history_pending),
        TEST(test_edit_replay_by_time_finds_records_received_out_of_order),
        TEST(test_edit_of_only_some_leaves_the_others),
        TEST(test_edit_hold_and_release),
        TEST(test_edit_remove_takes_what_was_asked_for_and_no_history),
        TEST(test_edit_of_everything_gives_pages_back),
        TEST(test_edit_dry_run_counts_and_changes_nothing),
        TEST(test_edit_requeue_makes_a_record_of_a_refused_span),
        TEST(test_edit_requeue_releases_a_record_that_is_parked_whole),
        TEST(test_edit_release_takes_the_entry_of_the_whole_record_along),
        TEST(test_edit_remove_takes_all_entries_of_the_record_along),
        TEST(test_edit_remove_parked),
        TEST(test_edit_requeue_makes_room_by_removing_history),
        TEST(test_edit_requeue_without_room_is_busy_and_keeps_the_entry),
        TEST(test_edit_beside_a_writer_is_noticed),
        TEST(test_edit_requeue_beside_a_writer_takes_the_next_number),
        TEST(test_edit_wakes_who_waits),
        TEST(test_edit_after_a_change_of_size_is_refused),
        TEST(test_edit_open_without_a_spool_makes_none),
        TEST(test_edit_step_that_fails_changes_nothing),
        TEST(test_edit_on_a_full_disk_is_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
