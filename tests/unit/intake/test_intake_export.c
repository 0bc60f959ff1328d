/*
 * test_intake_export.c - one Export, from its admission to its answer, with a
 * real spool; what a transport does, by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "fault.h"
#include "intake_export.h"
#include "intake_home.h"
#include "packers.h"

#define IN_FLIGHT_BYTES (1UL << 20)

static const struct intake_options options = {.max_request_bytes = 1UL << 20,
                                              .max_depth = OTLP_DEPTH_MAX,
                                              .max_in_flight_bytes = IN_FLIGHT_BYTES,
                                              .max_calls = 2};
static struct home home;
static struct intake *intake;
static struct intake_scratch scratch;
static struct buf request;
static struct buf message;
static struct intake_export export;

static int open(void **state)
{
    struct err err;

    (void)state;
    home_open(&home, HOME_SPOOL_BYTES);
    assert_int_equal(intake_new(&intake, &options, home.writer, &err), 0);
    intake_scratch_init(&scratch, options.max_request_bytes);
    buf_init(&request, 64UL << 20);
    buf_init(&message, 64UL << 20);
    export = (struct intake_export){0};
    home_put_span(&request, HOME_TRACE_ID, HOME_SPAN_ID, slice_of_text("a span"));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    intake_export_end(&export);
    assert_int_equal(metrics_get(METRIC_RECEIVER_CALLS), 0);
    assert_int_equal(metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES), 0);
    buf_fini(&message);
    buf_fini(&request);
    intake_scratch_fini(&scratch);
    intake_free(intake);
    home_close(&home);
    return 0;
}

/* --- what a transport does ---------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_done;

static void note_done(struct intake_export *of)
{
    assert_ptr_equal(of, &export);
    pthread_mutex_lock(&lock);
    is_done = true;
    pthread_mutex_unlock(&lock);
}

static bool was_done(void *context)
{
    bool done;

    (void)context;
    pthread_mutex_lock(&lock);
    done = is_done;
    pthread_mutex_unlock(&lock);
    return done;
}

static void begin(void)
{
    is_done = false;
    export = (struct intake_export){0};
    assert_true(intake_export_begin(&export, intake, note_done));
}

/* `message` as it came; true: it is answered after `done`. */
static bool store(enum intake_format format, enum otlp_codec codec)
{
    assert_true(intake_export_hold(&export, message.capacity));
    return intake_export_store(&export, &scratch, format, codec, &message);
}

static void send_ok(enum intake_format format, enum otlp_codec codec)
{
    begin();
    assert_true(store(format, codec));
    assert_null(message.data); /* taken over */
    home_wait(was_done, NULL);
    intake_export_finish(&export);
    assert_int_equal(export.answer.code, INTAKE_CODE_OK);
    intake_export_end(&export);
}

static void assert_answer(enum intake_code code, const char *text)
{
    assert_int_equal(export.answer.code, code);
    assert_string_equal(export.answer.message, text);
    assert_int_equal(export.answer.retry_after_ms, code == INTAKE_CODE_UNAVAILABLE ? SPOOL_RETRY_MIN_MS : 0);
}

static void assert_refused(enum intake_code code, const char *text)
{
    begin();
    assert_false(store(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY));
    assert_answer(code, text);
    intake_export_end(&export);
    assert_int_equal(home_stat(&home).received_records, 0);
}

static void plain(void)
{
    buf_fini(&message);
    assert_int_equal(buf_append(&message, request.data, request.len), 0);
}

/* --- stored -------------------------------------------------------------------------- */

static void test_gzip_and_zstd_are_stored_as_they_came(void **state)
{
    static const enum otlp_codec codecs[] = {OTLP_CODEC_GZIP, OTLP_CODEC_ZSTD};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct spool_record record;
        struct arena arena;
        struct buf packed;
        struct err err;

        buf_init(&packed, 64UL << 20);
        arena_init(&arena, 64UL << 20);
        pack(codecs[i], buf_slice(&request), &packed);
        assert_int_equal(buf_append(&message, packed.data, packed.len), 0);
        send_ok(INTAKE_PROTOBUF, codecs[i]);
        assert_int_equal(spool_read(home.spool, i + 1, &arena, &record, &err), 1);
        assert_int_equal(record.codec, codecs[i]);
        assert_true(slice_equal(record.payload, buf_slice(&packed)));
        assert_int_equal(record.raw_bytes, request.len);
        assert_int_equal(record.spans, 1);
        assert_true(record.received_ns > 0);
        arena_fini(&arena);
        buf_fini(&packed);
    }
}

