/*
 * test_tracing_export.c - the exporter's thread: batches, a receiver that does
 * not take them, files that are not there, the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "metrics.h"
#include "stub_receiver.h"
#include "tracing.h"
#include "tracing_export.h"
#include "tracing_sampler.h"

static uint64_t begun_with[3];

static const enum metric outcomes[3] = {METRIC_TRACING_EXPORTED, METRIC_TRACING_FAILED, METRIC_TRACING_DROPPED};

static int note_metrics(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        begun_with[i] = metrics_get(outcomes[i]);
    return 0;
}

static void expect_outcomes(uint64_t exported, uint64_t failed, uint64_t dropped)
{
    assert_int_equal(metrics_get(METRIC_TRACING_EXPORTED) - begun_with[0], exported);
    assert_int_equal(metrics_get(METRIC_TRACING_FAILED) - begun_with[1], failed);
    assert_int_equal(metrics_get(METRIC_TRACING_DROPPED) - begun_with[2], dropped);
}

static struct tracing_export *start(const struct stub_receiver *stub, const char *token_file)
{
    struct tracing_export_options options = {
        .ratio_millionths = TRACING_SAMPLER_ALL, .ca_file = "", .token_file = token_file};
    struct tracing_export *export;
    char endpoint[64];
    struct err err;

    snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%u", stub->port);
    options.endpoint = endpoint;
    if (tracing_export_start(&export, &options, &err) != 0)
        fail_msg("%s", err.text);
    assert_non_null(export);
    assert_true(tracing_is_on());
    return export;
}

static void record(unsigned count)
{
    struct tracing_live live;
    struct tracing_span span;

    for (unsigned i = 0; i < count; i++) {
        tracing_begin(&live, NULL, false, clock_mono_ns());
        tracing_span_init(&span, &live, "a span", TRACING_INTERNAL);
        tracing_record(&span);
    }
}

static void test_without_an_endpoint_nothing_is_done(void **state)
{
    struct tracing_export_options options = {.endpoint = "", .ca_file = "/none", .token_file = "/none"};
    struct tracing_export *export = (struct tracing_export *)&options;

    (void)state;
    assert_int_equal(tracing_export_start(&export, &options, NULL), 0);
    assert_null(export);
    assert_false(tracing_is_on());
    tracing_export_stop(NULL);
}

/* The first without a wait for TRACING_BATCH_MS, or the test would take that long. */
static void test_batch_is_sent_at_once_and_the_rest_at_the_end(void **state)
{
    struct stub_receiver stub;
    struct tracing_export *export;
    uint64_t begun_ns = clock_mono_ns();

    (void)state;
    stub_receiver_start(&stub, STUB_OK);
    export = start(&stub, "");
    record(TRACING_BATCH_SPANS);
    stub_receiver_await(&stub, 1);
    assert_true(clock_mono_ns() - begun_ns < TRACING_BATCH_MS * NS_PER_MS);
    record(3);
    tracing_export_stop(export);
    assert_false(tracing_is_on());
    assert_int_equal(stub.requests, 2);
    expect_outcomes(TRACING_BATCH_SPANS + 3, 0, 0);
    stub_receiver_stop(&stub);
}

static void test_spans_are_sent_after_a_while(void **state)
{
    struct stub_receiver stub;
    struct tracing_export *export;

    (void)state;
    stub_receiver_start(&stub, STUB_OK);
    export = start(&stub, "");
    record(1);
    stub_receiver_await(&stub, 1);
    tracing_export_stop(export);
    expect_outcomes(1, 0, 0);
    stub_receiver_stop(&stub);
}

static void test_refused_spans_are_counted_and_not_kept(void **state)
{
    struct stub_receiver stub;
    struct tracing_export *export;

    (void)state;
    stub_receiver_start(&stub, "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n");
    export = start(&stub, "");
    record(TRACING_BATCH_SPANS);
    stub_receiver_await(&stub, 1);
    record(2);
    tracing_export_stop(export);
    assert_int_equal(stub.requests, 2);
    expect_outcomes(0, TRACING_BATCH_SPANS + 2, 0);
    stub_receiver_stop(&stub);
}

