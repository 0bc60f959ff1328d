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

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "clock.h"
#include "json.h"
#include "units.h"

static enum log_level min_level = LOG_LEVEL_INFO;
static enum log_format line_format = LOG_FORMAT_LOGFMT;

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const format_names[] = {"logfmt", "json"};

void log_configure(enum log_level level, enum log_format format)
{
    min_level = level;
    line_format = format;
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

static void build_line(struct buf *line, enum log_level level, const char *event, const char *text)
{
    char time[UNITS_TEXT_MAX];

    units_format_time(time, clock_wall_ns());
    if (line_format == LOG_FORMAT_JSON) {
        buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"msg\":", time, level_names[level],
                   event);
        append_quoted(line, text);
        buf_text(line, "}\n");
    } else {
        buf_printf(line, "time=%s level=%s event=%s msg=", time, level_names[level], event);
        append_quoted(line, text);
        buf_text(line, "\n");
    }
}

void log_write(enum log_level level, const char *event, const char *format, ...)
{
    char text[LOG_LINE_MAX];
    struct buf line;
    va_list args;

    if (level < min_level)
        return;
    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) >= (int)sizeof(text))
        memcpy(text + sizeof(text) - 4, "...", 4);
    va_end(args);

    /* A byte of text takes at most 6 as JSON; the rest of the line is short. */
    buf_init(&line, 6 * LOG_LINE_MAX + 512);
    build_line(&line, level, event, text);
    if (!line.failed && write(STDERR_FILENO, line.data, line.len) < 0) {
        /* Nowhere left to say so. */
    }
    buf_fini(&line);
}
