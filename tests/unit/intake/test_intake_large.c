/*
 * test_intake_large.c - requests that are checked on a thread of their own,
 * with a real spool; what a transport does, by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "intake_export.h"
#include "intake_home.h"
#include "otlp_field.h"
#include "packers.h"

#define LARGE_BYTES (3UL << 20)
#define MAX_REQUEST_BYTES (4UL << 20)

static const struct intake_options options = {.max_request_bytes = MAX_REQUEST_BYTES,
                                              .max_depth = OTLP_DEPTH_MAX,
                                              .max_in_flight_bytes = 64UL << 20,
                                              .max_calls = 10};
static struct home home;
static struct intake *intake;
static struct intake_scratch scratch;
static struct buf request; /* LARGE_BYTES and a bit */

/* --- what a transport does ---------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_held; /* so long note_done does not return */

struct call {
    struct intake_export export;
    bool is_done;
    pthread_t thread; /* of note_done */
};

static void note_done(struct intake_export *export)
{
    struct call *call = (struct call *)(void *)((char *)export - offsetof(struct call, export));

    pthread_mutex_lock(&lock);
    call->is_done = true;
    call->thread = pthread_self();
    while (is_held)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void hold(bool held)
{
    pthread_mutex_lock(&lock);
    is_held = held;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static bool was_done(void *context)
{
    struct call *call = context;
    bool done;

    pthread_mutex_lock(&lock);
    done = call->is_done;
    pthread_mutex_unlock(&lock);
    return done;
}

static bool give(struct call *call, enum intake_format format, enum otlp_codec codec, struct slice bytes)
{
    struct buf message;

    *call = (struct call){.is_done = false};
    buf_init(&message, 64UL << 20);
    assert_int_equal(buf_append(&message, bytes.data, bytes.len), 0);
    assert_true(intake_export_begin(&call->export, intake, note_done));
    assert_true(intake_export_hold(&call->export, message.capacity));
    return intake_export_store(&call->export, &scratch, format, codec, &message);
}

static void await(struct call *call)
{
    home_wait(was_done, call);
    intake_export_finish(&call->export);
}

static void assert_answer(const struct call *call, enum intake_code code, const char *text)
{
    assert_int_equal(call->export.answer.code, code);
    assert_string_equal(call->export.answer.message, text);
}

/* Checked elsewhere, and OK. */
static void send_ok(enum intake_format format, enum otlp_codec codec, struct slice bytes)
{
    struct call call;

    assert_true(give(&call, format, codec, bytes));
    assert_int_equal(scratch.inflated.len + scratch.converted.len + scratch.deflated.len, 0);
    await(&call);
    assert_answer(&call, INTAKE_CODE_OK, "");
    intake_export_end(&call.export);
}

static void send_refused(enum otlp_codec codec, struct slice bytes, enum intake_code code, const char *text)
{
    struct call call;

    assert_true(give(&call, INTAKE_PROTOBUF, codec, bytes));
    await(&call);
    assert_answer(&call, code, text);
    intake_export_end(&call.export);
    assert_int_equal(home_stat(&home).received_records, 0);
}

/* --- every test ---------------------------------------------------------------------- */

static int open(void **state)
{
    char *name = calloc(1, LARGE_BYTES);
    struct err err;

    (void)state;
    assert_non_null(name);
    memset(name, 'x', LARGE_BYTES);
    home_open(&home, HOME_SPOOL_BYTES);
    assert_int_equal(intake_new(&intake, &options, home.writer, &err), 0);
    intake_scratch_init(&scratch, INTAKE_SMALL_BYTES);
    buf_init(&request, 64UL << 20);
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of(name, LARGE_BYTES));
    free(name);
    is_held = false;
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    assert_int_equal(metrics_get(METRIC_RECEIVER_CALLS), 0);
    assert_int_equal(metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES), 0);
    buf_fini(&request);
    intake_scratch_fini(&scratch);
    intake_free(intake);
    home_close(&home);
    return 0;
}

/* --- stored -------------------------------------------------------------------------- */

