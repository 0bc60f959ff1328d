/*
 * log.h - one line an event, on standard error.
 *
 * Each event has a stable dotted name, for people who search and for alerts,
 * as a literal; docs/logs.md has all of them, which scripts/check_sources.py
 * compares.  The text may change.  Any thread may log; a line is written with one write(2).
 * Of an event that comes again and again some lines are left out and counted
 * (log_repeat.h), but at level debug.
 * Secrets are never passed to these functions: callers mask them.
 */
#ifndef TRACESPOOL_LOG_H
#define TRACESPOOL_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* Any time, any thread. */
void log_configure(enum log_level level, enum log_format format);

/*
 * When standard error is the journal's (JOURNAL_STREAM, systemd.exec(5)), lines
 * begin with their priority as sd-daemon(3) has it, which the journal takes
 * off.  Before threads start.
 */
void log_detect_journal(void);

/* False, and *level untouched, when `name` is none of debug, info, warn, error. */
bool log_level_parse(const char *name, enum log_level *level);
bool log_format_parse(const char *name, enum log_format *format);

void log_write(enum log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
