/*
 * test_ctl_send.c - sending to a real receiver, and to nobody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bounds.h"
#include "ctl_receiver_fixture.h"
#include "ctl_requests.h"
#include "ctl_send.h"

static int start_receiver(void **state)
{
    static struct receiver_fixture fixture;

    fixture_start_receiver(&fixture);
    *state = &fixture;
    return 0;
}

static int stop_receiver(void **state)
{
    fixture_stop_receiver(*state);
    return 0;
}

static void test_send_files_in_order(void **state)
{
    struct receiver_fixture *fixture = *state;
    struct run run;

    RUN(&run, "send", FILE_OF("python-awkward-0012.pb"), "--endpoint", fixture->endpoint,
        FILE_OF("python-awkward-0015.pb"));
    assert_string_equal(run.err, "");
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, "python-awkward-0012.pb: OK (");
    assert_contains(run.out, "python-awkward-0015.pb: OK (");
    assert_contains(run.out, "\n2 requests to 127.0.0.1:");
    assert_contains(run.out, ": 2 OK (940 B)\n");
    assert_int_equal(fixture_received(fixture), 2);
    run_free(&run);
}

static void test_send_repeat_and_gzip(void **state)
{
    struct receiver_fixture *fixture = *state;
    struct run run;

    RUN(&run, "send", "--repeat", "3", "--gzip", "--endpoint", fixture->endpoint, FILE_OF("java-0001.pb"));
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, "java-0001.pb #3: OK (");
    assert_contains(run.out, "3 requests to ");
    assert_int_equal(fixture_received(fixture), 3);
    run_free(&run);
}

static void test_send_json_is_a_line_a_request(void **state)
{
    struct receiver_fixture *fixture = *state;
    struct run run;

    RUN(&run, "--json", "send", "--endpoint", fixture->endpoint, FILE_OF("python-awkward-0012.pb"), "/nowhere.pb");
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.out,
                    "python-awkward-0012.pb\",\"number\":1,\"request\":1,\"bytes\":707,\"error\":null,\"code\":\"OK\","
                    "\"code_number\":0,\"message\":\"\",\"retryable\":false,\"rejected_spans\":0,"
                    "\"partial_message\":\"\",\"elapsed_seconds\":0.");
    assert_contains(run.out, ",\"attempts\":1}\n{\"file\":\"/nowhere.pb\",\"number\":1,\"request\":1,\"bytes\":0,"
                             "\"error\":\"No such file or directory\",\"code\":null}\n");
    run_free(&run);
}

static void test_send_refused_for_good_makes_it_2(void **state)
{
    struct receiver_fixture *fixture = *state;
    struct run run;

    /* Not protobuf: the second file is sent all the same. */
    RUN(&run, "send", "--endpoint", fixture->endpoint, SOURCE_DIR "/CMakeLists.txt", FILE_OF("python-awkward-0012.pb"));
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_contains(run.out, "CMakeLists.txt: INVALID_ARGUMENT: ");
    assert_contains(run.out, "2 requests to ");
    assert_contains(run.out, ": 1 OK (707 B), 1 refused\n");
    run_free(&run);
}

static void test_send_spans_rejected_in_part_makes_it_2(void **state)
{
    struct receiver_fixture *fixture = *state;
    struct run run;
    char path[] = "/tmp/test-ctl-send-XXXXXX";
    /* ResourceSpans { ScopeSpans { Span { name "n" } } }: no ids at all. */
    static const uint8_t request[] = {0x0a, 0x07, 0x12, 0x05, 0x12, 0x03, 0x2a, 0x01, 'n'};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, request, sizeof(request)), sizeof(request));
    close(fd);
    RUN(&run, "send", "--endpoint", fixture->endpoint, path);
    assert_int_equal(run.status, CTL_PARTIAL);
    assert_contains(run.out, ": OK, 1 span rejected: ");
    assert_contains(run.out, "1 OK (9 B), 1 of them in part\n");
    run_free(&run);
    unlink(path);
}

