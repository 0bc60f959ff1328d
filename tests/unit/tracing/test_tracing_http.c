/*
 * test_tracing_http.c - one request to receivers that answer as they should,
 * otherwise, too much, or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "stub_receiver.h"
#include "tracing_http.h"

#define BODY "what a request holds"

/* Of 1,000 bytes and a little more, since the receiver repeats the last 1,000. */
#define TEN "xxxxxxxxxx"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

struct home {
    struct stub_receiver stub;
    struct tracing_http *http;
    struct err err;
    uint64_t rejected;
};

static void open_home(struct home *home, const char *answer, const char *path, const char *authorization)
{
    struct tracing_http_options options = {.authorization = authorization};
    char endpoint[256];

    memset(home, 0, sizeof(*home));
    stub_receiver_start(&home->stub, answer);
    snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%u%s", home->stub.port, path);
    options.endpoint = endpoint;
    assert_int_equal(tracing_http_new(&home->http, &options, &home->err), 0);
}

static int post(struct home *home)
{
    return tracing_http_post(home->http, slice_of_text(BODY), &home->rejected, &home->err);
}

static void close_home(struct home *home)
{
    tracing_http_free(home->http);
    stub_receiver_stop(&home->stub);
}

static void test_post_is_otlp_that_nobody_records(void **state)
{
    struct home home;
    const char *parent;

    (void)state;
    open_home(&home, STUB_OK, "", "Bearer of-a-test");
    assert_int_equal(post(&home), 0);
    assert_int_equal(home.rejected, 0);
    assert_int_equal(strncmp(home.stub.head, "POST /v1/traces HTTP/1.1\r\n", 26), 0);
    assert_non_null(strstr(home.stub.head, "\r\nContent-Type: application/x-protobuf\r\n"));
    assert_non_null(strstr(home.stub.head, "\r\nAuthorization: Bearer of-a-test"));
    assert_non_null(strstr(home.stub.head, "\r\nUser-Agent: tracespoold/" TRACESPOOL_VERSION));
    assert_null(strstr(home.stub.head, "\r\nExpect"));
    parent = strstr(home.stub.head, "\r\ntraceparent: 00-");
    assert_non_null(parent);
    assert_int_equal(strncmp(parent + strlen("\r\ntraceparent: ") + 52, "-00", 3), 0);
    assert_int_equal(home.stub.body.len, strlen(BODY));
    assert_memory_equal(home.stub.body.data, BODY, strlen(BODY));
    assert_int_equal(post(&home), 0);
    assert_int_equal(home.stub.requests, 2);
    close_home(&home);
}

/* OTEL_EXPORTER_OTLP_ENDPOINT's rule. */
static void test_path_is_added_to_the_endpoint(void **state)
{
    static const char *const paths[][2] = {{"", "/v1/traces"},
                                           {"/", "/v1/traces"},
                                           {"/mycollector", "/mycollector/v1/traces"},
                                           {"/mycollector/", "/mycollector/v1/traces"},
                                           {"/a/b//", "/a/b/v1/traces"}};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct home home;
        char line[128];

        open_home(&home, STUB_OK, paths[i][0], NULL);
        assert_int_equal(post(&home), 0);
        snprintf(line, sizeof(line), "POST %s HTTP/1.1\r\n", paths[i][1]);
        assert_int_equal(strncmp(home.stub.head, line, strlen(line)), 0);
        close_home(&home);
    }
}

static void expect_failure(const char *answer, size_t repeats, const char *text)
{
    struct home home;

    open_home(&home, answer, "", NULL);
    home.stub.repeats = repeats;
    assert_int_equal(post(&home), -1);
    assert_int_equal(home.err.class, ERR_RETRY);
    if (strstr(home.err.text, text) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text, home.err.text);
    assert_non_null(strstr(home.err.text, "/v1/traces"));
    close_home(&home);
}

static void test_other_status_is_a_failure(void **state)
{
    (void)state;
    expect_failure("HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n", 0, "answered with status 503");
    expect_failure("HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno", 0, "answered with status 400");
}

static void test_redirect_is_not_followed(void **state)
{
    (void)state;
    expect_failure("HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", 0,
                   "answered with status 307");
}

