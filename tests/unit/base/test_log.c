/* test_log.c - what a line looks like, on a pipe in standard error's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "log_repeat.h"

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

/* 20 lines in 10 s; the next one tells how many are missing. */
static void test_repeat_is_left_out_and_counted(void **state)
{
    static struct log_repeat repeat;
    uint64_t left_out, now_ns = 5 * NS_PER_S;

    (void)state;
    for (int i = 0; i < LOG_REPEAT_BURST; i++, now_ns += NS_PER_MS)
        assert_true(log_repeat_pass(&repeat, "test.often", now_ns, &left_out));
    for (int i = 0; i < 3; i++)
        assert_false(log_repeat_pass(&repeat, "test.often", now_ns, &left_out));
    assert_true(log_repeat_pass(&repeat, "test.other", now_ns, &left_out));
    assert_true(log_repeat_pass(&repeat, "test.often", 5 * NS_PER_S + LOG_REPEAT_MS * NS_PER_MS, &left_out));
    assert_int_equal(left_out, 3);
    assert_true(log_repeat_pass(&repeat, "test.often", 5 * NS_PER_S + LOG_REPEAT_MS * NS_PER_MS, &left_out));
    assert_int_equal(left_out, 0);
}

static void test_full_table_leaves_nothing_out(void **state)
{
    static struct log_repeat repeat;
    static char names[LOG_EVENTS_MAX][8];
    uint64_t left_out;

    (void)state;
    for (int i = 0; i < LOG_EVENTS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "e%d", i);
        assert_true(log_repeat_pass(&repeat, names[i], NS_PER_S, &left_out));
    }
    for (int i = 0; i < 2 * LOG_REPEAT_BURST; i++)
        assert_true(log_repeat_pass(&repeat, "one more", NS_PER_S, &left_out));
}

/* As many lines as are allowed come out of a flood. */
static void test_flood_is_cut(void **state)
{
    char line[1000];
    int ends[2], saved = dup(STDERR_FILENO);
    ssize_t len;

    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    for (int i = 0; i < LOG_REPEAT_BURST + 5; i++)
        log_info("test.flood", "x");
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    for (int lines = 0; lines < LOG_REPEAT_BURST;) {
        assert_int_equal(read(ends[0], line, 1), 1);
        lines += line[0] == '\n';
    }
    len = read(ends[0], line, sizeof(line));
    assert_int_equal(len, 0);
    close(ends[0]);
}

/* Standard error is a file that the environment names as the journal's. */
static void test_journal_gets_priorities(void **state)
{
    char path[] = "/tmp/test_log-XXXXXX", stream[64], line[1000];
    int fd = mkstemp(path), saved = dup(STDERR_FILENO);
    struct stat status;
    ssize_t len;

    (void)state;
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(fstat(fd, &status), 0);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
    dup2(fd, STDERR_FILENO);
    log_detect_journal();
    log_debug("test.one", "x");
    log_info("test.one", "x");
    log_warn("test.one", "x");
    log_error("test.one", "x");
    dup2(saved, STDERR_FILENO);
    log_detect_journal();
    len = pread(fd, line, sizeof(line) - 1, 0);
    assert_true(len > 0);
    line[len] = '\0';
    assert_memory_equal(line, "<7>time=", 8);
    assert_non_null(strstr(line, "\n<6>time="));
    assert_non_null(strstr(line, "\n<4>time="));
    assert_non_null(strstr(line, "\n<3>time="));
    close(saved);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logfmt_line),
        cmocka_unit_test(test_json_line),
        cmocka_unit_test(test_long_line_is_cut),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_repeat_is_left_out_and_counted),
        cmocka_unit_test(test_full_table_leaves_nothing_out),
        cmocka_unit_test(test_flood_is_cut),
        cmocka_unit_test(test_journal_gets_priorities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
