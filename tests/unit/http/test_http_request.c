/*
 * test_http_request.c - the head of a request, and the status of an answer:
 * what needs no connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_internal.h"

#define PROTOBUF "application/x-protobuf"

static struct http_request request;
static struct intake_answer answer;

static int check(const char *path, const char *method, const char *type, const char *encoding, const char *length)
{
    request = (struct http_request){0};
    answer = (struct intake_answer){0};
    return http_request_check(&request, path, method, type, encoding, length, &answer);
}

static void test_protobuf_and_json_pass(void **state)
{
    (void)state;
    assert_int_equal(check("/v1/traces", "POST", PROTOBUF, NULL, "12"), 0);
    assert_int_equal(request.format, INTAKE_PROTOBUF);
    assert_int_equal(request.codec, OTLP_CODEC_IDENTITY);
    assert_int_equal(request.content_length, 12);
    assert_int_equal(check("/v1/traces", "POST", "application/json", NULL, NULL), 0);
    assert_int_equal(request.format, INTAKE_JSON);
    assert_int_equal(request.content_length, SIZE_MAX);
}

static void test_types_have_parameters_and_any_case(void **state)
{
    (void)state;
    assert_int_equal(check("/v1/traces", "POST", "application/json; charset=utf-8", NULL, NULL), 0);
    assert_int_equal(request.format, INTAKE_JSON);
    assert_int_equal(check("/v1/traces", "POST", "Application/X-Protobuf \t;x", NULL, NULL), 0);
    assert_int_equal(request.format, INTAKE_PROTOBUF);
}

static void test_other_types_are_415(void **state)
{
    static const char *const types[] = {NULL,         "",           "application/x-protobufs", "application/protobuf",
                                        "text/plain", "; charset=", "application/grpc"};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        assert_int_equal(check("/v1/traces", "POST", types[i], NULL, NULL), 415);
        assert_int_equal(answer.code, INTAKE_CODE_INVALID_ARGUMENT);
        assert_string_equal(answer.message, "the Content-Type is neither application/x-protobuf nor application/json");
    }
}

static void test_other_paths_are_404(void **state)
{
    static const char *const paths[] = {"/", "", "/v1/logs", "/v1/traces/", "/v1/tracesx", "/V1/traces", "*"};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_int_equal(check(paths[i], "POST", PROTOBUF, NULL, NULL), 404);
        assert_int_equal(answer.code, INTAKE_CODE_UNIMPLEMENTED);
        assert_string_equal(answer.message, "tracespool takes traces only, by POST /v1/traces");
    }
}

static void test_other_methods_are_405(void **state)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "OPTIONS", "post", "X"};

    (void)state;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        assert_int_equal(check("/v1/traces", methods[i], PROTOBUF, NULL, NULL), 405);
        assert_string_equal(answer.message, "/v1/traces takes POST only");
    }
    assert_int_equal(check("/v1/other", "GET", PROTOBUF, NULL, NULL), 404); /* the path comes first */
}

/* The format of a refusal is that of the request, so it is known whatever else is wrong. */
static void test_refusals_know_the_format(void **state)
{
    (void)state;
    assert_int_equal(check("/x", "GET", "application/json", "br", NULL), 404);
    assert_int_equal(request.format, INTAKE_JSON);
    assert_int_equal(check("/v1/traces", "POST", "text/plain", NULL, NULL), 415);
    assert_int_equal(request.format, INTAKE_PROTOBUF);
}

static void test_encodings_by_name(void **state)
{
    static const struct {
        const char *name;
        enum otlp_codec codec;
    } rows[] = {{"identity", OTLP_CODEC_IDENTITY}, {"gzip", OTLP_CODEC_GZIP},     {"deflate", OTLP_CODEC_DEFLATE},
                {"zstd", OTLP_CODEC_ZSTD},         {"snappy", OTLP_CODEC_SNAPPY}, {"GZIP ", OTLP_CODEC_GZIP}};
    static const char *const others[] = {"br", "gzip, deflate", "gzipped"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(check("/v1/traces", "POST", PROTOBUF, rows[i].name, NULL), 0);
        assert_int_equal(request.codec, rows[i].codec);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(check("/v1/traces", "POST", PROTOBUF, others[i], NULL), 415);
        assert_string_equal(
            answer.message,
            "the Content-Encoding is not known here; gzip, deflate, zstd, snappy and identity (no compression) work");
    }
}

static void test_lengths(void **state)
{
    (void)state;
    assert_int_equal(check("/v1/traces", "POST", PROTOBUF, NULL, "0"), 0);
    assert_int_equal(request.content_length, 0);
    assert_int_equal(check("/v1/traces", "POST", PROTOBUF, NULL, "18446744073709551614"), 0);
    assert_int_equal(request.content_length, SIZE_MAX - 1);
}

static void test_status_of_every_code(void **state)
{
    static const struct {
        enum intake_code code;
        int status;
    } rows[] = {
        {INTAKE_CODE_OK, 200},          {INTAKE_CODE_INVALID_ARGUMENT, 400},   {INTAKE_CODE_DEADLINE_EXCEEDED, 503},
        {INTAKE_CODE_NOT_FOUND, 404},   {INTAKE_CODE_RESOURCE_EXHAUSTED, 413}, {INTAKE_CODE_UNIMPLEMENTED, 404},
        {INTAKE_CODE_UNAVAILABLE, 503}, {INTAKE_CODE_UNAUTHENTICATED, 401},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        intake_answer_set(&answer, rows[i].code, "because");
        assert_int_equal(http_reply_status(&answer), rows[i].status);
    }
}

static void test_retry_is_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(http_reply_retry_s(0), 0);
    assert_int_equal(http_reply_retry_s(1), 1);
    assert_int_equal(http_reply_retry_s(1000), 1);
    assert_int_equal(http_reply_retry_s(1001), 2);
    assert_int_equal(http_reply_retry_s(30000), 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protobuf_and_json_pass), cmocka_unit_test(test_types_have_parameters_and_any_case),
        cmocka_unit_test(test_other_types_are_415),    cmocka_unit_test(test_other_paths_are_404),
        cmocka_unit_test(test_other_methods_are_405),  cmocka_unit_test(test_refusals_know_the_format),
        cmocka_unit_test(test_encodings_by_name),      cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_status_of_every_code),   cmocka_unit_test(test_retry_is_rounded_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
