/*
 * Bytes that went bad on the disk: found when they are read, reported for the
 * record that they belong to, and for no other.
 */
#include "spool_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "metrics.h"
#include "spool_record.h"

static void flip_in_payload(struct fixture *fixture, uint64_t seed, size_t at)
{
    fixture_close(fixture);
    fixture_flip_payload(fixture, seed, at);
    fixture_open(fixture);
}

static void flip_in_header(struct fixture *fixture, uint64_t seq, uint64_t seed, size_t len, uint32_t index)
{
    fixture_close(fixture);
    fixture_flip_header(fixture, seq, seed, len, index);
    fixture_open(fixture);
}

static struct spool_record read_record(struct fixture *fixture, uint64_t seq)
{
    struct spool_record record;
    struct arena arena;
    struct err err;

    arena_init(&arena, SIZE_MAX);
    assert_int_equal(spool_read(fixture->spool, seq, &arena, &record, &err), 1);
    arena_fini(&arena);
    return record;
}

static void put_three(struct fixture *fixture, size_t len)
{
    for (uint64_t i = 1; i <= 3; i++)
        fixture_put(fixture, i, len);
}

static void check_neighbours(struct fixture *fixture, size_t len)
{
    fixture_check(fixture->spool, 1, 1, len, SPOOL_PENDING);
    fixture_check(fixture->spool, 3, 3, len, SPOOL_PENDING);
}

static void test_read_of_a_damaged_payload_says_so(void **state)
{
    static const size_t sizes[] = {1000, 50000, 500000};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint64_t damaged = metrics_get(METRIC_SPOOL_DAMAGED);
        struct spool_record record;

        fixture_fini(fixture);
        fixture_init(fixture, FIXTURE_SIZE);
        fixture_open(fixture);
        put_three(fixture, sizes[i]);
        flip_in_payload(fixture, 2, sizes[i] - 64);
        record = read_record(fixture, 2);
        assert_true(record.damaged);
        assert_int_equal(record.payload.len, 0);
        assert_int_equal(record.stored_bytes, sizes[i]); /* the header is intact */
        assert_int_equal(record.spans, 3);
        assert_int_equal(metrics_get(METRIC_SPOOL_DAMAGED), damaged + 1);
        check_neighbours(fixture, sizes[i]);
    }
}

static void test_read_pending_returns_the_damaged_with_the_others(void **state)
{
    struct fixture *fixture = *state;
    struct spool_record records[8];
    struct arena arena;
    size_t count;
    struct err err;

    put_three(fixture, 20000);
    flip_in_payload(fixture, 2, 100);
    arena_init(&arena, SIZE_MAX);
    assert_int_equal(fixture_read_pending(fixture, 0, 8, SIZE_MAX, &arena, records, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_false(records[0].damaged);
    assert_true(records[1].damaged);
    assert_int_equal(records[1].seq, 2);
    assert_int_equal(records[1].payload.len, 0);
    assert_false(records[2].damaged);
    arena_fini(&arena);
}

static void test_read_of_a_damaged_header_still_knows_the_seq(void **state)
{
    struct fixture *fixture = *state;
    struct spool_record record, listed[4];
    size_t count;
    struct err err;

    put_three(fixture, 3000);
    flip_in_header(fixture, 2, 2, 3000, 0);
    record = read_record(fixture, 2);
    assert_true(record.damaged);
    assert_int_equal(record.seq, 2);
    assert_int_equal(record.stored_bytes, 0);
    assert_int_equal(record.state, SPOOL_PENDING);
    check_neighbours(fixture, 3000);
    assert_int_equal(spool_list(fixture->spool, 0, 4, listed, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_true(listed[1].damaged);
    assert_false(listed[2].damaged);

    /* It can be delivered (that is, parked and passed), and the sums are right in the end. */
    fixture_deliver(fixture, 2, 3);
    assert_int_equal(fixture_stat(fixture->spool).pending_records, 2);
    fixture_deliver(fixture, 1, 4);
    assert_int_equal(fixture_stat(fixture->spool).pending_records, 0);
    assert_int_equal(fixture_stat(fixture->spool).pending_spans, 0);
    assert_int_equal(fixture_stat(fixture->spool).pending_bytes, 0);
}

static void test_read_takes_the_numbers_from_an_intact_part(void **state)
{
    struct fixture *fixture = *state;
    struct spool_record record;

    put_three(fixture, 500000);
    flip_in_header(fixture, 2, 2, 500000, 0);
    record = read_record(fixture, 2);
    assert_true(record.damaged);
    assert_int_equal(record.stored_bytes, 500000);
    assert_int_equal(record.spans, 3);
    check_neighbours(fixture, 500000);
    fixture_deliver(fixture, 2, 3);
    assert_int_equal(fixture_stat(fixture->spool).pending_bytes, 1000000);
}

static void test_read_with_a_later_part_damaged_says_so(void **state)
{
    struct fixture *fixture = *state;

    put_three(fixture, 500000);
    flip_in_header(fixture, 2, 2, 500000, 2);
    assert_true(read_record(fixture, 2).damaged);
    check_neighbours(fixture, 500000);
}

static void test_list_parked_shows_a_damaged_entry_as_such(void **state)
{
    struct fixture *fixture = *state;
    uint8_t payload[5000] = {0};
    struct spool_parked parked = {.seq = 4,
                                  .index = 2,
                                  .reason = SPOOL_PARK_REFUSED,
                                  .text = "why",
                                  .payload = slice_of(payload, sizeof(payload))};
    struct spool_parked listed[4];
    struct arena arena;
    size_t count;
    struct err err;

    fixture_fill(payload, 77, sizeof(payload));
    assert_int_equal(spool_writer_park(fixture->writer, &parked, 1, &err), 0);
    flip_in_payload(fixture, 77, 2000);
    arena_init(&arena, SIZE_MAX);
    assert_int_equal(spool_list_parked(fixture->spool, 0, 0, 4, &arena, listed, &count, &err), 0);
    assert_int_equal(count, 1);
    assert_int_equal(listed[0].seq, 4);
    assert_int_equal(listed[0].index, 2);
    assert_int_equal(listed[0].reason, SPOOL_PARK_DAMAGED);
    assert_string_equal(listed[0].text, "the parked entry itself is damaged");
    assert_int_equal(listed[0].payload.len, 0);
    arena_fini(&arena);
}

#define DAMAGE_TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DAMAGE_TEST(test_read_of_a_damaged_payload_says_so),
        DAMAGE_TEST(test_read_pending_returns_the_damaged_with_the_others),
        DAMAGE_TEST(test_read_of_a_damaged_header_still_knows_the_seq),
        DAMAGE_TEST(test_read_takes_the_numbers_from_an_intact_part),
        DAMAGE_TEST(test_read_with_a_later_part_damaged_says_so),
        DAMAGE_TEST(test_list_parked_shows_a_damaged_entry_as_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
