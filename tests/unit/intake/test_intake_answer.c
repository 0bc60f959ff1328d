/*
 * test_intake_answer.c - the table "What an Export is answered", row by row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "intake_answer.h"
#include "otlp_response.h"
#include "otlp_status.h"

#define DELAY_MS 12345

static struct buf out;

static int make_buffer(void **state)
{
    (void)state;
    buf_init(&out, INTAKE_ANSWER_BYTES_MAX);
    return 0;
}

static int free_buffer(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static void assert_response(const struct intake_answer *answer, int64_t want_rejected, const char *want_message)
{
    char message[ERR_TEXT_MAX];
    int64_t rejected;

    intake_answer_put_response(answer, &out);
    assert_false(out.failed);
    assert_int_equal(otlp_response_read(buf_slice(&out), &rejected, message, sizeof(message)), 0);
    assert_int_equal(rejected, want_rejected);
    assert_string_equal(message, want_message);
}

static void test_ok_stored_has_no_partial_success(void **state)
{
    const uint32_t counts[OTLP_VALIDITY_COUNT] = {[OTLP_VALID] = 7};
    struct intake_answer answer;

    (void)state;
    intake_answer_ok(&answer, counts);
    assert_int_equal(answer.code, 0);
    assert_int_equal(intake_answer_metric(&answer), METRIC_RECEIVER_OK);
    intake_answer_put_response(&answer, &out);
    assert_int_equal(out.len, 0);
}

static void test_ok_rejected_says_how_many_and_why(void **state)
{
    const uint32_t counts[OTLP_VALIDITY_COUNT] = {[OTLP_VALID] = 7, [OTLP_BAD_TRACE_ID] = 2, [OTLP_BAD_SPAN_ID] = 1};
    struct intake_answer answer;

    (void)state;
    intake_answer_ok(&answer, counts);
    assert_int_equal(answer.code, 0);
    assert_int_equal(answer.rejected_spans, 3);
    assert_response(&answer, 3, "3 of 10 spans rejected: 2 with an invalid trace_id; 1 with an invalid span_id");
}

static void test_ok_largest_counts_fit(void **state)
{
    const uint32_t counts[OTLP_VALIDITY_COUNT] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    struct intake_answer answer;

    (void)state;
    intake_answer_ok(&answer, counts);
    assert_response(&answer, 2 * (int64_t)UINT32_MAX,
                    "8589934590 of 12884901885 spans rejected: 4294967295 with an invalid trace_id; "
                    "4294967295 with an invalid span_id");
}

static void answer_class(struct intake_answer *answer, enum err_class class, int code)
{
    struct err err;

    err_set(&err, class, code, "because");
    intake_answer_failure(answer, &err, DELAY_MS);
    assert_string_equal(answer->message, "because");
    intake_answer_put_status(answer, &out);
    assert_false(out.failed);
}

static void test_failure_poison_is_invalid_argument_with_bad_request(void **state)
{
    struct intake_answer answer;
    uint64_t delay_ms;

    (void)state;
    answer_class(&answer, ERR_POISON, 0);
    assert_int_equal(answer.code, 3);
    assert_int_equal(intake_answer_metric(&answer), METRIC_RECEIVER_INVALID);
    assert_false(otlp_status_find_retry(buf_slice(&out), &delay_ms));
    assert_non_null(memmem(out.data, out.len, "google.rpc.BadRequest", 21));
}

static void test_failure_too_large_is_resource_exhausted_and_final(void **state)
{
    struct intake_answer answer;
    uint64_t delay_ms;

    (void)state;
    answer_class(&answer, ERR_POISON, EMSGSIZE);
    assert_int_equal(answer.code, 8);
    assert_int_equal(intake_answer_metric(&answer), METRIC_RECEIVER_TOO_LARGE);
    assert_int_equal(answer.retry_after_ms, 0);
    assert_false(otlp_status_find_retry(buf_slice(&out), &delay_ms));
}

/* Never INTERNAL or UNKNOWN: whatever is not the input's fault makes the client come back. */
static void test_failure_other_classes_are_unavailable_with_retry(void **state)
{
    const enum err_class classes[] = {ERR_RETRY, ERR_BUSY, ERR_CONFIG, ERR_FATAL};
    struct intake_answer answer;
    uint64_t delay_ms;

    (void)state;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        buf_clear(&out);
        answer_class(&answer, classes[i], EMSGSIZE);
        assert_int_equal(answer.code, 14);
        assert_int_equal(intake_answer_metric(&answer), METRIC_RECEIVER_UNAVAILABLE);
        assert_true(otlp_status_find_retry(buf_slice(&out), &delay_ms));
        assert_int_equal(delay_ms, DELAY_MS);
    }
}

/* What is final has no delay, whatever the field says. */
static void test_failure_final_has_no_delay(void **state)
{
    struct intake_answer answer;
    uint64_t delay_ms;

    (void)state;
    answer_class(&answer, ERR_POISON, EMSGSIZE);
    answer.retry_after_ms = DELAY_MS;
    buf_clear(&out);
    intake_answer_put_status(&answer, &out);
    assert_false(otlp_status_find_retry(buf_slice(&out), &delay_ms));
}