static void test_send_standard_input(void **state)
{
    struct receiver_fixture *fixture = *state;
    struct run run;
    int kept = dup(STDIN_FILENO);
    int fd = open(FILE_OF("python-awkward-0012.pb"), O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    close(fd);
    RUN(&run, "send", "--endpoint", fixture->endpoint, "-");
    if (kept >= 0) {
        dup2(kept, STDIN_FILENO);
        close(kept);
    }
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, "-: OK (");
    assert_int_equal(fixture_received(fixture), 1);
    run_free(&run);
}

/* --- files of several requests ------------------------------------------------ */

/* A file of messages, each after its length; `name` NULL: one of no bytes. */
static void make_framed(char *path, const char *const *names, size_t count)
{
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    for (size_t i = 0; i < count; i++) {
        struct buf data;

        buf_init(&data, 1);
        if (names[i] != NULL)
            fixture_read(&data, names[i]);
        uint8_t head[] = {(uint8_t)(data.len >> 24), (uint8_t)(data.len >> 16), (uint8_t)(data.len >> 8),
                          (uint8_t)data.len};
        assert_int_equal(write(fd, head, sizeof(head)), sizeof(head));
        if (data.len > 0)
            assert_int_equal(write(fd, data.data, data.len), data.len);
        buf_fini(&data);
    }
    close(fd);
}

static void test_send_of_a_file_of_messages(void **state)
{
    static const char *const names[] = {NULL, "python-awkward-0012.pb", "python-awkward-0015.pb"};
    struct receiver_fixture *fixture = *state;
    char path[] = "/tmp/test-ctl-send-XXXXXX";
    struct run run;

    make_framed(path, names, 3);
    RUN(&run, "send", "--endpoint", fixture->endpoint, path);
    assert_string_equal(run.err, "");
    assert_int_equal(run.status, CTL_OK);
    assert_contains(run.out, ", message 2: OK (");
    assert_contains(run.out, ", message 3: OK (");
    assert_contains(run.out, "2 requests to ");
    assert_contains(run.out, ": 2 OK (940 B)\n");
    run_free(&run);
    RUN(&run, "--json", "send", "--repeat", "2", "--endpoint", fixture->endpoint, path);
    assert_contains(run.out, "\"number\":1,\"request\":3,\"bytes\":233,");
    assert_contains(run.out, "\"number\":2,\"request\":3,\"bytes\":233,");
    assert_int_equal(fixture_received(fixture), 6);
    run_free(&run);
    unlink(path);
}

static void test_send_of_messages_that_are_cut_short_is_told(void **state)
{
    static const char *const names[] = {"python-awkward-0012.pb", "python-awkward-0015.pb"};
    struct receiver_fixture *fixture = *state;
    char path[] = "/tmp/test-ctl-send-XXXXXX";
    struct run run;

    make_framed(path, names, 2);
    assert_int_equal(truncate(path, 4 + 707 + 4 + 100), 0); /* in the second message */
    RUN(&run, "send", "--endpoint", fixture->endpoint, path);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.out, ", message 1: OK (");
    assert_contains(run.err, ": ends within message 2\n");
    assert_contains(run.out, ": 1 OK (707 B), 1 not sent\n");
    run_free(&run);
    assert_int_equal(truncate(path, 4 + 707 + 2), 0); /* in its length */
    RUN(&run, "--json", "send", "--endpoint", fixture->endpoint, path);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.out, "\"bytes\":0,\"error\":\"ends within message 2\",\"code\":null}\n");
    run_free(&run);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(truncate(path, 40), 0);
    RUN(&run, "send", "--endpoint", fixture->endpoint, path);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, ": holds no message\n");
    run_free(&run);
    unlink(path);
}

static void test_send_of_a_message_over_the_bound_is_told(void **state)
{
    struct receiver_fixture *fixture = *state;
    char path[] = "/tmp/test-ctl-send-XXXXXX";
    int fd = mkstemp(path);
    struct run run;

    assert_int_equal(write(fd, "\0\0\0\0\100\0\0\1", 8), 8); /* one of no bytes, one of 1 GiB and a byte */
    close(fd);
    RUN(&run, "send", "--endpoint", fixture->endpoint, path);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, ": message 2 is said to have 1073741825 bytes: more than a receiver takes\n");
    run_free(&run);
    unlink(path);
}

