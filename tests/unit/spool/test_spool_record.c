/*
 * Part headers and keys: what is written is read back, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bounds.h"
#include "spool_record.h"

#define PAYLOAD_BYTES 100

static const struct spool_part sample = {
    .magic = SPOOL_MAGIC_RECORD,
    .codec = 2,
    .in_order = true,
    .seq = 0x1122334455667788,
    .received_ns = 1700000000123456789,
    .raw_bytes = UINT64_MAX,
    .stored_bytes = 1000,
    .spans = 4000000000U,
    .index = 3,
    .count = 7,
    .bytes = PAYLOAD_BYTES,
    .checksum = 0xFEDCBA9876543210,
};

static struct slice encode(uint8_t *value)
{
    memset(value, 0xAB, SPOOL_PART_HEADER_BYTES + PAYLOAD_BYTES);
    spool_part_encode(value, &sample);
    return slice_of(value, SPOOL_PART_HEADER_BYTES + PAYLOAD_BYTES);
}

static void test_part_decode_returns_what_was_encoded(void **state)
{
    uint8_t value[SPOOL_PART_HEADER_BYTES + PAYLOAD_BYTES];
    struct slice bytes = encode(value);
    struct spool_part part;

    (void)state;
    assert_true(spool_part_decode(&part, SPOOL_MAGIC_RECORD, bytes));
    assert_int_equal(part.codec, 2);
    assert_true(part.in_order);
    assert_int_equal(part.seq, sample.seq);
    assert_int_equal(part.received_ns, sample.received_ns);
    assert_true(part.raw_bytes == UINT64_MAX);
    assert_int_equal(part.stored_bytes, 1000);
    assert_int_equal(part.spans, 4000000000U);
    assert_int_equal(part.index, 3);
    assert_int_equal(part.count, 7);
    assert_int_equal(part.bytes, PAYLOAD_BYTES);
    assert_true(part.checksum == sample.checksum);
    assert_ptr_equal(spool_part_payload(bytes).data, value + SPOOL_PART_HEADER_BYTES);
    assert_int_equal(spool_part_payload(bytes).len, PAYLOAD_BYTES);
    /* The layout is a format: its first bytes and its numbers are little-endian on every machine. */
    assert_memory_equal(value, "TSPR\1\2\1\0\x88\x77\x66\x55\x44\x33\x22\x11", 16);
}

static void test_part_decode_any_flipped_header_bit_is_found(void **state)
{
    uint8_t value[SPOOL_PART_HEADER_BYTES + PAYLOAD_BYTES];
    struct slice bytes = encode(value);
    struct spool_part part;

    (void)state;
    for (unsigned bit = 0; bit < SPOOL_PART_HEADER_BYTES * 8; bit++) {
        value[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(spool_part_decode(&part, SPOOL_MAGIC_RECORD, bytes));
        value[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(spool_part_decode(&part, SPOOL_MAGIC_RECORD, bytes));
}

static void test_part_decode_wrong_length_or_magic_is_refused(void **state)
{
    uint8_t value[SPOOL_PART_HEADER_BYTES + PAYLOAD_BYTES];
    struct slice bytes = encode(value);
    struct spool_part part;

    (void)state;
    for (size_t len = 0; len < bytes.len; len++)
        assert_false(spool_part_decode(&part, SPOOL_MAGIC_RECORD, slice_of(value, len)));
    assert_false(spool_part_decode(&part, SPOOL_MAGIC_PARKED, bytes));
}

static void test_part_count_around_the_boundary(void **state)
{
    uint32_t most = spool_part_bytes_max(SPOOL_PART_PAGES);

    (void)state;
    /* With its header and LMDB's a full part is whole pages, and not a byte more. */
    assert_int_equal(most + SPOOL_PART_HEADER_BYTES + 16, SPOOL_PART_PAGES * SPOOL_PAGE_BYTES);
    assert_int_equal(spool_part_count(0, most), 1);
    assert_int_equal(spool_part_count(1, most), 1);
    assert_int_equal(spool_part_count(most, most), 1);
    assert_int_equal(spool_part_count((uint64_t)most + 1, most), 2);
    assert_int_equal(spool_part_count((uint64_t)most * 10, most), 10);
}

static void test_keys_sort_as_their_numbers(void **state)
{
    static const uint64_t numbers[] = {0, 1, 255, 256, 65535, 1ULL << 32, (1ULL << 32) + 1, UINT64_MAX - 1, UINT64_MAX};
    uint8_t a[8], b[8];

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        spool_key_put_u64(a, numbers[i]);
        assert_int_equal(spool_key_get_u64(a), numbers[i]);
        if (i > 0) {
            spool_key_put_u64(b, numbers[i - 1]);
            assert_true(memcmp(b, a, sizeof(a)) < 0);
        }
    }
    spool_key_put_u32(a, 0x01020304);
    assert_memory_equal(a, "\1\2\3\4", 4);
    assert_int_equal(spool_key_get_u32(a), 0x01020304);
    spool_put_u32(a, 0xFFFFFFFE);
    assert_int_equal(spool_get_u32(a), 0xFFFFFFFE);
    spool_put_u64(a, UINT64_MAX - 5);
    assert_int_equal(spool_get_u64(a), UINT64_MAX - 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_part_decode_returns_what_was_encoded),
        cmocka_unit_test(test_part_decode_any_flipped_header_bit_is_found),
        cmocka_unit_test(test_part_decode_wrong_length_or_magic_is_refused),
        cmocka_unit_test(test_part_count_around_the_boundary),
        cmocka_unit_test(test_keys_sort_as_their_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
