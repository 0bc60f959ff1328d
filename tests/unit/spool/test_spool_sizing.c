/*
 * test_spool_sizing.c - what records take, against what LMDB says that they took.
 */
#include "spool_fixture.h"

#include "bounds.h"
#include "metrics.h"
#include "spool_sizing.h"

#define PUTS 400
#define SLACK_BYTES (10 * SPOOL_PAGE_BYTES) /* upper levels of the tree, and what transactions leave free */

/* `count` records of `len` bytes each, and the same by the book, within three percent and some pages. */
static void assert_takes(size_t len, unsigned count)
{
    struct fixture fixture;

    fixture_init_fast(&fixture, FIXTURE_SIZE);
    fixture_open(&fixture);
    uint64_t before = fixture_stat(fixture.spool).used_bytes;
    for (unsigned i = 0; i < count; i++)
        assert_true(fixture_put(&fixture, i + 1, len) > 0);
    uint64_t taken = fixture_stat(fixture.spool).used_bytes - before;
    uint64_t expected = count * spool_sizing_record_bytes(len);
    print_message("%zu bytes: %.1f taken, %.1f by the book\n", len, (double)taken / count, (double)expected / count);
    assert_true(taken + SLACK_BYTES >= expected - expected / 33);
    assert_true(taken <= expected + expected / 33 + SLACK_BYTES);
    fixture_close(&fixture);
    fixture_fini(&fixture);
}

static void test_records_take_what_lmdb_says(void **state)
{
    (void)state;
    assert_takes(1, PUTS);
    assert_takes(300, PUTS);
    assert_takes(1300, PUTS); /* two in a page, with much left */
    assert_takes(1946, PUTS); /* the last that shares a page */
    assert_takes(1947, PUTS);
    assert_takes(4008, PUTS); /* the last in one page of its own */
    assert_takes(4009, PUTS);
    assert_takes(8900, PUTS);
    assert_takes(126888, 50); /* one part, */
    assert_takes(126889, 50); /* two */
    assert_takes(1000000, 20);
}

static void test_size_has_the_room_and_a_smaller_one_has_not(void **state)
{
    static const uint64_t rooms[] = {20UL << 20, 480UL << 20, 500UL << 20, 8UL << 30, 3UL << 40};

    (void)state;
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        uint64_t size = spool_sizing_size_bytes(rooms[i]);

        assert_int_equal(size % (1UL << 20), 0);
        assert_true(spool_sizing_room_bytes(size) >= rooms[i]);
        assert_true(spool_sizing_room_bytes(size - (1UL << 20)) < rooms[i]);
    }
    assert_int_equal(spool_sizing_size_bytes(0), SPOOL_SIZE_MIN_BYTES);
    assert_int_equal(spool_sizing_size_bytes(UINT64_MAX), SPOOL_SIZE_MAX_BYTES);
}

/* What the rules for Prometheus say of a spool from 33 MiB x 16 up: fifteen sixteenths of it. */
static void test_room_of_a_large_spool(void **state)
{
    (void)state;
    assert_int_equal(spool_sizing_room_bytes(8UL << 30), (8UL << 30) / 16 * 15);
}

static void test_writer_counts_what_new_records_take(void **state)
{
    struct fixture *fixture = *state;
    uint64_t stored = metrics_get(METRIC_SPOOL_STORED_BYTES), taken = metrics_get(METRIC_SPOOL_TAKEN_BYTES);

    fixture_put(fixture, 1, 5000);
    fixture_put(fixture, 2, 300);
    assert_int_equal(metrics_get(METRIC_SPOOL_STORED_BYTES) - stored, 5300);
    assert_int_equal(metrics_get(METRIC_SPOOL_TAKEN_BYTES) - taken,
                     spool_sizing_record_bytes(5000) + spool_sizing_record_bytes(300));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_take_what_lmdb_says),
        cmocka_unit_test(test_size_has_the_room_and_a_smaller_one_has_not),
        cmocka_unit_test(test_room_of_a_large_spool),
        cmocka_unit_test_setup_teardown(test_writer_counts_what_new_records_take, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests_name("spool_sizing", tests, NULL, NULL);
}
