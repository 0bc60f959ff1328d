/*
 * test_h2_request.c - the fields of a call, the health check, and the text of
 * grpc-message: what needs no connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "h2_internal.h"
#include "otlp_field.h"
#include "otlp_response.h"

#define HEADER_BYTES_MAX 1000
#define HEALTH_METHOD "/grpc.health.v1.Health/Check"

static struct h2_request request;
static struct intake_answer answer;

static void take(const char *name, const char *value)
{
    h2_request_take(&request, slice_of_text(name), slice_of_text(value), NULL);
}

/* As h2_call_new does without tokens. */
static void start(const char *path)
{
    request = (struct h2_request){.has_codec = true, .is_authorized = true};
    answer = (struct intake_answer){.code = INTAKE_CODE_OK};
    take(":method", "POST");
    take(":path", path);
    take("content-type", "application/grpc");
}

static int check(void)
{
    return h2_request_check(&request, HEADER_BYTES_MAX, &answer);
}

static void assert_refused(enum intake_code code, const char *text)
{
    assert_int_equal(check(), 200);
    assert_int_equal(answer.code, code);
    assert_string_equal(answer.message, text);
}

static void test_export_passes(void **state)
{
    (void)state;
    start(OTLP_EXPORT_METHOD);
    assert_int_equal(check(), 0);
    assert_int_equal(request.method, H2_METHOD_EXPORT);
    assert_int_equal(request.codec, OTLP_CODEC_IDENTITY);
    take("user-agent", "whatever");
    take("grpc-timeout", "5S");
    assert_int_equal(check(), 0);
}

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void test_traceparent_is_taken_while_tracing_is_on(void **state)
{
    (void)state;
    start(OTLP_EXPORT_METHOD);
    take("traceparent", PARENT);
    assert_false(request.parent.is_valid);
    assert_int_equal(tracing_turn_on(0, NULL), 0);
    take("traceparent", PARENT);
    assert_true(request.parent.is_valid);
    assert_true(request.parent.is_sampled);
    start(OTLP_EXPORT_METHOD);
    take("traceparent", PARENT);
    take("traceparent", PARENT); /* W3C: then there is none */
    assert_false(request.parent.is_valid);
    take("traceparent", PARENT);
    assert_false(request.parent.is_valid);
    assert_int_equal(check(), 0);
    tracing_turn_off();
}

static void test_health_passes(void **state)
{
    (void)state;
    start(HEALTH_METHOD);
    assert_int_equal(check(), 0);
    assert_int_equal(request.method, H2_METHOD_HEALTH);
}

static void test_content_types_of_grpc_pass(void **state)
{
    static const char *const pass[] = {"application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"};
    static const char *const fail[] = {"application/grpc-web",   "application/grpc-web+proto",
                                       "application/grpc+json",  "application/json",
                                       "application/x-protobuf", "application/grp",
                                       "application/grpcx",      ""};

    (void)state;
    for (size_t i = 0; i < sizeof(pass) / sizeof(pass[0]); i++) {
        start(OTLP_EXPORT_METHOD);
        take("content-type", pass[i]);
        assert_int_equal(check(), 0);
    }
    for (size_t i = 0; i < sizeof(fail) / sizeof(fail[0]); i++) {
        start(OTLP_EXPORT_METHOD);
        take("content-type", fail[i]);
        assert_int_equal(check(), 415);
    }
}

static void test_no_content_type_is_415(void **state)
{
    (void)state;
    request = (struct h2_request){.has_codec = true, .is_authorized = true};
    take(":method", "POST");
    take(":path", OTLP_EXPORT_METHOD);
    assert_int_equal(check(), 415);
}

static void test_other_http_methods_are_405(void **state)
{
    static const char *const methods[] = {"GET", "PUT", "post", "POSTS", ""};

    (void)state;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        start(OTLP_EXPORT_METHOD);
        take(":method", methods[i]);
        assert_int_equal(check(), 405);
    }
}

