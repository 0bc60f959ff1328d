/*
 * Whose the files are, and that LMDB's lock table has its blocks.
 */
#include "spool_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bounds.h"
#include "spool_internal.h"
#include "spool_lock_table.h"

#define NOBODY 65534
#define SOMEBODY 65533

static struct stat file(const struct fixture *fixture, const char *name)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
    assert_int_equal(stat(path, &st), 0);
    return st;
}

/* Runs `check` as a user without rights; its result is the child's exit status. */
static void check_as_nobody(struct fixture *fixture, int (*check)(const struct fixture *fixture))
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(setgid(NOBODY) == 0 && setuid(NOBODY) == 0 ? check(fixture) : 99);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_open_takes_the_blocks_of_the_lock_table(void **state)
{
    struct fixture *fixture = *state;
    struct stat st = file(fixture, "lock.mdb");

    assert_true((uint64_t)st.st_blocks * 512 >= SPOOL_LOCK_TABLE_BYTES);
    /* LMDB has given it the length that it needs: what was taken beyond is no slot. */
    assert_true((uint64_t)st.st_size <= SPOOL_LOCK_TABLE_BYTES);
    assert_true((uint64_t)st.st_size >= SPOOL_READERS_MAX * 64);
    assert_int_equal(fixture_put(fixture, 1, 1000), 1);
}

static int names_the_owner(const struct fixture *fixture)
{
    char wanted[256];
    struct spool *spool;
    struct err err;

    snprintf(wanted, sizeof(wanted), "%s/data.mdb belongs to uid 0 and this is uid %d: run it as that user",
             fixture->path, NOBODY);
    if (spool_open(&spool, &fixture->options, &err) == 0 || err.class != ERR_CONFIG)
        return 1;
    return strstr(err.text, wanted) != NULL ? 0 : 2;
}

/* The directory and the daemon's lock are ours, data.mdb is not. */
static void test_open_of_another_users_file_says_whose_it_is(void **state)
{
    struct fixture *fixture = *state;
    char lock[128];

    if (geteuid() != 0) {
        print_message("only root can become another user\n");
        skip();
    }
    fixture_close(fixture);
    snprintf(lock, sizeof(lock), "%s/lock", fixture->path);
    assert_int_equal(chown(fixture->path, NOBODY, NOBODY), 0);
    assert_int_equal(chown(lock, NOBODY, NOBODY), 0);
    check_as_nobody(fixture, names_the_owner);
}

static void test_prepare_gives_the_table_to_the_owner_of_the_data(void **state)
{
    struct fixture *fixture = *state;
    struct spool spool = {.path = fixture->path, .readonly = true};
    char data[128], table[128];
    struct err err;

    if (geteuid() != 0) {
        print_message("only root can give a file away\n");
        skip();
    }
    fixture_close(fixture);
    snprintf(data, sizeof(data), "%s/data.mdb", fixture->path);
    snprintf(table, sizeof(table), "%s/lock.mdb", fixture->path);
    assert_int_equal(unlink(table), 0);
    assert_int_equal(chown(data, SOMEBODY, SOMEBODY), 0);
    assert_int_equal(spool_lock_table_prepare(&spool, &err), 0);
    assert_int_equal(file(fixture, "lock.mdb").st_uid, SOMEBODY);
    assert_int_equal(file(fixture, "lock.mdb").st_gid, SOMEBODY);
    assert_int_equal(file(fixture, "lock.mdb").st_mode & 07777, 0600);
}

static void test_prepare_to_look_makes_nothing_where_no_spool_is(void **state)
{
    struct fixture *fixture = *state;
    struct spool spool = {.path = fixture->path, .readonly = true};
    char data[128], table[128];
    struct err err;

    fixture_close(fixture);
    snprintf(data, sizeof(data), "%s/data.mdb", fixture->path);
    snprintf(table, sizeof(table), "%s/lock.mdb", fixture->path);
    assert_int_equal(unlink(table), 0);
    assert_int_equal(unlink(data), 0);
    assert_int_equal(spool_lock_table_prepare(&spool, &err), 0);
    assert_int_equal(access(table, F_OK), -1);
}

#define LOCK_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOCK_TEST(test_open_takes_the_blocks_of_the_lock_table),
        LOCK_TEST(test_open_of_another_users_file_says_whose_it_is),
        LOCK_TEST(test_prepare_gives_the_table_to_the_owner_of_the_data),
        LOCK_TEST(test_prepare_to_look_makes_nothing_where_no_spool_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
