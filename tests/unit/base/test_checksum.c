/* test_checksum.c - published XXH3 vectors, and that fields cannot run into each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "hex.h"

static void hash_fields(char hex[2 * CHECKSUM_128_BYTES + 1], const char *const *fields, size_t count)
{
    struct checksum_128 *state = checksum_128_new();
    uint8_t result[CHECKSUM_128_BYTES];

    assert_non_null(state);
    for (size_t i = 0; i < count; i++)
        checksum_128_field(state, slice_of_text(fields[i]));
    checksum_128_result(state, result);
    checksum_128_free(state);
    hex_encode(hex, result, sizeof(result));
}

static void test_checksum_64_matches_published_vector(void **state)
{
    (void)state;
    assert_true(checksum_64(slice_of(NULL, 0)) == 0x2d06800538d394c2ULL); /* XXH3_64bits("", 0) */
    assert_true(checksum_64(slice_of_text("a")) != checksum_64(slice_of_text("b")));
}

static void test_fields_do_not_run_together(void **state)
{
    const char *one[] = {"ab", "c"}, *two[] = {"a", "bc"}, *three[] = {"abc"}, *four[] = {"ab", "c", ""};
    char hex[4][2 * CHECKSUM_128_BYTES + 1];

    (void)state;
    hash_fields(hex[0], one, 2);
    hash_fields(hex[1], two, 2);
    hash_fields(hex[2], three, 1);
    hash_fields(hex[3], four, 3);
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(hex[i], hex[j]);
    }
}

static void test_reset_starts_anew(void **state)
{
    struct checksum_128 *hash = checksum_128_new();
    uint8_t first[CHECKSUM_128_BYTES], second[CHECKSUM_128_BYTES];

    (void)state;
    assert_non_null(hash);
    checksum_128_field(hash, slice_of_text("x"));
    checksum_128_result(hash, first);
    checksum_128_reset(hash);
    checksum_128_field(hash, slice_of_text("x"));
    checksum_128_result(hash, second);
    checksum_128_free(hash);
    assert_memory_equal(first, second, sizeof(first));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum_64_matches_published_vector),
        cmocka_unit_test(test_fields_do_not_run_together),
        cmocka_unit_test(test_reset_starts_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