/* What is written is read again, also when its length alone would look like a request. */
static void test_requests_are_read_as_they_were_written(void **state)
{
    static const size_t lengths[] = {1, 5, 0x0a000001, 300};
    char path[] = "/tmp/test-ctl-send-XXXXXX";
    uint8_t *bytes = calloc(1, 0x0a000001);
    struct ctl_requests requests;
    struct slice out;
    struct err err;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_non_null(bytes);
    bytes[0] = 0x0a;
    for (size_t first = 0; first < 3; first += 2) {
        FILE *file = fopen(path, "w");

        for (size_t i = first; i < 4; i++)
            assert_int_equal(ctl_requests_write(file, slice_of(bytes, lengths[i]), i == first), 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(ctl_requests_open(&requests, path, &err), 0);
        assert_int_equal(requests.form, CTL_REQUESTS_FRAMED);
        for (size_t i = first; i < 4; i++) {
            assert_int_equal(ctl_requests_next(&requests, &out, &err), 1);
            assert_int_equal(out.len, lengths[i]);
            assert_memory_equal(out.data, bytes, out.len);
        }
        assert_int_equal(ctl_requests_next(&requests, &out, &err), 0);
        ctl_requests_close(&requests);
    }
    free(bytes);
    unlink(path);
}

static void test_send_to_nobody_fails_after_retry_for(void **state)
{
    struct run run;

    (void)state;
    /* Port 1 listens nowhere. */
    RUN(&run, "send", "--endpoint", "127.0.0.1:1", "--retry-for", "0", FILE_OF("python-awkward-0012.pb"));
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.out, "python-awkward-0012.pb: UNAVAILABLE: ");
    assert_contains(run.out, ": 0 OK (0 B), 1 not sent\n");
    run_free(&run);
    RUN(&run, "send", "--endpoint", "127.0.0.1:1", "--retry-for", "1s", FILE_OF("python-awkward-0012.pb"));
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "python-awkward-0012.pb: UNAVAILABLE: ");
    assert_contains(run.err, "; again in ");
    assert_contains(run.out, ", try "); /* how often is left to the jitter */
    run_free(&run);
}

static void test_send_that_cannot_start_is_told(void **state)
{
    struct run run;

    (void)state;
    RUN(&run, "send");
    assert_ran(&run, CTL_FAILED, "",
               "tracespool send: takes files of requests, in protobuf or OTLP/JSON; - is standard input\n");
    RUN(&run, "send", "--endpoint", "nowhere", "x");
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "\"nowhere\" is no endpoint");
    run_free(&run);
    RUN(&run, "send", "--repeat", "0", "x");
    assert_ran(&run, CTL_FAILED, "", "tracespool send: --repeat takes a number from 1 to 1000000000, not \"0\"\n");
    RUN(&run, "send", "--timeout", "0", "x");
    assert_ran(&run, CTL_FAILED, "", "tracespool send: --timeout takes a duration of 1ms to 1h, not \"0\"\n");
    RUN(&run, "send", "--retry-for", "2h", "x");
    assert_ran(&run, CTL_FAILED, "", "tracespool send: --retry-for takes a duration of 0 to 1h, not \"2h\"\n");
    RUN(&run, "send", "--endpoint", "127.0.0.1:1", "/");
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "tracespool send: /: Is a directory\n");
    run_free(&run);
}

/* A sparse file: larger than any receiver takes, and no disk is used. */
static void test_send_file_over_the_bound_is_told(void **state)
{
    struct run run;
    char path[] = "/tmp/test-ctl-send-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "\n", 1), 1); /* as a request begins */
    assert_int_equal(ftruncate(fd, (off_t)CTL_REQUEST_BYTES_MAX + 1), 0);
    close(fd);
    RUN(&run, "send", "--endpoint", "127.0.0.1:1", path);
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "larger than 1073741824 bytes, the most that a receiver takes\n");
    run_free(&run);
    unlink(path);
}

