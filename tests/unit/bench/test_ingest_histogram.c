/* test_ingest_histogram.c - percentiles against sorted values, and the ends of the range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ingest_histogram.h"
#include "ingest_request.h"

#define VALUES 20000

static struct ingest_histogram histogram;

static int start_empty(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof(histogram));
    return 0;
}

static int compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    return one < other ? -1 : one > other;
}

static void test_none_gives_zero(void **state)
{
    (void)state;
    assert_int_equal(ingest_histogram_at(&histogram, 5000), 0);
    assert_int_equal(ingest_histogram_at(&histogram, 10000), 0);
}

static void test_small_values_are_exact(void **state)
{
    (void)state;
    for (uint64_t value = 1; value <= 100; value++)
        ingest_histogram_add(&histogram, value);
    assert_int_equal(ingest_histogram_at(&histogram, 1), 1);
    assert_int_equal(ingest_histogram_at(&histogram, 5000), 50);
    assert_int_equal(ingest_histogram_at(&histogram, 9000), 90);
    assert_int_equal(ingest_histogram_at(&histogram, 9900), 99);
    assert_int_equal(ingest_histogram_at(&histogram, 9901), 100);
    assert_int_equal(ingest_histogram_at(&histogram, 10000), 100);
}

static void test_the_slowest_of_many_is_seen_at_its_share_and_not_before(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 999; i++)
        ingest_histogram_add(&histogram, 10);
    ingest_histogram_add(&histogram, 1000003);
    assert_int_equal(ingest_histogram_at(&histogram, 9990), 10);
    assert_int_equal(ingest_histogram_at(&histogram, 9991), 1000003);
}

/* Of all sizes: each power of two has values. */
static void test_percentiles_are_within_a_bucket_of_the_sorted_values(void **state)
{
    static const unsigned wanted[] = {1, 500, 5000, 9000, 9900, 9990, 10000};
    static uint64_t values[VALUES];
    uint64_t random = 1;

    (void)state;
    for (unsigned i = 0; i < VALUES; i++) {
        values[i] = ingest_random(&random) >> (i % 64);
        ingest_histogram_add(&histogram, values[i]);
    }
    qsort(values, VALUES, sizeof(values[0]), compare);
    for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        uint64_t exact = values[(VALUES * wanted[i] + 9999) / 10000 - 1];
        uint64_t found = ingest_histogram_at(&histogram, wanted[i]);

        assert_true(found >= exact);
        assert_true(found - exact <= exact >> INGEST_HISTOGRAM_BITS);
    }
}

static void test_the_largest_number_has_a_bucket(void **state)
{
    (void)state;
    ingest_histogram_add(&histogram, 0);
    ingest_histogram_add(&histogram, UINT64_MAX);
    assert_int_equal(ingest_histogram_at(&histogram, 5000), 0);
    assert_true(ingest_histogram_at(&histogram, 10000) == UINT64_MAX);
    assert_int_equal(histogram.buckets[INGEST_HISTOGRAM_BUCKETS - 1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_none_gives_zero, start_empty),
        cmocka_unit_test_setup(test_small_values_are_exact, start_empty),
        cmocka_unit_test_setup(test_the_slowest_of_many_is_seen_at_its_share_and_not_before, start_empty),
        cmocka_unit_test_setup(test_percentiles_are_within_a_bucket_of_the_sorted_values, start_empty),
        cmocka_unit_test_setup(test_the_largest_number_has_a_bucket, start_empty),
    };

    return cmocka_run_group_tests_name("ingest_histogram", tests, NULL, NULL);
}
