/*
 * A damaged file is moved aside whole and a fresh spool is begun, whatever
 * happens meanwhile; what the walk cannot see is found as well.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "metrics.h"
#include "spool_aside.h"
#include "spool_internal.h"
#include "spool_pending.h"
#include "spool_record.h"
#include "spool_state.h"
#include "spool_walk.h"
#include "spool_walk_page.h"

#define RECORD_BYTES 100000
#define MS_OF_2020 1577836800000ULL

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, text);
}

static const char *path_of(const struct fixture *fixture, const char *name)
{
    static char path[160];

    snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
    return path;
}

static void write_at(const struct fixture *fixture, const char *name, off_t at, const void *bytes, size_t len)
{
    int fd = open(path_of(fixture, name), O_RDWR);

    assert_int_not_equal(fd, -1);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    close(fd);
}

/* Three records, closed, and the page after the meta pages gone bad. */
static void damage(struct fixture *fixture)
{
    static const uint8_t zero[512];

    for (uint64_t i = 1; i <= 3; i++)
        fixture_put(fixture, i, RECORD_BYTES);
    fixture_close(fixture);
    write_at(fixture, "data.mdb", 0, zero, sizeof(zero));
}

/* The directory of the one damaged file. */
static void find_moved(const struct fixture *fixture, char out[160])
{
    glob_t found;

    assert_int_equal(glob(path_of(fixture, "damaged-*/data.mdb"), 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    snprintf(out, 160, "%s", found.gl_pathv[0]);
    globfree(&found);
}

static void assert_fresh(struct fixture *fixture)
{
    struct spool_stat stat = fixture_stat(fixture->spool);
    uint64_t seq;

    assert_int_equal(stat.pending_records, 0);
    assert_int_equal(stat.damaged_files, spool_aside_count(fixture->path));
    assert_true(stat.next_seq > MS_OF_2020 && stat.next_seq <= clock_wall_ns() / NS_PER_MS);
    seq = fixture_put(fixture, 9, 2000);
    assert_int_equal(seq, stat.next_seq);
    fixture_check(fixture->spool, seq, 9, 2000, SPOOL_PENDING);
}

/* --- moving ------------------------------------------------------------------ */

static void test_open_of_a_damaged_file_moves_it_aside_whole(void **state)
{
    struct fixture *fixture = *state;
    struct stat before, after;
    char moved[160];

    damage(fixture);
    assert_int_equal(stat(path_of(fixture, "data.mdb"), &before), 0);
    fixture_open(fixture);
    assert_fresh(fixture);
    assert_int_equal(spool_aside_count(fixture->path), 1);
    spool_refresh_metrics(fixture->spool);
    assert_int_equal(metrics_get(METRIC_SPOOL_DAMAGED_FILES), 1);
    find_moved(fixture, moved);
    assert_int_equal(stat(moved, &after), 0);
    assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size);
    *strrchr(moved, '/') = '\0';
    assert_int_equal(stat(moved, &after), 0);
    assert_int_equal(after.st_mode & 07777, 0700);
    assert_int_equal(access(strcat(moved, "/lock.mdb"), F_OK), 0);
    /* The next start finds nothing wrong, and goes on where this one ended. */
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(spool_aside_count(fixture->path), 1);
    assert_int_equal(fixture_stat(fixture->spool).pending_records, 1);
}

static void test_open_twice_in_a_second_keeps_both(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 1; i <= 4; i++) {
        damage(fixture);
        fixture_open(fixture);
        assert_int_equal(spool_aside_count(fixture->path), i);
    }
    assert_fresh(fixture);
}

static void test_open_with_too_many_damaged_files_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    char name[64];
    int fd;

    damage(fixture);
    for (unsigned i = 0; i < SPOOL_ASIDE_MAX; i++) {
        snprintf(name, sizeof(name), "damaged-%u", i);
        assert_int_equal(mkdir(path_of(fixture, name), 0700), 0);
        strcat(name, "/data.mdb");
        fd = open(path_of(fixture, name), O_CREAT | O_WRONLY, 0600);
        assert_int_not_equal(fd, -1);
        close(fd);
    }
    assert_int_equal(spool_open(&fixture->spool, &fixture->options, &err), -1);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "data.mdb is damaged: page 0 (meta): it is no meta page: ");
    assert_contains(err.text, " keeps 64 damaged files already: get what they hold with tracespool salvage and remove");
    assert_int_equal(access(path_of(fixture, "data.mdb"), F_OK), 0);
    assert_int_equal(spool_owner(fixture->path), 0);
    fixture->spool = NULL;
}

/* --- crashes and failures between the steps ------------------------------------- */

static const char *const steps[] = {"spool.aside.made", "spool.aside.lock", "spool.aside.data", "spool.aside.synced"};