/* --- pure ------------------------------------------------------------------ */

static void test_wait_is_what_retry_info_says(void **state)
{
    struct export_answer answer = {.has_retry_delay = true, .retry_delay_ms = 1234};

    (void)state;
    assert_int_equal(ctl_send_wait_ms(1, &answer, 0), 1234);
    assert_int_equal(ctl_send_wait_ms(50, &answer, UINT64_MAX), 1234);
}

static void test_wait_grows_to_its_bound_with_jitter(void **state)
{
    struct export_answer answer = {.has_retry_delay = false};
    uint64_t random = 0x9E3779B97F4A7C15;

    (void)state;
    assert_int_equal(ctl_send_wait_ms(1, &answer, 0), CTL_RETRY_MIN_MS / 2);
    assert_int_equal(ctl_send_wait_ms(1, &answer, CTL_RETRY_MIN_MS / 2), CTL_RETRY_MIN_MS);
    assert_int_equal(ctl_send_wait_ms(2, &answer, 0), CTL_RETRY_MIN_MS);
    for (unsigned attempt = 1; attempt < 1000; attempt++) {
        uint64_t wait = ctl_send_wait_ms(attempt, &answer, random *= 6364136223846793005);

        assert_in_range(wait, CTL_RETRY_MIN_MS / 2, CTL_RETRY_MAX_MS);
        if (attempt > 10)
            assert_in_range(wait, CTL_RETRY_MAX_MS / 2, CTL_RETRY_MAX_MS);
    }
}

static void test_endpoint_of_any_address_is_loopback(void **state)
{
    static const struct {
        const char *listen;
        const char *endpoint;
    } cases[] = {{"0.0.0.0:4317", "127.0.0.1:4317"},
                 {"[::]:4317", "[::1]:4317"},
                 {"10.0.0.0:4317", "10.0.0.0:4317"},
                 {"collector.example:4317", "collector.example:4317"}};
    char endpoint[64];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ctl_send_endpoint(endpoint, sizeof(endpoint), cases[i].listen);
        assert_string_equal(endpoint, cases[i].endpoint);
    }
}

static void test_send_without_endpoint_and_address_is_told(void **state)
{
    char path[] = "/tmp/tracespool-test-ctl-send-XXXXXX";
    int fd = mkstemp(path);
    struct run run;

    (void)state;
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "receiver = { grpc = \"\"; };\n") > 0);
    close(fd);
    RUN(&run, "-c", path, "send", FILE_OF("python-awkward-0012.pb"));
    assert_int_equal(run.status, CTL_FAILED);
    assert_contains(run.err, "receiver.grpc of the configuration is empty, name a receiver by --endpoint");
    run_free(&run);
    unlink(path);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start_receiver, stop_receiver)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_send_files_in_order),
        TEST(test_send_repeat_and_gzip),
        TEST(test_send_json_is_a_line_a_request),
        TEST(test_send_refused_for_good_makes_it_2),
        TEST(test_send_spans_rejected_in_part_makes_it_2),
        TEST(test_send_standard_input),
        TEST(test_send_of_a_file_of_messages),
        TEST(test_send_of_messages_that_are_cut_short_is_told),
        TEST(test_send_of_a_message_over_the_bound_is_told),
        cmocka_unit_test(test_requests_are_read_as_they_were_written),
        cmocka_unit_test(test_send_to_nobody_fails_after_retry_for),
        cmocka_unit_test(test_send_that_cannot_start_is_told),
        cmocka_unit_test(test_send_file_over_the_bound_is_told),
        cmocka_unit_test(test_wait_is_what_retry_info_says),
        cmocka_unit_test(test_wait_grows_to_its_bound_with_jitter),
        cmocka_unit_test(test_endpoint_of_any_address_is_loopback),
        cmocka_unit_test(test_send_without_endpoint_and_address_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
