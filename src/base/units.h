/*
 * units.h - sizes and durations as people write them.
 */
#ifndef TRACESPOOL_UNITS_H
#define TRACESPOOL_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define UNITS_TEXT_MAX 32 /* what the formatters write at most, with the NUL */

/* "512", "64KiB", "8GiB", "1.5 MB" (KB, MB, GB, TB are powers of 1000).  0, or -1 if it is no size or overflows. */
int units_parse_bytes(const char *text, uint64_t *bytes);

/* "10%", "2.5 %", up to "100%".  0, or -1. */
int units_parse_share(const char *text, uint64_t *millionths);

/* "250ms", "30s", "15m", "36h", "7d", or "0".  0, or -1. */
int units_parse_duration(const char *text, uint64_t *ns);

/* Three significant digits with a unit: "812 B", "1.20 MiB".  Returns `out`. */
char *units_format_bytes(char out[UNITS_TEXT_MAX], uint64_t bytes);

/* Two units at most: "812 ms", "1 m 20 s", "3 d 4 h".  Returns `out`. */
char *units_format_duration(char out[UNITS_TEXT_MAX], uint64_t ns);

/*
 * The same value as the parsers read it, whole, in the unit that makes the
 * number smallest: "1536MiB", "5GB", "36h", "0".  Return `out`.
 */
char *units_exact_bytes(char out[UNITS_TEXT_MAX], uint64_t bytes);
char *units_exact_duration(char out[UNITS_TEXT_MAX], uint64_t ns);

/* Digits in groups of three: "1,234,567".  Returns `out`. */
char *units_format_count(char out[UNITS_TEXT_MAX], uint64_t count);

/* RFC 3339 in UTC with milliseconds: "2026-01-31T12:00:00.123Z".  Returns `out`. */
char *units_format_time(char out[UNITS_TEXT_MAX], uint64_t wall_ns);

#endif