static void open_and_die(struct fixture *fixture, const char *point)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct err err;

        fixture_fault(point, 1, FAULT_KILL);
        spool_open(&fixture->spool, &fixture->options, &err);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void test_open_after_a_crash_at_any_step(void **state)
{
    struct fixture *fixture = *state;
    struct stat before, after;
    char moved[160];

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        fixture_fini(fixture);
        fixture_init(fixture, FIXTURE_SIZE);
        fixture_open(fixture);
        damage(fixture);
        assert_int_equal(stat(path_of(fixture, "data.mdb"), &before), 0);
        open_and_die(fixture, steps[i]);
        fixture_open(fixture);
        assert_fresh(fixture);
        find_moved(fixture, moved);
        assert_int_equal(stat(moved, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
    }
}

static void test_open_when_a_step_fails_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        fixture_fini(fixture);
        fixture_init(fixture, FIXTURE_SIZE);
        fixture_open(fixture);
        damage(fixture);
        fixture_fault(steps[i], 1, EIO);
        assert_int_equal(spool_open(&fixture->spool, &fixture->options, &err), -1);
        assert_int_equal(err.class, ERR_FATAL);
        assert_contains(err.text, "/data.mdb aside: Input/output error");
        fixture_open(fixture);
        assert_fresh(fixture);
        assert_int_equal(spool_aside_count(fixture->path), 1);
    }
}

static void test_open_of_an_empty_file_goes_on_as_new(void **state)
{
    struct fixture *fixture = *state;

    fixture_close(fixture);
    assert_int_equal(truncate(path_of(fixture, "data.mdb"), 0), 0);
    fixture_open(fixture);
    assert_int_equal(fixture_stat(fixture->spool).next_seq, 1);
    assert_int_equal(spool_aside_count(fixture->path), 0);
    /* Beside a damaged one it may be a crash right after that was moved: no number is given twice. */
    damage(fixture);
    fixture_open(fixture);
    fixture_close(fixture);
    assert_int_equal(truncate(path_of(fixture, "data.mdb"), 0), 0);
    fixture_open(fixture);
    assert_fresh(fixture);
}