static void test_others_are_stored_as_zstd(void **state)
{
    static const enum otlp_codec codecs[] = {OTLP_CODEC_IDENTITY, OTLP_CODEC_DEFLATE, OTLP_CODEC_SNAPPY};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf back;

        buf_init(&back, 64UL << 20);
        if (codecs[i] == OTLP_CODEC_IDENTITY)
            plain();
        else
            pack(codecs[i], buf_slice(&request), &message);
        send_ok(INTAKE_PROTOBUF, codecs[i]);
        assert_int_equal(home_read(&home, i + 1, &back).codec, OTLP_CODEC_ZSTD);
        home_assert_stored(&home, i + 1, buf_slice(&request));
        buf_fini(&back);
    }
}

/* JSON is stored as the protobuf that it means, compressed or not. */
static void test_json_is_stored_as_protobuf(void **state)
{
    static const char json[] = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{"
                               "\"traceId\":\"30313233343536373839616263646566\",\"spanId\":\"3031323334353637\","
                               "\"name\":\"a span\"}]}]}]}";

    (void)state;
    assert_int_equal(buf_text(&message, json), 0);
    send_ok(INTAKE_JSON, OTLP_CODEC_IDENTITY);
    home_assert_stored(&home, 1, buf_slice(&request));
    pack(OTLP_CODEC_GZIP, slice_of_text(json), &message);
    send_ok(INTAKE_JSON, OTLP_CODEC_GZIP);
    home_assert_stored(&home, 2, buf_slice(&request));
}

static void test_answer_counts_what_it_says(void **state)
{
    uint64_t ok = metrics_get(METRIC_RECEIVER_OK), spans = metrics_get(METRIC_RECEIVER_SPANS);
    uint64_t trace_id = metrics_get(METRIC_RECEIVER_REJECTED_TRACE_ID);
    uint64_t span_id = metrics_get(METRIC_RECEIVER_REJECTED_SPAN_ID), bytes = metrics_get(METRIC_RECEIVER_BYTES);

    (void)state;
    home_put_span(&request, "short", HOME_SPAN_ID, slice_of_text("bad trace"));
    home_put_span(&request, HOME_TRACE_ID, "", slice_of_text("bad span"));
    home_put_span(&request, HOME_TRACE_ID, "", slice_of_text("bad span"));
    plain();
    send_ok(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY);
    assert_int_equal(export.answer.rejected_spans, 3);
    assert_string_equal(export.answer.message,
                        "3 of 4 spans rejected: 1 with an invalid trace_id; 2 with an invalid span_id");
    assert_int_equal(metrics_get(METRIC_RECEIVER_OK), ok + 1);
    assert_int_equal(metrics_get(METRIC_RECEIVER_SPANS), spans + 1);
    assert_int_equal(metrics_get(METRIC_RECEIVER_REJECTED_TRACE_ID), trace_id + 1);
    assert_int_equal(metrics_get(METRIC_RECEIVER_REJECTED_SPAN_ID), span_id + 2);
    assert_int_equal(metrics_get(METRIC_RECEIVER_BYTES), bytes + request.len);
}

static void test_nothing_to_store_is_answered_at_once(void **state)
{
    (void)state;
    begin();
    assert_false(store(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY));
    assert_int_equal(export.answer.code, INTAKE_CODE_OK);
    assert_int_equal(export.answer.rejected_spans, 0);
    intake_export_end(&export);
    begin();
    home_put_span(&message, "short", HOME_SPAN_ID, slice_of_text("bad trace"));
    assert_false(store(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY));
    assert_int_equal(export.answer.code, INTAKE_CODE_OK);
    assert_int_equal(export.answer.rejected_spans, 1);
    intake_export_end(&export);
    assert_int_equal(home_stat(&home).received_records, 0);
}

/* The client may take its time over the answer: the call is in hand, and holds nothing. */
static void test_release_gives_the_memory_back_before_the_end(void **state)
{
    (void)state;
    begin();
    plain();
    assert_true(store(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY));
    assert_true(metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES) > 0);
    home_wait(was_done, NULL);
    intake_export_finish(&export);
    intake_export_release(&export);
    assert_int_equal(metrics_get(METRIC_RECEIVER_IN_FLIGHT_BYTES), 0);
    assert_int_equal(metrics_get(METRIC_RECEIVER_CALLS), 1);
    assert_int_equal(export.answer.code, INTAKE_CODE_OK);
    intake_export_release(&export); /* again is nothing */
    intake_export_end(&export);
    assert_int_equal(metrics_get(METRIC_RECEIVER_CALLS), 0);
}

/* --- refused -------------------------------------------------------------------------- */

static void test_begin_refused_is_answered_and_not_in_hand(void **state)
{
    struct intake_export others[2] = {{0}, {0}};
    uint64_t unavailable = metrics_get(METRIC_RECEIVER_UNAVAILABLE);

    (void)state;
    assert_true(intake_export_begin(&others[0], intake, note_done));
    assert_true(intake_export_begin(&others[1], intake, note_done));
    assert_false(intake_export_begin(&export, intake, note_done));
    assert_answer(INTAKE_CODE_UNAVAILABLE, "the receiver has 2 calls in hand, which is receiver.max_calls");
    assert_int_equal(metrics_get(METRIC_RECEIVER_UNAVAILABLE), unavailable + 1);
    intake_export_end(&export); /* allowed, and nothing to do */
    intake_export_end(&others[0]);
    intake_export_end(&others[0]);
    assert_int_equal(metrics_get(METRIC_RECEIVER_CALLS), 1);
    intake_export_end(&others[1]);
}

