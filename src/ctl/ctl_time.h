/*
 * ctl_time.h - points in time as people type them.
 */
#ifndef TRACESPOOL_CTL_TIME_H
#define TRACESPOOL_CTL_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/*
 * Reads one of
 *   2h, 2h ago, 1.5d            so long before `now_ns`
 *   now, today, yesterday       a day alone is its midnight
 *   09:30, today 09:30, yesterday 14:00:30
 *   2026-11-22, 2026-11-22 14:00, 2026-11-22T14:00:30.5
 *   2026-11-22T14:00:00Z, 2026-11-22 14:00:00+09:00
 * in the time of the place (TZ) where no offset is written.  When clocks are
 * turned back an hour comes twice: the first is meant.  An hour that they skip
 * is an error.  0 and *wall_ns, or -1 with ERR_CONFIG and a text that quotes
 * what was typed.
 */
int ctl_time_parse(const char *text, uint64_t now_ns, uint64_t *wall_ns, struct err *err);

/* Whether it is a time of day and nothing else: 09:30, 14:00:30. */
bool ctl_time_is_clock(const char *text);

#endif
