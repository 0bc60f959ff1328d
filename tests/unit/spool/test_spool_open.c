/*
 * Opening: what is made, what is refused and with which words.
 */
#include "spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spool_aside.h"
#include "spool_internal.h"
#include "spool_state.h"
#include "spool_walk.h"

static struct err refused(const struct spool_options *options)
{
    struct err err = {.text = ""};
    struct spool *spool;

    assert_int_equal(spool_open(&spool, options, &err), -1);
    return err;
}

/*
 * Another process looks at the spool: LMDB's locks belong to a process, so one
 * process must not open an environment twice.
 */
static struct err refused_readonly(const char *path)
{
    struct err err = {.text = ""};
    int ends[2], status;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        struct spool *spool;
        bool is_refused = spool_open_readonly(&spool, path, &err) == -1;

        _exit(is_refused && write(ends[1], &err, sizeof(err)) == sizeof(err) ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &err, sizeof(err)), sizeof(err));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ends[0]);
    close(ends[1]);
    return err;
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, text);
}

static struct stat file(const char *directory, const char *name)
{
    char path[256];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    assert_int_equal(stat(path, &st), 0);
    return st;
}

static void test_open_makes_a_private_directory(void **state)
{
    struct fixture *fixture = *state;
    struct spool_options options = fixture->options;
    struct spool_stat stat;
    struct spool *spool;
    struct err err;
    char path[128];

    snprintf(path, sizeof(path), "%s/new", fixture->path);
    options.path = path;
    assert_int_equal(spool_open(&spool, &options, &err), 0);
    stat = fixture_stat(spool);
    assert_int_equal(stat.next_seq, 1);
    assert_int_equal(stat.size_bytes, FIXTURE_SIZE);
    assert_int_equal(stat.pending_records, 0);
    assert_int_equal(stat.oldest_record_ns, 0);
    assert_int_equal(stat.delivery.since_ns, 0);
    assert_false(stat.refusing);
    spool_close(spool);
    assert_int_equal(file(path, ".").st_mode & 07777, 0700);
    assert_int_equal(file(path, "data.mdb").st_mode & 07777, 0600);
    assert_int_equal(file(path, "lock.mdb").st_mode & 07777, 0600);
    assert_int_equal(file(path, "lock").st_mode & 07777, 0600);
    assert_int_equal(spool_open(&spool, &options, &err), 0);
    spool_close(spool);
}

static void test_open_without_a_parent_or_on_a_file_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct spool_options options = fixture->options;
    struct err err;
    char path[128];

    snprintf(path, sizeof(path), "%s/no/such", fixture->path);
    options.path = path;
    err = refused(&options);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "cannot make the spool's directory");
    assert_contains(err.text, "No such file or directory");

    snprintf(path, sizeof(path), "%s/lock", fixture->path);
    err = refused(&options);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "is not a directory");
}

static void test_open_with_an_impossible_size_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct spool_options options = fixture->options;
    struct err err;

    options.size_bytes = SPOOL_SIZE_MIN_BYTES - 1;
    err = refused(&options);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "it takes at least 16.0 MiB");
}