static void test_hold_above_the_bound_is_unavailable(void **state)
{
    (void)state;
    begin();
    assert_true(intake_export_hold(&export, IN_FLIGHT_BYTES));
    assert_true(intake_export_hold(&export, 10));
    assert_false(intake_export_hold(&export, IN_FLIGHT_BYTES + 1));
    assert_answer(INTAKE_CODE_UNAVAILABLE, "the receiver has 10 bytes in hand, near receiver.max_in_flight_bytes");
    intake_export_end(&export);
}

static void test_store_of_what_is_wrong_is_final(void **state)
{
    uint64_t invalid = metrics_get(METRIC_RECEIVER_INVALID);

    (void)state;
    assert_int_equal(buf_append(&message, request.data, request.len - 1), 0);
    assert_refused(INTAKE_CODE_INVALID_ARGUMENT, "request: a length that passes the end, at byte 0");
    assert_int_equal(metrics_get(METRIC_RECEIVER_INVALID), invalid + 1);
}

static void test_store_after_close_is_still_stored(void **state)
{
    (void)state;
    begin();
    intake_close(intake);
    plain();
    assert_true(store(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY));
    home_wait(was_done, NULL);
    intake_export_finish(&export);
    assert_int_equal(export.answer.code, INTAKE_CODE_OK);
    home_assert_stored(&home, 1, buf_slice(&request));
}

/* --- faults --------------------------------------------------------------------------- */

static void test_fault_before_put_is_unavailable_and_not_stored(void **state)
{
    (void)state;
    plain();
    fault_arm("receiver.received", 1, ENOMEM);
    assert_refused(INTAKE_CODE_UNAVAILABLE, "fault before the request was stored");
    plain();
    fault_arm("receiver.deflate", 1, ENOMEM);
    assert_refused(INTAKE_CODE_UNAVAILABLE, "no memory to compress the request");
    plain();
    fault_arm("spool.put", 1, ENOMEM);
    assert_refused(INTAKE_CODE_UNAVAILABLE, "the spool's queue is full");
    plain();
    intake_scratch_fini(&scratch); /* it has buffers from before */
    intake_scratch_init(&scratch, options.max_request_bytes);
    fault_arm("buf.grow", 1, ENOMEM);
    begin();
    assert_false(store(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY));
    assert_int_equal(export.answer.code, INTAKE_CODE_UNAVAILABLE);
    intake_export_end(&export);
    plain();
    send_ok(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY);
}

/* Nobody may be told that it is not there, for it is: the client is made to come back, which changes nothing. */
static void test_fault_after_put_is_unavailable_and_stored(void **state)
{
    (void)state;
    plain();
    fault_arm("receiver.durable", 1, EIO);
    begin();
    assert_true(store(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY));
    home_wait(was_done, NULL);
    intake_export_finish(&export);
    assert_answer(INTAKE_CODE_UNAVAILABLE, "fault after the request was stored");
    home_assert_stored(&home, 1, buf_slice(&request));
}

/* The writer fails the whole group: each of its calls is told to come back. */
static void test_fault_in_the_group_is_unavailable(void **state)
{
    (void)state;
    plain();
    fault_arm("spool.append", 1, ENOSPC);
    begin();
    assert_true(store(INTAKE_PROTOBUF, OTLP_CODEC_IDENTITY));
    home_wait(was_done, NULL);
    intake_export_finish(&export);
    assert_int_equal(export.answer.code, INTAKE_CODE_UNAVAILABLE);
    assert_true(export.answer.retry_after_ms >= SPOOL_RETRY_MIN_MS);
    intake_export_end(&export);
    assert_int_equal(home_stat(&home).received_records, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_gzip_and_zstd_are_stored_as_they_came),
        TEST(test_others_are_stored_as_zstd),
        TEST(test_json_is_stored_as_protobuf),
        TEST(test_answer_counts_what_it_says),
        TEST(test_nothing_to_store_is_answered_at_once),
        TEST(test_release_gives_the_memory_back_before_the_end),
        TEST(test_begin_refused_is_answered_and_not_in_hand),
        TEST(test_hold_above_the_bound_is_unavailable),
        TEST(test_store_of_what_is_wrong_is_final),
        TEST(test_store_after_close_is_still_stored),
        TEST(test_fault_before_put_is_unavailable_and_not_stored),
        TEST(test_fault_after_put_is_unavailable_and_stored),
        TEST(test_fault_in_the_group_is_unavailable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
