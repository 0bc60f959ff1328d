/*
 * test_admin.c - every page, method and failure, by HTTP over a real socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "metrics.h"

#define ANSWER_MAX 65536
#define DEADLINE_S 10

struct state {
    atomic_bool ready;
    atomic_uint refreshed;
    struct admin *admin;
    char answer[ANSWER_MAX];
};

static struct state state;

static bool is_ready(void *context)
{
    return atomic_load(&((struct state *)context)->ready);
}

static void refresh(void *context)
{
    struct state *seen = context;

    metrics_set(METRIC_SPOOL_PARKED, 40 + atomic_fetch_add(&seen->refreshed, 1));
}

static int start(const char *listen, struct err *err)
{
    struct admin_options options = {.listen = listen, .ready = is_ready, .refresh = refresh, .context = &state};

    return admin_start(&state.admin, &options, err);
}

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval deadline = {.tv_sec = DEADLINE_S};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads to the end into state.answer. */
static void receive_all(int fd)
{
    size_t len = 0;
    ssize_t got;

    do {
        assert_true(len + 1 < ANSWER_MAX);
        got = recv(fd, state.answer + len, ANSWER_MAX - 1 - len, 0);
        assert_true(got >= 0);
        len += (size_t)got;
    } while (got > 0);
    state.answer[len] = '\0';
}

/* `header` is a line with its end, or nothing. */
static void ask_with(const char *method, const char *path, const char *header)
{
    char request[512];
    int fd = connect_to(admin_port(state.admin));

    snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: localhost\r\n%sConnection: close\r\n\r\n", method, path,
             header);
    send_text(fd, request);
    receive_all(fd);
    close(fd);
}

static void ask(const char *method, const char *path)
{
    ask_with(method, path, "");
}

static void assert_status(int status)
{
    char line[32];

    snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
    assert_memory_equal(state.answer, line, strlen(line));
}