static void test_partly_rejected_spans_are_counted(void **state)
{
    struct stub_receiver stub;
    struct tracing_export *export;

    (void)state;
    stub_receiver_start(&stub, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\x0A\x02\x08\x03");
    export = start(&stub, "");
    record(5);
    tracing_export_stop(export);
    expect_outcomes(2, 3, 0);
    stub_receiver_stop(&stub);
}

/* What waits meanwhile finds the ring full: nobody waits for it. */
static void test_receiver_that_hangs_costs_spans_and_a_second_at_the_end(void **state)
{
    struct stub_receiver stub;
    struct tracing_export *export;
    uint64_t stopped_ns;

    (void)state;
    stub_receiver_start(&stub, NULL);
    export = start(&stub, "");
    record(TRACING_BATCH_SPANS);
    stub_receiver_await(&stub, 1);
    record(TRACING_RING_SPANS + 7);
    expect_outcomes(0, 0, 7);
    stopped_ns = clock_mono_ns();
    tracing_export_stop(export);
    assert_true(clock_mono_ns() - stopped_ns < TRACING_EXPORT_MS * NS_PER_MS);
    expect_outcomes(0, TRACING_BATCH_SPANS + TRACING_RING_SPANS, 7);
    stub_receiver_stop(&stub);
}

static void test_token_is_sent(void **state)
{
    char path[] = "/tmp/tracespool-token-XXXXXX";
    struct stub_receiver stub;
    struct tracing_export *export;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0 && write(fd, "# for a test\n\n  the-first-token-1 \nthe-second-token\n", 51) == 51);
    close(fd);
    stub_receiver_start(&stub, STUB_OK);
    export = start(&stub, path);
    record(1);
    tracing_export_stop(export);
    assert_non_null(strstr(stub.head, "\r\nAuthorization: Bearer the-first-token-1\r\n"));
    stub_receiver_stop(&stub);
    unlink(path);
}

static void expect_no_start(const struct tracing_export_options *options, enum err_class class, const char *text)
{
    struct tracing_export *export;
    struct err err;

    assert_int_equal(tracing_export_start(&export, options, &err), -1);
    assert_int_equal(err.class, class);
    assert_string_equal(err.text, text);
    assert_null(export);
    assert_false(tracing_is_on());
}

static void test_start_names_what_is_missing(void **state)
{
    struct tracing_export_options options = {
        .endpoint = "https://127.0.0.1:1", .ca_file = "/none/ca", .token_file = ""};

    (void)state;
    expect_no_start(&options, ERR_CONFIG, "tracing.ca_file: cannot read /none/ca: No such file or directory");
    options.ca_file = "";
    options.token_file = "/none/token";
    expect_no_start(&options, ERR_CONFIG, "tracing.token_file: cannot read /none/token: No such file or directory");
    options.token_file = "/dev/null";
    expect_no_start(&options, ERR_CONFIG, "tracing.token_file: /dev/null: no token is in it");
    options.token_file = "";
    fault_arm("tracing.thread", 1, 11);
    expect_no_start(&options, ERR_RETRY, "cannot start a thread: Resource temporarily unavailable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_an_endpoint_nothing_is_done),
        cmocka_unit_test_setup(test_batch_is_sent_at_once_and_the_rest_at_the_end, note_metrics),
        cmocka_unit_test_setup(test_spans_are_sent_after_a_while, note_metrics),
        cmocka_unit_test_setup(test_refused_spans_are_counted_and_not_kept, note_metrics),
        cmocka_unit_test_setup(test_partly_rejected_spans_are_counted, note_metrics),
        cmocka_unit_test_setup(test_receiver_that_hangs_costs_spans_and_a_second_at_the_end, note_metrics),
        cmocka_unit_test_setup(test_token_is_sent, note_metrics),
        cmocka_unit_test(test_start_names_what_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