/* Each field counts 32 more than its bytes, as RFC 9113 has it. */
static void test_fields_up_to_the_bound_pass(void **state)
{
    char value[HEADER_BYTES_MAX];
    size_t left;

    (void)state;
    start(OTLP_EXPORT_METHOD);
    left = HEADER_BYTES_MAX - request.header_bytes - strlen("x") - 32;
    memset(value, 'v', left);
    value[left] = '\0';
    take("x", value);
    assert_int_equal(request.header_bytes, HEADER_BYTES_MAX);
    assert_int_equal(check(), 0);
    take("", "");
    assert_refused(INTAKE_CODE_RESOURCE_EXHAUSTED, "the call's header fields are 1032 bytes, 1000 are allowed");
}

static void test_unknown_method_is_named_and_cut(void **state)
{
    char path[1024] = "/x\xff\n";
    char expected[ERR_TEXT_MAX];

    (void)state;
    start("/opentelemetry.proto.collector.logs.v1.LogsService/Export");
    assert_refused(INTAKE_CODE_UNIMPLEMENTED,
                   "tracespool takes traces only, by opentelemetry.proto.collector.trace.v1.TraceService/Export; not "
                   "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
    start(HEALTH_METHOD "x");
    assert_int_equal(request.method, H2_METHOD_UNKNOWN);
    memset(path + 4, 'y', sizeof(path) - 5);
    path[sizeof(path) - 1] = '\0';
    request = (struct h2_request){.has_codec = true, .is_authorized = true, .is_post = true, .is_grpc = true};
    take(":path", path);
    snprintf(expected, sizeof(expected), "tracespool takes traces only, by %s; not /x??%.*s", &OTLP_EXPORT_METHOD[1],
             H2_SHOWN_MAX - 1 - 4, path + 4);
    request.header_bytes = 0;
    assert_refused(INTAKE_CODE_UNIMPLEMENTED, expected);
}

static void test_codecs_by_name(void **state)
{
    static const struct {
        const char *name;
        enum otlp_codec codec;
    } rows[] = {{"identity", OTLP_CODEC_IDENTITY}, {"gzip", OTLP_CODEC_GZIP},     {"deflate", OTLP_CODEC_DEFLATE},
                {"zstd", OTLP_CODEC_ZSTD},         {"snappy", OTLP_CODEC_SNAPPY}, {"GZip", OTLP_CODEC_GZIP}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(OTLP_EXPORT_METHOD);
        take("grpc-encoding", rows[i].name);
        assert_int_equal(check(), 0);
        assert_int_equal(request.codec, rows[i].codec);
    }
    start(OTLP_EXPORT_METHOD);
    take("grpc-encoding", "br");
    assert_refused(INTAKE_CODE_UNIMPLEMENTED,
                   "the request is compressed by br; gzip, deflate, zstd, snappy and identity (no compression) work");
}

/* --- credentials ------------------------------------------------------------------- */

static struct net_tokens *load_tokens(const char *token)
{
    char path[] = "/tmp/tracespool-tokens-XXXXXX";
    struct net_tokens *tokens = NULL;
    int fd = mkstemp(path);
    struct err err = {0};

    assert_true(fd >= 0);
    assert_int_equal(write(fd, token, strlen(token)), strlen(token));
    close(fd);
    if (net_tokens_load(&tokens, path, &err) != 0)
        fail_msg("%s", err.text);
    unlink(path);
    return tokens;
}

/* Who has no credentials learns nothing else of a call, but for what is no gRPC and for health. */
static void test_credentials_come_before_the_rest(void **state)
{
    struct net_tokens *tokens = load_tokens("a-token-that-is-known-here-0123456789\n");
    const char *text = "the call has no bearer token that is known here (metadata \"authorization\")";

    (void)state;
    start("/x");
    request.is_authorized = false;
    take("grpc-encoding", "br");
    assert_refused(INTAKE_CODE_UNAUTHENTICATED, text);
    h2_request_take(&request, slice_of_text("authorization"), slice_of_text("Bearer wrong"), tokens);
    assert_refused(INTAKE_CODE_UNAUTHENTICATED, text);
    h2_request_take(&request, slice_of_text("authorization"),
                    slice_of_text("Bearer a-token-that-is-known-here-0123456789"), tokens);
    assert_int_equal(check(), 200);
    assert_int_equal(answer.code, INTAKE_CODE_UNIMPLEMENTED);
    start(HEALTH_METHOD);
    request.is_authorized = false;
    assert_int_equal(check(), 0);
    net_tokens_free(tokens);
}

/* --- grpc-message ------------------------------------------------------------------ */

static void assert_message(const char *text, const char *expected)
{
    struct buf out;

    buf_init(&out, 3 * ERR_TEXT_MAX);
    h2_reply_put_message(&out, text);
    assert_false(out.failed);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    buf_fini(&out);
}

static void test_message_is_percent_encoded(void **state)
{
    (void)state;
    assert_message("plain text, with ~ and space", "plain text, with ~ and space");
    assert_message("100%", "100%25");
    assert_message("\xea\xb0\x80", "%EA%B0%80");
    assert_message("a\nb\tc\x7f", "a%0Ab%09c%7F");
}

static void test_message_longest_fits(void **state)
{
    char text[ERR_TEXT_MAX];
    struct buf out;

    (void)state;
    memset(text, '\xff', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    buf_init(&out, 3 * ERR_TEXT_MAX);
    h2_reply_put_message(&out, text);
    assert_false(out.failed);
    assert_int_equal(out.len, 3 * (ERR_TEXT_MAX - 1));
    buf_fini(&out);
}

/* --- health ------------------------------------------------------------------------ */

static int ask_health(const char *service, bool serving, uint64_t *status)
{
    struct buf asked, response;
    struct slice bytes;
    struct otlp_field field;
    int rc;

    buf_init(&asked, 1000);
    buf_init(&response, 1000);
    if (service != NULL)
        otlp_field_put_bytes(&asked, 1, slice_of_text(service));
    rc = h2_health_check(buf_slice(&asked), serving, &response, &answer);
    if (rc == 0) {
        bytes = buf_slice(&response);
        assert_true(otlp_field_next(&bytes, &field));
        assert_int_equal(field.number, 1);
        assert_int_equal(bytes.len, 0);
        *status = field.value;
    }
    buf_fini(&response);
    buf_fini(&asked);
    return rc;
}

static void test_health_says_serving_or_not(void **state)
{
    static const char *const services[] = {NULL, "", "opentelemetry.proto.collector.trace.v1.TraceService"};
    uint64_t status;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ask_health(services[i], true, &status), 0);
        assert_int_equal(status, 1);
        assert_int_equal(ask_health(services[i], false, &status), 0);
        assert_int_equal(status, 2);
    }
}