static void test_open_with_reserve_and_no_room_beside_a_damaged_file_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    fixture->options.reserve = true;
    fixture_close(fixture);
    fixture_fault("spool.room", 1, ENOSPC);
    assert_int_equal(spool_open(&fixture->spool, &fixture->options, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    fixture->spool = NULL;
    fixture_open(fixture);
    damage(fixture);
    fixture_fault("spool.room", 1, ENOSPC);
    fixture_open(fixture);
    assert_fresh(fixture);
}

/* --- what only lock.mdb can tell ------------------------------------------------- */

static void go_back(struct fixture *fixture)
{
    uint8_t metas[2 * SPOOL_PAGE_BYTES], txnid[8];
    struct walk_meta first, second;
    int fd;

    for (uint64_t i = 1; i <= 3; i++)
        fixture_put(fixture, i, RECORD_BYTES);
    fixture_close(fixture);
    fd = open(path_of(fixture, "data.mdb"), O_RDONLY);
    assert_int_equal(read(fd, metas, sizeof(metas)), sizeof(metas));
    close(fd);
    first = walk_meta_decode(metas);
    second = walk_meta_decode(metas + SPOOL_PAGE_BYTES);
    spool_put_u64(txnid, (first.txnid > second.txnid ? first.txnid : second.txnid) - 2);
    write_at(fixture, "data.mdb", (first.txnid > second.txnid ? 0 : 4096) + 16 + 128, txnid, sizeof(txnid));
}

static void test_open_of_a_file_that_went_back_moves_it_aside(void **state)
{
    struct fixture *fixture = *state;

    go_back(fixture);
    fixture_open(fixture);
    assert_int_equal(spool_aside_count(fixture->path), 1);
    assert_fresh(fixture);
}

/* As LMDB leaves it when its last write fails: that transaction was never acknowledged. */
static void test_open_after_a_failed_write_of_a_meta_page_goes_on(void **state)
{
    struct fixture *fixture = *state;

    go_back(fixture);
    assert_int_equal(unlink(path_of(fixture, "lock.mdb")), 0);
    fixture_open(fixture);
    assert_int_equal(spool_aside_count(fixture->path), 0);
    fixture_check(fixture->spool, 3, 3, RECORD_BYTES, SPOOL_PENDING);
}

/* --- what LMDB and the walk know nothing of ---------------------------------------- */

static void put_raw(MDB_txn *txn, MDB_dbi dbi, const void *key_bytes, size_t key_len, const void *data, size_t len)
{
    MDB_val key = spool_val(key_bytes, key_len), value = spool_val(data, len);

    assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
}

/* As format 1 had it: without a checksum, so that it is the ranges that are wrong. */
static void put_range(MDB_txn *txn, MDB_dbi dbi, uint64_t first, uint64_t end)
{
    uint8_t key[8], value[8];

    spool_key_put_u64(key, first);
    spool_key_put_u64(value, end);
    put_raw(txn, dbi, key, 8, value, 8);
}

static void no_counters(struct spool *spool, MDB_txn *txn)
{
    MDB_val key = spool_val("counters", 8);

    assert_int_equal(mdb_del(txn, spool->state, &key, NULL), 0);
}

static void spoil_value(MDB_txn *txn, MDB_dbi dbi, const char *name, size_t at)
{
    MDB_val key = spool_val(name, strlen(name)), value;
    uint8_t copy[512];

    assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[at] ^= 1;
    put_raw(txn, dbi, name, strlen(name), copy, value.mv_size);
}

static void other_counter(struct spool *spool, MDB_txn *txn)
{
    spoil_value(txn, spool->state, "counters", 40);
}
static void other_format(struct spool *spool, MDB_txn *txn)
{
    spoil_value(txn, spool->state, "format", 0);
}
static void short_counters(struct spool *spool, MDB_txn *txn)
{
    put_raw(txn, spool->state, "counters", 8, "1234", 4);
}

static void next_too_low(struct spool *spool, MDB_txn *txn)
{
    struct spool_counters counters;

    assert_int_equal(spool_state_get_counters(txn, spool, &counters), 0);
    counters.next_seq = 3;
    assert_int_equal(spool_state_put_counters(txn, spool, &counters), 0);
}

static void other_range(struct spool *spool, MDB_txn *txn)
{
    uint8_t key[8], value[16] = {0};

    spool_key_put_u64(key, 1);
    memset(value, 0xff, 8);
    put_raw(txn, spool->pending, key, 8, value, 16);
}
static void empty_range(struct spool *spool, MDB_txn *txn)
{
    put_range(txn, spool->held, 2, 2);
}
static void closed_end(struct spool *spool, MDB_txn *txn)
{
    put_range(txn, spool->pending, 1, 4);
}
static void two_that_overlap(struct spool *spool, MDB_txn *txn)
{
    put_range(txn, spool->pending, 3, SPOOL_SEQ_OPEN);
}
static void held_and_pending(struct spool *spool, MDB_txn *txn)
{
    put_range(txn, spool->held, 1, 3);
}
static void held_without_end(struct spool *spool, MDB_txn *txn)
{
    put_range(txn, spool->held, 1, SPOOL_SEQ_OPEN);
}
static void held_beyond(struct spool *spool, MDB_txn *txn)
{
    put_range(txn, spool->held, 2, 9);
}
static void no_held(struct spool *spool, MDB_txn *txn)
{
    assert_int_equal(mdb_drop(txn, spool->held, 1), 0);
}
static void no_state(struct spool *spool, MDB_txn *txn)
{
    assert_int_equal(mdb_drop(txn, spool->state, 1), 0);
}
static void short_key(struct spool *spool, MDB_txn *txn)
{
    put_raw(txn, spool->pending, "12345", 5, "12345678", 8);
}

static const struct {
    void (*spoil)(struct spool *spool, MDB_txn *txn);
    const char *text;
} losses[] = {
    {no_counters, "its counters are missing or damaged"},
    {other_counter, "its counters are missing or damaged"},
    {short_counters, "its counters are missing or damaged"},
    {other_format, "it has no format"},
    {next_too_low, "there is a record beyond the next sequence number"},
    {other_range, "a range of sequence numbers is damaged"},
    {empty_range, "a range of sequence numbers is damaged"},
    {closed_end, "the last pending range has an end"},
    {two_that_overlap, "ranges of sequence numbers overlap"},
    {held_and_pending, "a record is pending and held"},
    {held_without_end, "a range of held records has no end"},
    {held_beyond, "a range of sequence numbers goes beyond the next one"},
    {no_held, "it has no right number of databases"},
    {no_state, "it has no database `state`"},
    {short_key, "(pending): a key of an impossible length"},
};

/* Opens in a child, whose log is read. */
static void open_and_read_log(struct fixture *fixture, char *out, size_t size)
{
    int ends[2], status;
    size_t len = 0;
    ssize_t bytes;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        _exit(spool_open(&fixture->spool, &fixture->options, NULL) == 0 ? 0 : 1);
    }
    close(ends[1]);
    while ((bytes = read(ends[0], out + len, size - 1 - len)) > 0)
        len += (size_t)bytes;
    out[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_open_finds_what_the_walk_cannot_see(void **state)
{
    struct fixture *fixture = *state;
    char log[4096];
    MDB_txn *txn;

    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        fixture_fini(fixture);
        fixture_init_fast(fixture, FIXTURE_SIZE);
        fixture_open(fixture);
        for (uint64_t seq = 1; seq <= 5; seq++)
            fixture_put(fixture, seq, 3000);
        spool_writer_stop(fixture->writer);
        fixture->writer = NULL;
        assert_int_equal(mdb_txn_begin(fixture->spool->env, NULL, 0, &txn), 0);
        losses[i].spoil(fixture->spool, txn);
        assert_int_equal(mdb_txn_commit(txn), 0);
        fixture_close(fixture);
        open_and_read_log(fixture, log, sizeof(log));
        assert_contains(log, "level=error event=spool.moved_aside");
        assert_contains(log, losses[i].text);
        assert_contains(log, "/data.mdb and a fresh spool is begun; to get out what it holds: tracespool salvage /");
        fixture_open(fixture);
        assert_fresh(fixture);
        assert_int_equal(spool_aside_count(fixture->path), 1);
    }
}

/* --- heads of values' pages, which the walk does not read ---------------------------- */

/* Writes another number of pages into the head of the page in which bytes from `seed` begin. */
static void spoil_head(struct fixture *fixture, uint64_t seed)
{
    uint8_t needle[32], more[4] = {200, 0, 0, 0}, *bytes, *found;
    struct stat st;
    int fd;

    fixture_fill(needle, seed, sizeof(needle));
    fixture_close(fixture);
    fd = open(path_of(fixture, "data.mdb"), O_RDWR);
    assert_int_equal(fstat(fd, &st), 0);
    bytes = malloc((size_t)st.st_size);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
    found = memmem(bytes, (size_t)st.st_size, needle, sizeof(needle));
    assert_non_null(found);
    assert_int_equal(pwrite(fd, more, 4, (off_t)((size_t)(found - bytes) / SPOOL_PAGE_BYTES * SPOOL_PAGE_BYTES + 12)),
                     4);
    close(fd);
    free(bytes);
    fixture_open(fixture);
}

static void test_history_whose_pages_cannot_be_given_back_is_held(void **state)
{
    struct fixture *fixture = *state;

    for (uint64_t i = 1; i <= 5; i++)
        fixture_put(fixture, i, 20000);
    spoil_head(fixture, 2);
    assert_int_equal(spool_aside_count(fixture->path), 0);
    fixture_deliver(fixture, 1, 5);
    fixture_close(fixture);
    fixture->options.history_ns = 0;
    for (unsigned starts = 0; starts < 3; starts++) {
        fixture_open(fixture);
        while (fixture_exists(fixture->spool, 4))
            fixture_put(fixture, 10, 1000);
        assert_false(fixture_exists(fixture->spool, 1));
        fixture_check(fixture->spool, 2, 2, 20000, SPOOL_HELD);
        fixture_check(fixture->spool, 5, 5, 20000, SPOOL_PENDING);
        assert_int_equal(fixture_stat(fixture->spool).held_records, 1);
        assert_int_equal(fixture_stat(fixture->spool).evicted_records, 3);
        fixture_close(fixture);
    }
    fixture_open(fixture);
}

static void test_parked_entry_whose_pages_cannot_be_given_back_stays(void **state)
{
    struct fixture *fixture = *state;
    uint8_t payload[9000] = {0};
    struct spool_parked parked = {
        .seq = 1, .index = 1, .reason = SPOOL_PARK_REFUSED, .text = "", .payload = slice_of(payload, sizeof(payload))};
    struct err err;

    fixture_fill(payload, 50, sizeof(payload));
    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    spoil_head(fixture, 50);
    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    assert_int_equal(fixture_stat(fixture->spool).parked_entries, 1);
    fixture_put(fixture, 1, 20000);
    fixture_check(fixture->spool, 1, 1, 20000, SPOOL_PENDING);
}

#define ASIDE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASIDE_TEST(test_open_of_a_damaged_file_moves_it_aside_whole),
        ASIDE_TEST(test_open_twice_in_a_second_keeps_both),
        ASIDE_TEST(test_open_with_too_many_damaged_files_is_refused),
        ASIDE_TEST(test_open_after_a_crash_at_any_step),
        ASIDE_TEST(test_open_when_a_step_fails_says_so),
        ASIDE_TEST(test_open_of_an_empty_file_goes_on_as_new),
        ASIDE_TEST(test_open_with_reserve_and_no_room_beside_a_damaged_file_goes_on),
        ASIDE_TEST(test_open_of_a_file_that_went_back_moves_it_aside),
        ASIDE_TEST(test_open_after_a_failed_write_of_a_meta_page_goes_on),
        ASIDE_TEST(test_open_finds_what_the_walk_cannot_see),
        ASIDE_TEST(test_history_whose_pages_cannot_be_given_back_is_held),
        ASIDE_TEST(test_parked_entry_whose_pages_cannot_be_given_back_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