static void test_every_codec_is_stored(void **state)
{
    static const enum otlp_codec codecs[] = {OTLP_CODEC_GZIP, OTLP_CODEC_DEFLATE, OTLP_CODEC_ZSTD, OTLP_CODEC_SNAPPY};
    struct buf packed;

    (void)state;
    buf_init(&packed, 64UL << 20);
    send_ok(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, buf_slice(&request));
    home_assert_stored(&home, 1, buf_slice(&request));
    for (size_t i = 0; i < 4; i++) {
        pack(codecs[i], buf_slice(&request), &packed);
        assert_true(packed.len < INTAKE_SMALL_BYTES); /* what it inflates to is what counts */
        send_ok(INTAKE_PROTOBUF, codecs[i], buf_slice(&packed));
        home_assert_stored(&home, i + 2, buf_slice(&request));
    }
    buf_fini(&packed);
}

static void test_json_is_stored(void **state)
{
    struct buf json;

    (void)state;
    buf_init(&json, 64UL << 20);
    buf_text(&json, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{"
                    "\"traceId\":\"30313233343536373839616263646566\",\"spanId\":\"3031323334353637\",\"name\":\"");
    for (size_t i = 0; i < LARGE_BYTES; i++)
        buf_text(&json, "x");
    buf_text(&json, "\"}]}]}]}");
    assert_false(json.failed);
    send_ok(INTAKE_JSON, OTLP_CODEC_IDENTITY, buf_slice(&json));
    home_assert_stored(&home, 1, buf_slice(&request));
    buf_fini(&json);
}

static void test_rejected_spans_are_counted(void **state)
{
    struct call call;

    (void)state;
    home_put_span(&request, HOME_TRACE_ID, "", slice_of_text("bad span"));
    assert_true(give(&call, INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, buf_slice(&request)));
    await(&call);
    assert_int_equal(call.export.answer.code, INTAKE_CODE_OK);
    assert_int_equal(call.export.answer.rejected_spans, 1);
    intake_export_end(&call.export);
    assert_int_equal(home_stat(&home).received_records, 1);
}

static void test_nothing_to_store_is_ok(void **state)
{
    struct buf unknown;
    struct call call;

    (void)state;
    buf_init(&unknown, 64UL << 20);
    otlp_field_put_bytes(&unknown, 100, buf_slice(&request)); /* a field that OTLP does not have */
    assert_true(give(&call, INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, buf_slice(&unknown)));
    await(&call);
    assert_answer(&call, INTAKE_CODE_OK, "");
    assert_int_equal(metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES), unknown.capacity);
    intake_export_end(&call.export);
    assert_int_equal(home_stat(&home).received_records, 0);
    buf_fini(&unknown);
}

/* --- refused -------------------------------------------------------------------------- */

static void test_beyond_the_bound_is_final(void **state)
{
    uint64_t too_large = metrics_get(METRIC_RECEIVER_TOO_LARGE);
    uint8_t *zeroes = calloc(1, MAX_REQUEST_BYTES + 1);
    struct buf packed;

    (void)state;
    assert_non_null(zeroes);
    buf_init(&packed, 64UL << 20);
    pack(OTLP_CODEC_GZIP, slice_of(zeroes, MAX_REQUEST_BYTES + 1), &packed);
    send_refused(OTLP_CODEC_GZIP, buf_slice(&packed), INTAKE_CODE_RESOURCE_EXHAUSTED,
                 "gzip: more than 4194304 bytes when inflated");
    assert_int_equal(metrics_get(METRIC_RECEIVER_TOO_LARGE), too_large + 1);
    buf_fini(&packed);
    free(zeroes);
}

static void test_what_is_wrong_is_final(void **state)
{
    (void)state;
    send_refused(OTLP_CODEC_IDENTITY, slice_of(request.data, request.len - 1), INTAKE_CODE_INVALID_ARGUMENT,
                 "request: a length that passes the end, at byte 0");
}