static void test_failure_longest_text_fits(void **state)
{
    struct intake_answer answer;
    struct err err = {.class = ERR_POISON};

    (void)state;
    memset(err.text, 'x', sizeof(err.text) - 1);
    intake_answer_failure(&answer, &err, DELAY_MS);
    intake_answer_put_status(&answer, &out);
    assert_false(out.failed);
    assert_int_equal(strlen(answer.message), sizeof(err.text) - 1);
}

static void test_set_cuts_a_text_that_is_too_long(void **state)
{
    struct intake_answer answer;
    char longest[4096];

    (void)state;
    memset(longest, 'm', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    intake_answer_set(&answer, INTAKE_CODE_UNIMPLEMENTED, "not %s", longest);
    assert_int_equal(answer.code, 12);
    assert_int_equal(answer.retry_after_ms, 0);
    assert_int_equal(strlen(answer.message), ERR_TEXT_MAX - 1);
    assert_memory_equal(answer.message, "not mmm", 7);
}

/* Each code has a counter of its own; what is not ours to do shares one. */
static void test_metric_of_every_code(void **state)
{
    static const struct {
        enum intake_code code;
        enum metric metric;
    } rows[] = {
        {INTAKE_CODE_OK, METRIC_RECEIVER_OK},
        {INTAKE_CODE_INVALID_ARGUMENT, METRIC_RECEIVER_INVALID},
        {INTAKE_CODE_DEADLINE_EXCEEDED, METRIC_RECEIVER_TOO_SLOW},
        {INTAKE_CODE_NOT_FOUND, METRIC_RECEIVER_UNIMPLEMENTED},
        {INTAKE_CODE_RESOURCE_EXHAUSTED, METRIC_RECEIVER_TOO_LARGE},
        {INTAKE_CODE_UNIMPLEMENTED, METRIC_RECEIVER_UNIMPLEMENTED},
        {INTAKE_CODE_INTERNAL, METRIC_RECEIVER_INTERNAL},
        {INTAKE_CODE_UNAVAILABLE, METRIC_RECEIVER_UNAVAILABLE},
        {INTAKE_CODE_UNAUTHENTICATED, METRIC_RECEIVER_UNAUTHENTICATED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct intake_answer answer;

        intake_answer_set(&answer, rows[i].code, "because");
        assert_int_equal(intake_answer_metric(&answer), rows[i].metric);
    }
}

static void assert_json(const char *expected)
{
    assert_false(out.failed);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    buf_clear(&out);
}

static void test_json_says_the_same(void **state)
{
    const uint32_t none[OTLP_VALIDITY_COUNT] = {[OTLP_VALID] = 7};
    const uint32_t some[OTLP_VALIDITY_COUNT] = {[OTLP_VALID] = 7, [OTLP_BAD_SPAN_ID] = 1};
    struct intake_answer answer;
    struct err err;

    (void)state;
    intake_answer_ok(&answer, none);
    intake_answer_put_response_json(&answer, &out);
    assert_json("{}");
    intake_answer_ok(&answer, some);
    intake_answer_put_response_json(&answer, &out);
    assert_json("{\"partialSuccess\":{\"rejectedSpans\":\"1\","
                "\"errorMessage\":\"1 of 8 spans rejected: 1 with an invalid span_id\"}}");
    err_set(&err, ERR_BUSY, 0, "because");
    intake_answer_failure(&answer, &err, 1500);
    intake_answer_put_status_json(&answer, &out);
    assert_json("{\"code\":14,\"message\":\"because\",\"details\":[{\"@type\":"
                "\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"1.500s\"}]}");
    err_set(&err, ERR_POISON, 0, "because");
    intake_answer_failure(&answer, &err, 1500);
    intake_answer_put_status_json(&answer, &out);
    assert_json("{\"code\":3,\"message\":\"because\",\"details\":[{\"@type\":"
                "\"type.googleapis.com/google.rpc.BadRequest\",\"fieldViolations\":[{\"field\":\"request\","
                "\"description\":\"because\"}]}]}");
    err_set(&err, ERR_POISON, EMSGSIZE, "because");
    intake_answer_failure(&answer, &err, 1500);
    intake_answer_put_status_json(&answer, &out);
    assert_json("{\"code\":8,\"message\":\"because\"}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_buffer, free_buffer)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ok_stored_has_no_partial_success),
        TEST(test_ok_rejected_says_how_many_and_why),
        TEST(test_ok_largest_counts_fit),
        TEST(test_failure_poison_is_invalid_argument_with_bad_request),
        TEST(test_failure_too_large_is_resource_exhausted_and_final),
        TEST(test_failure_other_classes_are_unavailable_with_retry),
        TEST(test_failure_final_has_no_delay),
        TEST(test_failure_longest_text_fits),
        TEST(test_set_cuts_a_text_that_is_too_long),
        TEST(test_metric_of_every_code),
        TEST(test_json_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