static void test_health_of_an_unknown_service_is_not_found(void **state)
{
    uint64_t status;

    (void)state;
    assert_int_equal(ask_health("opentelemetry.proto.collector.logs.v1.LogsService", true, &status), -1);
    assert_int_equal(answer.code, INTAKE_CODE_NOT_FOUND);
    assert_string_equal(answer.message, "there is no service of that name here");
}

static void test_health_of_no_protobuf_is_invalid(void **state)
{
    struct buf response;

    (void)state;
    buf_init(&response, 1000);
    assert_int_equal(h2_health_check(slice_of("\x0a\xff", 2), true, &response, &answer), -1);
    assert_int_equal(answer.code, INTAKE_CODE_INVALID_ARGUMENT);
    assert_string_equal(answer.message, "the request is not a HealthCheckRequest");
    assert_int_equal(response.len, 0);
    /* A field that a later version may have is passed over. */
    assert_int_equal(h2_health_check(slice_of("\x10\x01", 2), true, &response, &answer), 0);
    buf_fini(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_export_passes),
        cmocka_unit_test(test_traceparent_is_taken_while_tracing_is_on),
        cmocka_unit_test(test_health_passes),
        cmocka_unit_test(test_content_types_of_grpc_pass),
        cmocka_unit_test(test_no_content_type_is_415),
        cmocka_unit_test(test_other_http_methods_are_405),
        cmocka_unit_test(test_fields_up_to_the_bound_pass),
        cmocka_unit_test(test_unknown_method_is_named_and_cut),
        cmocka_unit_test(test_codecs_by_name),
        cmocka_unit_test(test_credentials_come_before_the_rest),
        cmocka_unit_test(test_message_is_percent_encoded),
        cmocka_unit_test(test_message_longest_fits),
        cmocka_unit_test(test_health_says_serving_or_not),
        cmocka_unit_test(test_health_of_an_unknown_service_is_not_found),
        cmocka_unit_test(test_health_of_no_protobuf_is_invalid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
