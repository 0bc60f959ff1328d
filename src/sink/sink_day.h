/*
 * sink_day.h - which UTC day's collection a fragment goes to.  Pure.
 */
#ifndef TRACESPOOL_SINK_DAY_H
#define TRACESPOOL_SINK_DAY_H

#include <stdbool.h>
#include <stdint.h>

#define SINK_DAY_NAME_MAX sizeof("traces_YYYYMMDD")
#define SINK_DAY_APART_NAME_MAX sizeof("tracespool_apart_YYYYMMDD")

/*
 * Days since 1970-01-01.  It is the day of `start_ns`, unless that lies more
 * than `past_ns` before `received_ns` or more than SINK_PLACEMENT_FUTURE_DAYS
 * after it: then the day of `received_ns`.  Both are stored with the request,
 * so a replay picks the same day.
 */
uint32_t sink_day_of(uint64_t start_ns, uint64_t received_ns, uint64_t past_ns);

/* "traces_20260131".  `out` has SINK_DAY_NAME_MAX bytes.  Returns `out`. */
char *sink_day_name(char *out, uint32_t day);

/* False, and *day untouched, unless `name` is what sink_day_name gives for a day. */
bool sink_day_read(const char *name, uint32_t *day);

/* The same of the collection of what was taken apart of a day, "tracespool_apart_20260131". */
char *sink_day_apart_name(char *out, uint32_t day);
bool sink_day_apart_read(const char *name, uint32_t *day);

#endif
