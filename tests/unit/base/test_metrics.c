/* test_metrics.c - counting, and the text exposition format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "metrics.h"

static void render(struct buf *out)
{
    buf_init(out, 1 << 20);
    assert_int_equal(metrics_render(out, METRICS_PROMETHEUS_TEXT), 0);
    assert_int_equal(buf_append(out, "", 1), 0); /* a NUL, for strstr */
}

static void test_values_are_rendered(void **state)
{
    struct buf out;

    (void)state;
    metrics_add(METRIC_RECEIVER_OK, 2);
    metrics_add(METRIC_RECEIVER_OK, 3);
    metrics_set(METRIC_SPOOL_USED_BYTES, 77);
    metrics_set(METRIC_SPOOL_USED_BYTES, 78);
    assert_int_equal(metrics_get(METRIC_RECEIVER_OK), 5);
    render(&out);
    assert_non_null(strstr((char *)out.data, "\ntracespool_receiver_requests_total{code=\"OK\"} 5\n"));
    assert_non_null(
        strstr((char *)out.data, "\n# TYPE tracespool_spool_used_bytes gauge\ntracespool_spool_used_bytes 78\n"));
    buf_fini(&out);
}

static void test_gauge_counts_up_and_down(void **state)
{
    struct buf out;

    (void)state;
    metrics_add(METRIC_RECEIVER_CALLS, 3);
    metrics_add(METRIC_RECEIVER_CALLS, (uint64_t)-2);
    assert_int_equal(metrics_get(METRIC_RECEIVER_CALLS), 1);
    render(&out);
    assert_non_null(
        strstr((char *)out.data, "\n# TYPE tracespool_receiver_calls gauge\ntracespool_receiver_calls 1\n"));
    buf_fini(&out);
}

static void test_seconds_are_counted_in_ns(void **state)
{
    struct buf out;

    (void)state;
    metrics_add(METRIC_SPOOL_REFUSING_SECONDS, 1999999999);
    metrics_add(METRIC_SPOOL_REFUSING_SECONDS, 50000001);
    render(&out);
    assert_non_null(strstr((char *)out.data, "\n# TYPE tracespool_spool_refusing_seconds_total counter\n"
                                             "tracespool_spool_refusing_seconds_total 2.05\n"));
    buf_fini(&out);
}

static void test_family_has_one_header(void **state)
{
    struct buf out;
    char *first;

    (void)state;
    render(&out);
    first = strstr((char *)out.data, "# TYPE tracespool_receiver_requests_total counter\n");
    assert_non_null(first);
    assert_null(strstr(first + 1, "# TYPE tracespool_receiver_requests_total "));
    buf_fini(&out);
}

static void test_full_buffer_fails(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    assert_int_equal(metrics_render(&out, METRICS_PROMETHEUS_TEXT), -1);
    buf_fini(&out);
}

/* A value at a bound is in its bucket, one above all bounds in none; buckets hold all below. */
static void test_histogram_is_cumulative(void **state)
{
    struct buf out;

    (void)state;
    metrics_observe(METRIC_HISTOGRAM_SPOOL_GROUP, 1);
    metrics_observe(METRIC_HISTOGRAM_SPOOL_GROUP, 3);
    metrics_observe(METRIC_HISTOGRAM_SPOOL_GROUP, 4);
    metrics_observe(METRIC_HISTOGRAM_SPOOL_GROUP, 5000);
    metrics_observe(METRIC_HISTOGRAM_SPOOL_SYNC, 500000);
    metrics_observe(METRIC_HISTOGRAM_SPOOL_SYNC, 500001);
    render(&out);
    assert_non_null(strstr((char *)out.data, "\n# TYPE tracespool_spool_group_records histogram\n"
                                             "tracespool_spool_group_records_bucket{le=\"1.0\"} 1\n"
                                             "tracespool_spool_group_records_bucket{le=\"2.0\"} 1\n"
                                             "tracespool_spool_group_records_bucket{le=\"4.0\"} 3\n"));
    assert_non_null(strstr((char *)out.data, "\ntracespool_spool_group_records_bucket{le=\"512.0\"} 3\n"
                                             "tracespool_spool_group_records_bucket{le=\"+Inf\"} 4\n"
                                             "tracespool_spool_group_records_sum 5008.0\n"
                                             "tracespool_spool_group_records_count 4\n"));
    assert_non_null(strstr((char *)out.data, "\ntracespool_spool_sync_seconds_bucket{le=\"0.0005\"} 1\n"
                                             "tracespool_spool_sync_seconds_bucket{le=\"0.001\"} 2\n"));
    assert_non_null(strstr((char *)out.data, "\ntracespool_spool_sync_seconds_sum 0.001000001\n"));
    buf_fini(&out);
}

static void test_gauge_that_is_not_known_is_nan(void **state)
{
    struct buf out;

    (void)state;
    metrics_set(METRIC_SPOOL_DRAINED_IN_SECONDS, METRICS_UNKNOWN);
    render(&out);
    assert_non_null(strstr((char *)out.data, "\n# TYPE tracespool_spool_drained_in_seconds gauge\n"
                                             "tracespool_spool_drained_in_seconds NaN\n"));
    buf_fini(&out);
    metrics_set(METRIC_SPOOL_DRAINED_IN_SECONDS, 12);
    render(&out);
    assert_non_null(strstr((char *)out.data, "\ntracespool_spool_drained_in_seconds 12\n"));
    buf_fini(&out);
}

static void test_openmetrics_names_families_without_total(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    assert_int_equal(metrics_render(&out, METRICS_OPENMETRICS), 0);
    assert_int_equal(buf_append(&out, "", 1), 0);
    assert_non_null(strstr((char *)out.data, "\n# TYPE tracespool_receiver_requests counter\n"
                                             "tracespool_receiver_requests_total{code=\"OK\"} "));
    assert_null(strstr((char *)out.data, "_total counter\n"));
    assert_string_equal((char *)out.data + out.len - 8, "\n# EOF\n");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_rendered),
        cmocka_unit_test(test_gauge_counts_up_and_down),
        cmocka_unit_test(test_seconds_are_counted_in_ns),
        cmocka_unit_test(test_family_has_one_header),
        cmocka_unit_test(test_full_buffer_fails),
        cmocka_unit_test(test_histogram_is_cumulative),
        cmocka_unit_test(test_gauge_that_is_not_known_is_nan),
        cmocka_unit_test(test_openmetrics_names_families_without_total),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
