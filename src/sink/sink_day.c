/*
 * sink_day.c - placement by start time, with a fence against wrong clocks:
 * a client whose clock is years off would otherwise make a collection a day
 * of its own.
 *
 * Any thread; nothing can fail.
 */
#include "sink_day.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bounds.h"
#include "clock.h"

#define PREFIX "traces_"
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define APART_PREFIX "tracespool_apart_"
#define APART_PREFIX_LEN (sizeof(APART_PREFIX) - 1)

uint32_t sink_day_of(uint64_t start_ns, uint64_t received_ns, uint64_t past_ns)
{
    const uint64_t future_ns = SINK_PLACEMENT_FUTURE_DAYS * NS_PER_DAY;
    bool too_old = start_ns < received_ns && received_ns - start_ns > past_ns;
    bool too_new = start_ns > received_ns && start_ns - received_ns > future_ns;

    return (uint32_t)((too_old || too_new ? received_ns : start_ns) / NS_PER_DAY);
}

char *sink_day_name(char *out, uint32_t day)
{
    /* 64 bits of ns end in 2554, so the year always has four digits: the remainders only tell the compiler. */
    time_t seconds = (time_t)day * 86400;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    snprintf(out, SINK_DAY_NAME_MAX, PREFIX "%04u%02u%02u", (unsigned)(tm.tm_year + 1900) % 10000U,
             (unsigned)(tm.tm_mon + 1) % 100U, (unsigned)tm.tm_mday % 100U);
    return out;
}

bool sink_day_read(const char *name, uint32_t *day)
{
    struct tm tm = {.tm_isdst = 0};
    char same[SINK_DAY_NAME_MAX];
    unsigned year, month, of_month;
    time_t seconds;

    if (sscanf(name, PREFIX "%4u%2u%2u", &year, &month, &of_month) != 3 || year < 1970)
        return false;
    tm.tm_year = (int)year - 1900;
    tm.tm_mon = (int)month - 1;
    tm.tm_mday = (int)of_month;
    seconds = timegm(&tm);
    /* What timegm makes good, such as 30 February, and what sscanf lets pass, such as a sign, is another text again. */
    if (seconds < 0 || strcmp(sink_day_name(same, (uint32_t)(seconds / 86400)), name) != 0)
        return false;
    *day = (uint32_t)(seconds / 86400);
    return true;
}

char *sink_day_apart_name(char *out, uint32_t day)
{
    char name[SINK_DAY_NAME_MAX];

    snprintf(out, SINK_DAY_APART_NAME_MAX, APART_PREFIX "%s", sink_day_name(name, day) + PREFIX_LEN);
    return out;
}

bool sink_day_apart_read(const char *name, uint32_t *day)
{
    char of_day[SINK_DAY_NAME_MAX];

    if (strncmp(name, APART_PREFIX, APART_PREFIX_LEN) != 0 || strlen(name) != SINK_DAY_APART_NAME_MAX - 1)
        return false;
    snprintf(of_day, sizeof(of_day), PREFIX "%s", name + APART_PREFIX_LEN);
    return sink_day_read(of_day, day);
}
