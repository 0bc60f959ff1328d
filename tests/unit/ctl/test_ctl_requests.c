/*
 * test_ctl_requests.c - files of requests: their forms are told apart, what is bad is named and nothing else is lost.
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

#include "bounds.h"
#include "ctl_requests.h"
#include "otlp_codec.h"

/* One span without anything, as JSON and as protobuf. */
#define JSON "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"x\"}]}]}]}"
#define INDENTED "{\n  \"resourceSpans\": [\n    {\"scopeSpans\": [{\"spans\": [{\"name\": \"x\"}]}]}\n  ]\n}"
#define PROTO "\x0a\x07\x12\x05\x12\x03\x2a\x01x"

struct file {
    char path[32];
    struct ctl_requests requests;
    struct slice request;
    struct err err;
};

static void write_file(struct file *file, const void *bytes, size_t len)
{
    int fd;

    strcpy(file->path, "/tmp/test-ctl-requests-XXXXXX");
    fd = mkstemp(file->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static void open_file(struct file *file, const void *bytes, size_t len, enum ctl_requests_form form)
{
    write_file(file, bytes, len);
    assert_int_equal(ctl_requests_open(&file->requests, file->path, &file->err), 0);
    assert_int_equal(file->requests.form, form);
}

static void close_file(struct file *file)
{
    ctl_requests_close(&file->requests);
    unlink(file->path);
}

static void assert_next(struct file *file, const char *place)
{
    char actual[CTL_REQUESTS_PLACE_MAX];

    assert_int_equal(ctl_requests_next(&file->requests, &file->request, &file->err), CTL_REQUESTS_READ);
    assert_string_equal(ctl_requests_place(actual, &file->requests), place);
    assert_int_equal(file->request.len, sizeof(PROTO) - 1);
    assert_memory_equal(file->request.data, PROTO, sizeof(PROTO) - 1);
}

static void assert_result(struct file *file, enum ctl_requests_result result, const char *place, const char *text)
{
    char actual[CTL_REQUESTS_PLACE_MAX];

    assert_int_equal(ctl_requests_next(&file->requests, &file->request, &file->err), result);
    if (result == CTL_REQUESTS_END)
        return;
    assert_string_equal(ctl_requests_place(actual, &file->requests), place);
    assert_non_null(strstr(file->err.text, text));
}

static void assert_end(struct file *file)
{
    assert_result(file, CTL_REQUESTS_END, NULL, NULL);
    assert_result(file, CTL_REQUESTS_END, NULL, NULL);
}

static void test_one_request_in_protobuf(void **state)
{
    struct file file;

    (void)state;
    open_file(&file, PROTO, sizeof(PROTO) - 1, CTL_REQUESTS_ONE);
    assert_next(&file, "");
    assert_end(&file);
    close_file(&file);
}

static void test_a_file_of_nothing_is_a_mistake(void **state)
{
    int kept = dup(STDIN_FILENO);
    struct file file;

    (void)state;
    write_file(&file, "", 0);
    assert_int_equal(ctl_requests_open(&file.requests, file.path, &file.err), -1);
    assert_string_equal(file.err.text, "is empty: it holds no request");
    unlink(file.path);
    /* an export of nothing, on a pipe */
    assert_non_null(freopen("/dev/null", "r", stdin));
    assert_int_equal(ctl_requests_open(&file.requests, "-", &file.err), 0);
    assert_end(&file);
    ctl_requests_close(&file.requests);
    assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
    close(kept);
}

static void test_lines_of_json(void **state)
{
    static const char text[] = JSON "\n\n  \n" JSON "\r\n" INDENTED "\n" JSON;
    struct file file;

    (void)state;
    open_file(&file, text, sizeof(text) - 1, CTL_REQUESTS_JSON);
    assert_next(&file, "line 1");
    assert_next(&file, "line 4");
    assert_next(&file, "line 5");
    assert_next(&file, "line 10");
    assert_end(&file);
    close_file(&file);
}

static void test_one_indented_body_without_an_end_of_line(void **state)
{
    struct file file;

    (void)state;
    open_file(&file, INDENTED, sizeof(INDENTED) - 1, CTL_REQUESTS_JSON);
    assert_next(&file, "line 1");
    assert_end(&file);
    close_file(&file);
}

static void test_bad_json_is_named_and_passed_over(void **state)
{
    static const char text[] =
        "{\"resourceSpans\":[{\n" JSON "\nwords\n{\"resourceSpans\":7}\n" JSON "\n{\n  \"resourceSpans\"";
    struct file file;

    (void)state;
    open_file(&file, text, sizeof(text) - 1, CTL_REQUESTS_JSON);
    assert_result(&file, CTL_REQUESTS_BAD, "line 1", "");
    assert_next(&file, "line 2");
    assert_result(&file, CTL_REQUESTS_BAD, "line 3", "no request in OTLP/JSON, which begins with {");
    assert_result(&file, CTL_REQUESTS_BAD, "line 4", "resourceSpans: ");
    assert_next(&file, "line 5");
    assert_result(&file, CTL_REQUESTS_BAD, "line 6", "");
    assert_end(&file);
    close_file(&file);
}

/* Of what the bound leaves; the line itself is read to its end. */
static void test_a_line_over_the_bound_is_passed_over(void **state)
{
    char text[3 * 8192];
    struct file file;
    int len;

    (void)state;
    memset(text, ' ', sizeof(text));
    len = 2 * 8192;
    text[0] = '{';
    len += snprintf(text + len, sizeof(text) - (size_t)len, "\n" JSON "\n");
    open_file(&file, text, (size_t)len, CTL_REQUESTS_JSON);
    file.requests.raw.max = 8192;
    assert_result(&file, CTL_REQUESTS_BAD, "line 1", "the most that a receiver takes");
    assert_next(&file, "line 2");
    assert_end(&file);
    close_file(&file);
}

static void append_message(struct buf *out, struct slice bytes)
{
    uint8_t head[4] = {0, 0, (uint8_t)(bytes.len >> 8), (uint8_t)bytes.len};

    buf_append(out, head, sizeof(head));
    buf_append(out, bytes.data, bytes.len);
}

/* What the Collector writes with `compression: zstd`, and with both formats. */
static void test_messages_of_every_kind(void **state)
{
    struct buf out, zstd, gzip;
    struct file file;

    (void)state;
    buf_init(&out, 1 << 16);
    buf_init(&zstd, 1 << 16);
    buf_init(&gzip, 1 << 16);
    assert_int_equal(otlp_codec_deflate(OTLP_CODEC_ZSTD, slice_of_text(JSON), &zstd, NULL), 0);
    assert_int_equal(otlp_codec_deflate(OTLP_CODEC_GZIP, slice_of(PROTO, sizeof(PROTO) - 1), &gzip, NULL), 0);
    append_message(&out, slice_of(PROTO, sizeof(PROTO) - 1));
    append_message(&out, slice_of_text(JSON));
    append_message(&out, buf_slice(&zstd));
    append_message(&out, slice_of("\x28\xb5\x2f\xfd", 4)); /* damaged */
    append_message(&out, slice_of("", 0));
    append_message(&out, buf_slice(&gzip));
    append_message(&out, slice_of("{", 1));
    open_file(&file, out.data, out.len, CTL_REQUESTS_FRAMED);
    assert_next(&file, "message 1");
    assert_next(&file, "message 2");
    assert_next(&file, "message 3");
    assert_result(&file, CTL_REQUESTS_BAD, "message 4", "zstd");
    assert_next(&file, "message 6");
    assert_result(&file, CTL_REQUESTS_BAD, "message 7", "");
    assert_end(&file);
    close_file(&file);
    buf_fini(&gzip);
    buf_fini(&zstd);
    buf_fini(&out);
}

static void test_messages_that_are_cut_short(void **state)
{
    static const char bytes[] = "\0\0\0\x09" PROTO "\0\0\0\x09";
    struct file file;

    (void)state;
    for (size_t len = 13 + 1; len < sizeof(bytes); len++) {
        open_file(&file, bytes, len, CTL_REQUESTS_FRAMED);
        assert_next(&file, "message 1");
        assert_result(&file, CTL_REQUESTS_FAILED, "message 2", "ends within message 2");
        close_file(&file);
    }
    open_file(&file, "\0\0\0\0\x40\0\0\1", 8, CTL_REQUESTS_FRAMED);
    assert_result(&file, CTL_REQUESTS_FAILED, "message 2", "is said to have 1073741825 bytes");
    close_file(&file);
    open_file(&file, "\0\0", 2, CTL_REQUESTS_FRAMED);
    assert_result(&file, CTL_REQUESTS_FAILED, "message 1", "ends within message 1");
    close_file(&file);
}

static void test_a_file_that_is_compressed_as_a_whole_is_told(void **state)
{
    struct file file;

    (void)state;
    write_file(&file, "\x28\xb5\x2f\xfd\x01", 5);
    assert_int_equal(ctl_requests_open(&file.requests, file.path, &file.err), -1);
    assert_non_null(strstr(file.err.text, "`zstdcat FILE"));
    unlink(file.path);
    write_file(&file, "\x1f\x8b\x08\x01", 4);
    assert_int_equal(ctl_requests_open(&file.requests, file.path, &file.err), -1);
    assert_non_null(strstr(file.err.text, "`zcat FILE"));
    unlink(file.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_request_in_protobuf),
        cmocka_unit_test(test_a_file_of_nothing_is_a_mistake),
        cmocka_unit_test(test_lines_of_json),
        cmocka_unit_test(test_one_indented_body_without_an_end_of_line),
        cmocka_unit_test(test_bad_json_is_named_and_passed_over),
        cmocka_unit_test(test_a_line_over_the_bound_is_passed_over),
        cmocka_unit_test(test_messages_of_every_kind),
        cmocka_unit_test(test_messages_that_are_cut_short),
        cmocka_unit_test(test_a_file_that_is_compressed_as_a_whole_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