static void test_answer_is_bounded(void **state)
{
    (void)state;
    expect_failure("HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n" THOUSAND, 1000000,
                   "answered with more than 65536 bytes");
    expect_failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000\r\n" THOUSAND, 1000000,
                   "answered with more than 65536 bytes");
}

static void test_head_of_an_answer_is_bounded(void **state)
{
    (void)state;
    /* Each repetition is a field: its last 1,000 bytes end a line. */
    expect_failure("HTTP/1.1 200 OK\r\nX: " THOUSAND "\r\nX: " HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
                       HUNDRED HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN "xxxxx\r\n",
                   1000000, "answered with more than 65536 bytes");
}

static void test_no_http_is_a_failure(void **state)
{
    (void)state;
    expect_failure("SSH-2.0-nothing\r\n\r\n", 0, "HTTP");
}

static void test_rejected_spans_are_read(void **state)
{
    struct home home;

    (void)state;
    /* partial_success { rejected_spans: 3 } */
    open_home(&home, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\x0A\x02\x08\x03", "", NULL);
    assert_int_equal(post(&home), 0);
    assert_int_equal(home.rejected, 3);
    close_home(&home);
}

static void test_nobody_there_is_a_failure(void **state)
{
    struct home home;

    (void)state;
    open_home(&home, STUB_OK, "", NULL);
    stub_receiver_stop(&home.stub);
    assert_int_equal(post(&home), -1);
    assert_int_equal(home.err.class, ERR_RETRY);
    assert_non_null(strstr(home.err.text, "Failed to connect"));
    tracing_http_free(home.http);
}

static void *end_soon(void *context)
{
    struct home *home = context;

    stub_receiver_await(&home->stub, 1);
    tracing_http_end(home->http, clock_mono_ns() + 10 * NS_PER_MS);
    return NULL;
}

/* Else it would take TRACING_EXPORT_MS. */
static void test_end_cuts_a_request_that_hangs(void **state)
{
    struct home home;
    pthread_t thread;
    uint64_t begun_ns = clock_mono_ns();

    (void)state;
    open_home(&home, NULL, "", NULL);
    assert_int_equal(pthread_create(&thread, NULL, end_soon, &home), 0);
    assert_int_equal(post(&home), -1);
    assert_non_null(strstr(home.err.text, "did not answer in time"));
    pthread_join(thread, NULL);
    assert_int_equal(post(&home), -1); /* and so ends each later one */
    assert_true(clock_mono_ns() - begun_ns < TRACING_EXPORT_MS * NS_PER_MS);
    close_home(&home);
}

static void test_proxy_of_the_environment_is_not_asked(void **state)
{
    struct home home;

    (void)state;
    setenv("http_proxy", "http://127.0.0.1:9", 1);
    open_home(&home, STUB_OK, "", NULL);
    assert_int_equal(post(&home), 0);
    close_home(&home);
    unsetenv("http_proxy");
}

static void test_no_memory_is_a_failure(void **state)
{
    struct home home;

    (void)state;
    open_home(&home, STUB_OK, "", NULL);
    fault_arm("tracing.post", 1, ENOMEM);
    assert_int_equal(post(&home), -1);
    assert_string_equal(home.err.text, "no memory for a request");
    assert_int_equal(post(&home), 0);
    close_home(&home);
}

static int set_up(void **state)
{
    (void)state;
    return tracing_http_init(NULL);
}

static int tear_down(void **state)
{
    (void)state;
    tracing_http_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_post_is_otlp_that_nobody_records),
        cmocka_unit_test(test_path_is_added_to_the_endpoint),
        cmocka_unit_test(test_other_status_is_a_failure),
        cmocka_unit_test(test_redirect_is_not_followed),
        cmocka_unit_test(test_answer_is_bounded),
        cmocka_unit_test(test_head_of_an_answer_is_bounded),
        cmocka_unit_test(test_no_http_is_a_failure),
        cmocka_unit_test(test_rejected_spans_are_read),
        cmocka_unit_test(test_nobody_there_is_a_failure),
        cmocka_unit_test(test_end_cuts_a_request_that_hangs),
        cmocka_unit_test(test_proxy_of_the_environment_is_not_asked),
        cmocka_unit_test(test_no_memory_is_a_failure),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
