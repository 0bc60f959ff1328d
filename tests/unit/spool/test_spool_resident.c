/*
 * test_spool_resident.c - what reading has mapped of the file is given back, and can be read again.
 */
#include "spool_fixture.h"

#include <stdio.h>
#include <string.h>

#define RECORDS 32
#define LEN (1UL << 20)

/* Of this process, mapped from files, in KiB. */
static unsigned long mapped_kib(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    unsigned long kib = 0;
    char line[256];

    assert_non_null(status);
    while (fgets(line, sizeof(line), status) != NULL)
        sscanf(line, "RssFile: %lu kB", &kib);
    fclose(status);
    return kib;
}

static void read_all(struct fixture *fixture)
{
    for (uint64_t seq = 1; seq <= RECORDS; seq++)
        fixture_check(fixture->spool, seq, seq, LEN, SPOOL_PENDING);
}

static void test_forgotten_pages_are_not_resident_and_read_again(void **state)
{
    struct fixture *fixture = *state;
    unsigned long before;

    for (uint64_t seed = 1; seed <= RECORDS; seed++)
        assert_int_equal(fixture_put(fixture, seed, LEN), seed);
    fixture_close(fixture);
    fixture_open(fixture);
    for (unsigned turn = 0; turn < 2; turn++) {
        read_all(fixture);
        before = mapped_kib();
        spool_forget_pages(fixture->spool);
        assert_true(mapped_kib() + RECORDS * LEN / 1024 <= before + 1024);
    }
    read_all(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_forgotten_pages_are_not_resident_and_read_again, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
