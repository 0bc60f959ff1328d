/*
 * log.c - logfmt or JSON lines on standard error.
 *
 *   time=2026-01-31T12:00:00.123Z level=info event=spool.opened msg="..."
 *
 * A line is built whole and written with one write(2), so lines of
 * several threads do not mix.  What cannot be written is lost: logging must
 * not be what stops the daemon.
 */
#include "log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "clock.h"
#include "json.h"
#include "log_repeat.h"
#include "units.h"

static _Atomic enum log_level min_level = LOG_LEVEL_INFO;
static _Atomic enum log_format line_format = LOG_FORMAT_LOGFMT;
static bool is_journal; /* set once */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_repeat repeat; /* under lock */

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const int priorities[] = {7, 6, 4, 3}; /* syslog's, by level */
static const char *const format_names[] = {"logfmt", "json"};

void log_configure(enum log_level level, enum log_format format)
{
    min_level = level;
    line_format = format;
}

void log_detect_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat status;

    if (stream == NULL || sscanf(stream, "%ju:%ju", &device, &inode) != 2 || fstat(STDERR_FILENO, &status) != 0)
        return;
    is_journal = device == (uintmax_t)status.st_dev && inode == (uintmax_t)status.st_ino;
}

static bool find_name(const char *const *names, unsigned count, const char *name, unsigned *index)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

bool log_level_parse(const char *name, enum log_level *level)
{
    unsigned index;

    if (!find_name(level_names, sizeof(level_names) / sizeof(level_names[0]), name, &index))
        return false;
    *level = (enum log_level)index;
    return true;
}

bool log_format_parse(const char *name, enum log_format *format)
{
    unsigned index;

    if (!find_name(format_names, sizeof(format_names) / sizeof(format_names[0]), name, &index))
        return false;
    *format = (enum log_format)index;
    return true;
}

/* The text as a JSON string, which is also what logfmt readers take as a quoted value: one line, no control bytes. */
static void append_quoted(struct buf *line, const char *text)
{
    struct json json;

    json_init(&json, line);
    json_text(&json, text);
}

static void build_line(struct buf *line, enum log_level level, const char *event, const char *text, uint64_t left_out)
{
    char time[UNITS_TEXT_MAX];

    if (is_journal)
        buf_printf(line, "<%d>", priorities[level]);
    units_format_time(time, clock_wall_ns());
    if (line_format == LOG_FORMAT_JSON) {
        buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"msg\":", time, level_names[level],
                   event);
        append_quoted(line, text);
        if (left_out > 0)
            buf_printf(line, ",\"left_out\":%" PRIu64, left_out);
        buf_text(line, "}\n");
    } else {
        buf_printf(line, "time=%s level=%s event=%s msg=", time, level_names[level], event);
        append_quoted(line, text);
        if (left_out > 0)
            buf_printf(line, " left_out=%" PRIu64, left_out);
        buf_text(line, "\n");
    }
}

static bool is_to_be_written(enum log_level level, const char *event, uint64_t *left_out)
{
    bool pass;

    *left_out = 0;
    if (level < min_level || level == LOG_LEVEL_DEBUG)
        return level >= min_level;
    pthread_mutex_lock(&lock);
    pass = log_repeat_pass(&repeat, event, clock_mono_ns(), left_out);
    pthread_mutex_unlock(&lock);
    return pass;
}

void log_write(enum log_level level, const char *event, const char *format, ...)
{
    char text[LOG_LINE_MAX];
    struct buf line;
    uint64_t left_out;
    va_list args;

    if (!is_to_be_written(level, event, &left_out))
        return;
    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) >= (int)sizeof(text))
        memcpy(text + sizeof(text) - 4, "...", 4);
    va_end(args);

    /* A byte of text takes at most 6 as JSON; the rest of the line is short. */
    buf_init(&line, 6 * LOG_LINE_MAX + 512);
    build_line(&line, level, event, text, left_out);
    if (!line.failed && write(STDERR_FILENO, line.data, line.len) < 0) {
        /* Nowhere left to say so. */
    }
    buf_fini(&line);
}
