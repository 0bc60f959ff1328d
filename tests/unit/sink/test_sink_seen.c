#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink_seen.h"

static void digest_of(uint64_t number, uint8_t digest[CHECKSUM_128_BYTES])
{
    /* The low bits are equal for many of them, so they meet in the same slots. */
    memset(digest, 0, CHECKSUM_128_BYTES);
    number = (number << 12) | 1;
    memcpy(digest, &number, sizeof(number));
}

static void test_add_finds_what_was_added_across_growth(void **state)
{
    struct sink_seen seen = {.count = 0};
    uint8_t digest[CHECKSUM_128_BYTES];

    (void)state;
    for (uint64_t i = 0; i < 5000; i++) {
        digest_of(i, digest);
        assert_int_equal(sink_seen_add(&seen, digest), 1);
    }
    for (uint64_t i = 0; i < 5000; i++) {
        digest_of(i, digest);
        assert_int_equal(sink_seen_add(&seen, digest), 0);
    }
    assert_int_equal(seen.count, 5000);
    sink_seen_fini(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_finds_what_was_added_across_growth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