static void test_open_by_a_second_owner_is_refused_and_told_who(void **state)
{
    struct fixture *fixture = *state;
    char expected[128];
    struct err err;
    int status;
    pid_t child;

    snprintf(expected, sizeof(expected), "spool %s is in use by process %ld", fixture->path, (long)getpid());
    err = refused(&fixture->options); /* in the same process */
    assert_int_equal(err.class, ERR_CONFIG);
    assert_string_equal(err.text, expected);

    child = fork();
    if (child == 0) { /* in another one */
        struct spool *spool;
        bool right = spool_open(&spool, &fixture->options, &err) == -1 && err.class == ERR_CONFIG &&
                     strcmp(err.text, expected) == 0 && spool_owner(fixture->path) == getppid();

        _exit(right ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    /* The refusals took nothing from the owner. */
    assert_int_equal(spool_owner(fixture->path), getpid());
    fixture_put(fixture, 1, 1000);
    fixture_close(fixture);
    assert_int_equal(spool_owner(fixture->path), 0);
    assert_int_equal(spool_owner("/nonexistent"), 0);
}

/* Changes the format that is written in the spool. */
static void write_format(struct fixture *fixture, uint32_t format)
{
    MDB_val key = spool_val("format", 6);
    uint32_t both[] = {format, ~format};
    MDB_val value = spool_val(both, format == 1 ? sizeof(format) : sizeof(both));
    MDB_txn *txn;

    assert_int_equal(spool_open(&fixture->spool, &fixture->options, NULL), 0);
    assert_int_equal(mdb_txn_begin(fixture->spool->env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_put(txn, fixture->spool->state, &key, &value, 0), 0);
    if (format == 1)
        assert_int_equal(mdb_drop(txn, fixture->spool->held, 1), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    fixture_close(fixture);
}

static void test_open_of_an_older_format_brings_it_up_to_date(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    assert_int_equal(fixture_put(fixture, 1, 3000), 1);
    fixture_close(fixture);
    write_format(fixture, 1);
    err = refused_readonly(fixture->path);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "was made by an older tracespool (format 1): start this tracespoold on it once");
    fixture_open(fixture);
    fixture_check(fixture->spool, 1, 1, 3000, SPOOL_PENDING);
    assert_int_equal(fixture_put(fixture, 2, 3000), 2);
    fixture_close(fixture);
    fixture_open(fixture);
    fixture_check(fixture->spool, 2, 2, 3000, SPOOL_PENDING);
}

static void test_open_of_a_newer_format_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    fixture_close(fixture);
    write_format(fixture, 7);
    err = refused(&fixture->options);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "was made by a newer tracespool (format 7, this one knows 2)");
    err = refused_readonly(fixture->path);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "was made by a newer tracespool (format 7, this one knows 2)");
    assert_int_equal(spool_owner(fixture->path), 0);
}

static void test_open_of_what_is_no_spool_is_refused(void **state)
{
    struct fixture *fixture = *state;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    struct err err;
    char path[128];

    fixture_close(fixture);
    snprintf(path, sizeof(path), "%s/data.mdb", fixture->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 1);
    assert_int_equal(mdb_env_open(env, fixture->path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "other", MDB_CREATE, &dbi), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    err = refused(&fixture->options);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "is an LMDB environment, but not a spool");

    assert_int_equal(spool_aside_count(fixture->path), 0); /* and left where it is */
    err = refused_readonly(fixture->path);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "is an LMDB environment, but not a spool");
}

static void test_open_of_a_cut_file_begins_a_fresh_one(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    struct err err;

    fixture_put(fixture, 1, 1000000);
    fixture_close(fixture);
    snprintf(path, sizeof(path), "%s/data.mdb", fixture->path);
    assert_int_equal(truncate(path, 100000), 0);
    /* Who looks without a daemon is told, and changes nothing. */
    err = refused_readonly(fixture->path);
    assert_int_equal(err.class, ERR_FATAL);
    assert_int_equal(err.code, SPOOL_DAMAGED);
    assert_contains(err.text, "data.mdb is damaged: page ");
    assert_contains(err.text, " lies beyond the end of the file, which has 24");
    assert_contains(err.text, "; tracespool salvage /tmp/tracespool-test-");
    assert_int_equal(spool_aside_count(fixture->path), 0);
    fixture_open(fixture);
    assert_int_equal(spool_aside_count(fixture->path), 1);
    assert_int_equal(fixture_stat(fixture->spool).pending_records, 0);
}

static void test_open_with_another_size(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    for (unsigned i = 1; i <= 20; i++)
        fixture_put(fixture, i, 1000000);
    fixture_close(fixture);

    fixture->options.size_bytes = 16UL << 20;
    err = refused(&fixture->options);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "cannot shrink to 16.0 MiB: what waits, is held or is parked takes 19.");
    assert_contains(err.text, "and 14.0 MiB of that size can be filled");

    fixture->options.size_bytes = 32UL << 20;
    fixture_open(fixture);
    assert_int_equal(fixture_stat(fixture->spool).size_bytes, 32UL << 20);
    fixture_check(fixture->spool, 20, 20, 1000000, SPOOL_PENDING);
    fixture_close(fixture);
    assert_true(file(fixture->path, "data.mdb").st_size <= 32 << 20);

    fixture->options.size_bytes = 128UL << 20;
    fixture_open(fixture);
    for (unsigned i = 21; i <= 80; i++)
        fixture_put(fixture, i, 1000000);
    fixture_check(fixture->spool, 80, 80, 1000000, SPOOL_PENDING);
    assert_int_equal(fixture_stat(fixture->spool).size_bytes, 128UL << 20);
}

