/* test_log.c - what a line looks like, on a pipe in standard error's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "log.h"

/* Logs one event with standard error going into `line`, and puts standard error back. */
static void capture(char *line, size_t size, const char *text)
{
    int ends[2], saved = dup(STDERR_FILENO);
    ssize_t len;

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    log_debug("test.below", "not written");
    log_warn("test.event", "%s", text);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    len = read(ends[0], line, size - 1);
    assert_true(len > 0);
    line[len] = '\0';
    close(ends[0]);
}

static void test_logfmt_line(void **state)
{
    char line[1000];

    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    capture(line, sizeof(line), "two\nlines \"quoted\"");
    assert_memory_equal(line, "time=20", 7);
    assert_non_null(strstr(line, "Z level=warn event=test.event msg=\"two\\nlines \\\"quoted\\\"\"\n"));
    assert_null(strstr(line, "test.below"));
}

static void test_json_line(void **state)
{
    char line[1000];

    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    capture(line, sizeof(line), "text");
    assert_memory_equal(line, "{\"time\":\"20", 11);
    assert_non_null(strstr(line, "\"level\":\"warn\",\"event\":\"test.event\",\"msg\":\"text\"}\n"));
}

static void test_long_line_is_cut(void **state)
{
    static char line[20000], text[10000];

    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    memset(text, 'x', sizeof(text) - 1);
    capture(line, sizeof(line), text);
    assert_true(strlen(line) < 4400);
    assert_string_equal(line + strlen(line) - 5, "...\"\n");
}

static void test_names(void **state)
{
    enum log_level level = LOG_LEVEL_INFO;
    enum log_format format = LOG_FORMAT_LOGFMT;

    (void)state;
    assert_true(log_level_parse("error", &level));
    assert_int_equal(level, LOG_LEVEL_ERROR);
    assert_false(log_level_parse("loud", &level));
    assert_true(log_format_parse("json", &format));
    assert_int_equal(format, LOG_FORMAT_JSON);
    assert_false(log_format_parse("", &format));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logfmt_line),
        cmocka_unit_test(test_json_line),
        cmocka_unit_test(test_long_line_is_cut),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