static void test_faults_are_unavailable(void **state)
{
    (void)state;
    fault_arm("receiver.received", 1, ENOMEM);
    send_refused(OTLP_CODEC_IDENTITY, buf_slice(&request), INTAKE_CODE_UNAVAILABLE,
                 "fault before the request was stored");
    fault_arm("receiver.deflate", 1, ENOMEM);
    send_refused(OTLP_CODEC_IDENTITY, buf_slice(&request), INTAKE_CODE_UNAVAILABLE,
                 "no memory to compress the request");
    send_ok(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, buf_slice(&request));
}

/* --- the thread ------------------------------------------------------------------------ */

/* The first one, which is refused, is told, and that takes its time; so the second one waits, and a small one not. */
static void test_small_requests_do_not_wait(void **state)
{
    struct call first, second, small;
    struct buf span;

    (void)state;
    buf_init(&span, 1000);
    home_put_span(&span, HOME_TRACE_ID, HOME_SPAN_ID, slice_of_text("a span"));
    hold(true);
    assert_true(give(&first, INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, slice_of(request.data, request.len - 1)));
    home_wait(was_done, &first);
    assert_true(give(&second, INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, slice_of(request.data, request.len - 1)));
    assert_true(give(&small, INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, buf_slice(&span)));
    home_wait(was_done, &small);
    assert_false(pthread_equal(small.thread, first.thread));
    assert_false(was_done(&second));
    hold(false);
    home_wait(was_done, &second);
    assert_true(pthread_equal(second.thread, first.thread));
    assert_false(pthread_equal(second.thread, pthread_self()));
    intake_export_end(&first.export);
    intake_export_end(&second.export);
    intake_export_end(&small.export);
    buf_fini(&span);
}

static void test_many_are_checked_in_their_order(void **state)
{
    struct call calls[10];
    struct buf back;

    (void)state;
    for (size_t i = 0; i < 10; i++) {
        request.data[request.len - 1] = (uint8_t)('0' + i);
        assert_true(give(&calls[i], INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, buf_slice(&request)));
    }
    for (size_t i = 0; i < 10; i++) {
        await(&calls[i]);
        assert_answer(&calls[i], INTAKE_CODE_OK, "");
        buf_init(&back, 64UL << 20);
        home_read(&home, i + 1, &back);
        assert_int_equal(back.data[back.len - 1], '0' + i);
        buf_fini(&back);
        intake_export_end(&calls[i].export);
    }
}

/* The time to stop is over: what waits is refused, so that its client comes again. */
static void test_cut_refuses_what_waits(void **state)
{
    struct call first, second;

    (void)state;
    hold(true);
    assert_true(give(&first, INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, slice_of(request.data, request.len - 1)));
    home_wait(was_done, &first);
    assert_true(give(&second, INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY, buf_slice(&request)));
    intake_close(intake);
    intake_cut(intake);
    hold(false);
    await(&second);
    assert_answer(&second, INTAKE_CODE_UNAVAILABLE, "the receiver is stopping");
    assert_true(second.export.answer.retry_after_ms > 0);
    intake_export_end(&first.export);
    intake_export_end(&second.export);
    assert_int_equal(home_stat(&home).received_records, 0);
}

static void test_start_without_a_thread_fails(void **state)
{
    struct intake *none = NULL;
    struct err err;

    (void)state;
    fault_arm("receiver.thread", 1, EAGAIN);
    assert_int_equal(intake_new(&none, &options, home.writer, &err), -1);
    assert_null(none);
    assert_int_equal(err.class, ERR_RETRY);
    assert_string_equal(err.text, "cannot start a thread: Resource temporarily unavailable");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_codec_is_stored),           TEST(test_json_is_stored),
        TEST(test_rejected_spans_are_counted),      TEST(test_nothing_to_store_is_ok),
        TEST(test_beyond_the_bound_is_final),       TEST(test_what_is_wrong_is_final),
        TEST(test_faults_are_unavailable),          TEST(test_small_requests_do_not_wait),
        TEST(test_many_are_checked_in_their_order), TEST(test_cut_refuses_what_waits),
        TEST(test_start_without_a_thread_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