static void test_open_with_reserve_allocates_the_whole_file(void **state)
{
    struct fixture *fixture = *state;
    struct stat st;

    fixture_put(fixture, 1, 1000);
    fixture_close(fixture);
    fixture->options.reserve = true;
    fixture_open(fixture);
    st = file(fixture->path, "data.mdb");
    assert_int_equal(st.st_size, FIXTURE_SIZE);
    assert_true((uint64_t)st.st_blocks * 512 >= FIXTURE_SIZE);
    fixture_check(fixture->spool, 1, 1, 1000, SPOOL_PENDING);
}

/* A size that no disk has free. */
#ifdef __SANITIZE_THREAD__
#define NO_DISK_BYTES (1UL << 40) /* of the address space it leaves no more in one piece */
#define NO_DISK_TEXT "1.00 TiB"
#else
#define NO_DISK_BYTES SPOOL_SIZE_MAX_BYTES
#define NO_DISK_TEXT "16.0 TiB"
#endif

static void test_open_with_reserve_and_no_room_is_busy(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    fixture_close(fixture);
    fixture->options.reserve = true;
    fixture_fault("spool.room", 1, ENOSPC);
    err = refused(&fixture->options);
    assert_int_equal(err.class, ERR_BUSY);
    assert_contains(err.text, "no room to reserve 64.0 MiB for spool ");
    fixture->options.size_bytes = NO_DISK_BYTES;
    err = refused(&fixture->options);
    assert_int_equal(err.class, ERR_BUSY);
    assert_contains(err.text, "no room to reserve " NO_DISK_TEXT " for spool ");
}

/* What another process sees of record `seq`, and of the whole. */
struct seen {
    int found;
    uint64_t stored_bytes;
    enum spool_record_state state;
    bool damaged;
    struct spool_stat stat;
};

/* Serves the questions of the test from a read-only spool that stays open between them. */
static void serve(const char *path, int questions, int answers)
{
    struct spool_record record = {0};
    struct spool *spool;
    struct arena arena;
    uint64_t seq;
    struct err err;

    if (spool_open_readonly(&spool, path, &err) == -1)
        _exit(1);
    arena_init(&arena, SIZE_MAX);
    while (read(questions, &seq, sizeof(seq)) == sizeof(seq)) {
        struct seen seen = {.found = spool_read(spool, seq, &arena, &record, &err)};

        seen.stored_bytes = record.payload.len;
        seen.state = record.state;
        seen.damaged = record.damaged;
        if (spool_stat(spool, &seen.stat, &err) == -1 || write(answers, &seen, sizeof(seen)) != sizeof(seen))
            _exit(1);
    }
    spool_close(spool);
    _exit(0);
}

static struct seen ask(const int *questions, const int *answers, uint64_t seq)
{
    struct seen seen;

    assert_int_equal(write(questions[1], &seq, sizeof(seq)), sizeof(seq));
    assert_int_equal(read(answers[0], &seen, sizeof(seen)), sizeof(seen));
    return seen;
}