static const char *body(void)
{
    const char *end = strstr(state.answer, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

static void test_healthz_is_ok(void **unused)
{
    (void)unused;
    ask("GET", "/healthz");
    assert_status(200);
    assert_string_equal(body(), "ok\n");
    ask("GET", "/healthz?verbose=1");
    assert_status(200);
}

static void test_readyz_follows_ready(void **unused)
{
    (void)unused;
    atomic_store(&state.ready, true);
    ask("GET", "/readyz");
    assert_status(200);
    assert_string_equal(body(), "ready\n");
    atomic_store(&state.ready, false);
    ask("GET", "/readyz");
    assert_status(503);
    assert_string_equal(body(), "not ready: an Export would be answered UNAVAILABLE now\n");
}

static void test_metrics_are_refreshed_and_rendered(void **unused)
{
    struct buf expected;

    (void)unused;
    atomic_store(&state.refreshed, 2);
    ask("GET", "/metrics");
    assert_status(200);
    assert_non_null(strstr(state.answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(body(), "\ntracespool_spool_parked_entries 42\n"));
    assert_true(metrics_get(METRIC_PROCESS_RESIDENT) > 1 << 20);
    assert_true(metrics_get(METRIC_PROCESS_OPEN_FDS) >= 4); /* the three of the shell, and the socket */
    assert_true(metrics_get(METRIC_PROCESS_OPEN_FDS) < metrics_get(METRIC_PROCESS_MAX_FDS));
    assert_true(metrics_get(METRIC_PROCESS_CPU) > 0);
    assert_in_range(metrics_get(METRIC_PROCESS_START_TIME), time(NULL) - 3600, time(NULL) + 2);
    buf_init(&expected, ANSWER_MAX);
    assert_int_equal(metrics_render(&expected, METRICS_PROMETHEUS_TEXT), 0);
    assert_int_equal(strlen(body()), expected.len);
    assert_memory_equal(body(), expected.data, expected.len);
    buf_fini(&expected);
}

static void test_metrics_are_openmetrics_for_who_asks(void **unused)
{
    (void)unused;
    ask_with("GET", "/metrics",
             "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1\r\n");
    assert_status(200);
    assert_non_null(
        strstr(state.answer, "\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
    assert_string_equal(body() + strlen(body()) - 7, "\n# EOF\n");
}

static void test_head_has_no_body(void **unused)
{
    (void)unused;
    ask("HEAD", "/healthz");
    assert_status(200);
    assert_non_null(strstr(state.answer, "\r\nContent-Length: 3\r\n"));
    assert_string_equal(body(), "");
}

static void test_other_paths_are_not_found(void **unused)
{
    static const char *const paths[] = {"/", "/metrics/", "/metric", "//healthz", "/%2e%2e/metrics"};

    (void)unused;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        ask("GET", paths[i]);
        assert_status(404);
        assert_string_equal(body(), "not found: try /metrics, /healthz or /readyz\n");
    }
}

static void test_other_methods_are_not_allowed(void **unused)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "get"};

    (void)unused;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        ask(methods[i], "/metrics");
        assert_status(405);
        assert_non_null(strstr(state.answer, "\r\nAllow: GET, HEAD\r\n"));
        assert_string_equal(body(), "method not allowed: use GET\n");
    }
}

static void test_post_is_answered_before_its_body(void **unused)
{
    int fd = connect_to(admin_port(state.admin));

    (void)unused;
    send_text(fd, "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n");
    receive_all(fd);
    close(fd);
    assert_status(405);
}

static void test_get_with_body_is_answered(void **unused)
{
    int fd = connect_to(admin_port(state.admin));

    (void)unused;
    send_text(fd, "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
    receive_all(fd);
    close(fd);
    assert_status(200);
    assert_string_equal(body(), "ok\n");
}

static void test_connection_serves_several_requests(void **unused)
{
    int fd = connect_to(admin_port(state.admin));
    const char *second;

    (void)unused;
    send_text(fd, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
                  "GET /nothing HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    receive_all(fd);
    close(fd);
    assert_status(200);
    second = strstr(state.answer + 1, "HTTP/1.1 ");
    assert_non_null(second);
    assert_memory_equal(second, "HTTP/1.1 404 ", 13);
}

static void test_no_http_is_a_bad_request(void **unused)
{
    int fd = connect_to(admin_port(state.admin));

    (void)unused;
    send_text(fd, "\x16\x03\x01 this is not HTTP\r\n\r\n");
    receive_all(fd);
    close(fd);
    assert_status(400);
    ask("GET", "/healthz");
    assert_status(200);
}

static int start_any(void **unused)
{
    struct err err;

    (void)unused;
    return start("127.0.0.1:0", &err);
}

static int stop(void **unused)
{
    (void)unused;
    admin_stop(state.admin);
    state.admin = NULL;
    return 0;
}

static void test_start_empty_listen_means_none(void **unused)
{
    struct err err;

    (void)unused;
    assert_int_equal(start("", &err), 0);
    assert_null(state.admin);
    admin_stop(NULL);
}

static void test_start_names_and_ipv6(void **unused)
{
    static const char *const names[] = {"localhost:0", "[::1]:0", "[::]:0"};
    struct err err;

    (void)unused;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(start(names[i], &err), 0);
        assert_true(admin_port(state.admin) > 0);
        stop(NULL);
    }
}

static void test_start_address_in_use_is_config(void **unused)
{
    struct admin_options options = {.ready = is_ready};
    struct admin *second;
    char listen[64], text[128];
    struct err err = {0};

    (void)unused;
    assert_int_equal(start("127.0.0.1:0", &err), 0);
    snprintf(listen, sizeof(listen), "127.0.0.1:%d", admin_port(state.admin));
    options.listen = listen;
    assert_int_equal(admin_start(&second, &options, &err), -1);
    assert_null(second);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_int_equal(err.code, EADDRINUSE);
    snprintf(text, sizeof(text), "admin endpoint %s: cannot listen: Address already in use", listen);
    assert_string_equal(err.text, text);
    stop(NULL);
    assert_int_equal(start(listen, &err), 0); /* free again at once */
    stop(NULL);
}

static void assert_start_fails(const char *listen, int code, const char *text)
{
    struct err err = {0};

    assert_int_equal(start(listen, &err), -1);
    assert_null(state.admin);
    assert_int_equal(err.class, ERR_CONFIG);
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, text);
}

static void test_start_bad_address_is_config(void **unused)
{
    char longer[400];

    (void)unused;
    assert_start_fails("9464", EINVAL, "admin endpoint 9464: not of the form host:port");
    assert_start_fails(":9464", EINVAL, "admin endpoint :9464: not of the form host:port");
    memset(longer, 'h', sizeof(longer));
    strcpy(longer + 256, ":1");
    {
        struct err err;

        assert_int_equal(start(longer, &err), -1);
        assert_int_equal(err.code, EINVAL);
    }
    assert_start_fails("[::g]:1", EADDRNOTAVAIL, "admin endpoint [::g]:1: Name or service not known");
    assert_start_fails("127.0.0.1:http", EADDRNOTAVAIL, "admin endpoint 127.0.0.1:http: Name or service not known");
    assert_start_fails("192.0.2.1:0", EADDRNOTAVAIL,
                       "admin endpoint 192.0.2.1:0: cannot listen: Cannot assign requested address");
}

/* Leaves room for `count` more file descriptors. */
static void limit_files(rlim_t count, struct rlimit *before)
{
    struct rlimit limit;
    int lowest = open("/dev/null", O_RDONLY);

    assert_true(lowest >= 0);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
    limit = *before;
    limit.rlim_cur = (rlim_t)lowest + count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void test_start_without_file_descriptors_is_config(void **unused)
{
    struct rlimit before;

    (void)unused;
    limit_files(0, &before);
    assert_start_fails("127.0.0.1:0", EMFILE, "admin endpoint 127.0.0.1:0: cannot listen: Too many open files");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    limit_files(1, &before); /* enough for the socket, not for serving it */
    assert_start_fails("127.0.0.1:0", EMFILE, "admin endpoint 127.0.0.1:0: cannot serve: Too many open files");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

#define SERVED(function) cmocka_unit_test_setup_teardown(function, start_any, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_healthz_is_ok),
        SERVED(test_readyz_follows_ready),
        SERVED(test_metrics_are_refreshed_and_rendered),
        SERVED(test_metrics_are_openmetrics_for_who_asks),
        SERVED(test_head_has_no_body),
        SERVED(test_other_paths_are_not_found),
        SERVED(test_other_methods_are_not_allowed),
        SERVED(test_post_is_answered_before_its_body),
        SERVED(test_get_with_body_is_answered),
        SERVED(test_connection_serves_several_requests),
        SERVED(test_no_http_is_a_bad_request),
        cmocka_unit_test(test_start_empty_listen_means_none),
        cmocka_unit_test(test_start_names_and_ipv6),
        cmocka_unit_test(test_start_address_in_use_is_config),
        cmocka_unit_test(test_start_bad_address_is_config),
        cmocka_unit_test(test_start_without_file_descriptors_is_config),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