static void test_open_readonly_beside_the_writer_and_without_one(void **state)
{
    struct fixture *fixture = *state;
    int questions[2], answers[2], status;
    struct seen seen;
    pid_t child;

    fixture_put(fixture, 1, 5000);
    assert_int_equal(pipe(questions), 0);
    assert_int_equal(pipe(answers), 0);
    child = fork();
    if (child == 0) {
        close(questions[1]);
        serve(fixture->path, questions[0], answers[1]);
    }
    close(answers[1]);
    seen = ask(questions, answers, 1);
    assert_int_equal(seen.found, 1);
    assert_int_equal(seen.stored_bytes, 5000);
    assert_int_equal(seen.state, SPOOL_PENDING);
    fixture_put(fixture, 2, 500000); /* what comes later is seen as well */
    seen = ask(questions, answers, 2);
    assert_int_equal(seen.stored_bytes, 500000);
    assert_false(seen.damaged);
    fixture_deliver(fixture, 1, 2);
    seen = ask(questions, answers, 1);
    assert_int_equal(seen.state, SPOOL_DELIVERED);
    assert_int_equal(seen.stat.size_bytes, FIXTURE_SIZE);
    assert_int_equal(seen.stat.pending_records, 1);
    fixture_close(fixture);
    seen = ask(questions, answers, 2);
    assert_int_equal(seen.stored_bytes, 500000);
    close(questions[1]);
    close(questions[0]);
    close(answers[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_open_readonly_where_there_is_none_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    char path[128];

    snprintf(path, sizeof(path), "%s/none", fixture->path);
    err = refused_readonly(path);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "no spool at ");
    assert_contains(err.text, "/none: is this the spool.path of the daemon?");
    assert_int_equal(mkdir(path, 0700), 0);
    err = refused_readonly(path);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_contains(err.text, "no spool at ");
    assert_int_not_equal(access(strcat(path, "/lock.mdb"), F_OK), 0); /* looking made nothing */
}

static void test_open_readonly_without_permission_says_who_may(void **state)
{
    struct fixture *fixture = *state;
    pid_t child;
    int status;

    fixture_close(fixture);
    child = fork();
    if (child == 0) {
        struct spool *spool;
        struct err err;
        bool right;

        /* Root is stopped by no permission; anybody else by the directory's, once it is nobody's. */
        if (geteuid() == 0 ? setuid(65534) != 0 : chmod(fixture->path, 0) != 0)
            _exit(2);
        right = spool_open_readonly(&spool, fixture->path, &err) == -1 && err.class == ERR_CONFIG &&
                strstr(err.text, "no permission to open spool ") != NULL &&
                strstr(err.text, ": run this as the user that the spool belongs to, or as root") != NULL;
        _exit(right ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(fixture->path, 0700), 0);
}

static void test_open_readonly_when_all_slots_are_taken_is_busy(void **state)
{
    struct fixture *fixture = *state;
    MDB_txn *readers[SPOOL_READERS_MAX];
    struct err err;

    for (size_t i = 0; i < SPOOL_READERS_MAX; i++)
        assert_int_equal(mdb_txn_begin(fixture->spool->env, NULL, MDB_RDONLY, &readers[i]), 0);
    err = refused_readonly(fixture->path);
    assert_int_equal(err.class, ERR_BUSY);
    assert_contains(err.text, "too many processes read spool ");
    assert_int_equal(spool_stat(fixture->spool, &(struct spool_stat){0}, &err), -1);
    assert_int_equal(err.class, ERR_BUSY);
    for (size_t i = 0; i < SPOOL_READERS_MAX; i++)
        mdb_txn_abort(readers[i]);
}

#define OPEN_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN_TEST(test_open_makes_a_private_directory),
        OPEN_TEST(test_open_without_a_parent_or_on_a_file_is_refused),
        OPEN_TEST(test_open_with_an_impossible_size_is_refused),
        OPEN_TEST(test_open_by_a_second_owner_is_refused_and_told_who),
        OPEN_TEST(test_open_of_an_older_format_brings_it_up_to_date),
        OPEN_TEST(test_open_of_a_newer_format_is_refused),
        OPEN_TEST(test_open_of_what_is_no_spool_is_refused),
        OPEN_TEST(test_open_of_a_cut_file_begins_a_fresh_one),
        OPEN_TEST(test_open_with_another_size),
        OPEN_TEST(test_open_with_reserve_allocates_the_whole_file),
        OPEN_TEST(test_open_with_reserve_and_no_room_is_busy),
        OPEN_TEST(test_open_readonly_beside_the_writer_and_without_one),
        OPEN_TEST(test_open_readonly_where_there_is_none_is_refused),
        OPEN_TEST(test_open_readonly_without_permission_says_who_may),
        OPEN_TEST(test_open_readonly_when_all_slots_are_taken_is_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
