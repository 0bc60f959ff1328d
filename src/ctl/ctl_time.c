/*
 * ctl_time.c - points in time as people type them.
 *
 * A text is a day, a time of day, or both, and perhaps an offset; or a
 * duration that lies behind us.  Reads TZ through the C library and nothing
 * else.  Strict, as units.c: "2026-11-31" is an error and not the first of
 * December.
 */
#include "ctl_time.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "units.h"

#define DURATION_TEXT_MAX 32

struct point {
    struct tm fields; /* as mktime takes them */
    uint64_t fraction_ns;
    bool is_day; /* no time of day */
    bool has_offset;
    long offset_s; /* east of UTC */
};

static int no_time(const char *text, struct err *err)
{
    return err_set(err, ERR_CONFIG, 0,
                   "\"%s\" is no time; write 2h, \"yesterday 14:00\", \"2026-11-22 14:00\" or 2026-11-22T14:00:00Z",
                   text);
}

static int no_such_time(const char *text, struct err *err)
{
    return err_set(err, ERR_CONFIG, 0, "\"%s\": there is no such time", text);
}

/* --- what is written ------------------------------------------------------- */

/* Takes exactly `digits` digits off *at. */
static bool take_digits(const char **at, unsigned digits, int *number)
{
    *number = 0;
    for (unsigned i = 0; i < digits; i++, ++*at) {
        if (!isdigit((unsigned char)**at))
            return false;
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

static bool take_char(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    ++*at;
    return true;
}

/* "today", "yesterday": the date of `now`, or of the day before. */
static bool take_day_name(const char **at, uint64_t now_ns, struct tm *fields)
{
    static const char *const names[] = {"today", "yesterday"};
    time_t now = (time_t)(now_ns / NS_PER_S);
    struct tm today;

    for (int i = 0; i < 2; i++) {
        size_t len = strlen(names[i]);
        if (strncmp(*at, names[i], len) != 0)
            continue;
        localtime_r(&now, &today);
        /* Noon is on every day, whatever clocks do at night. */
        struct tm noon = {.tm_year = today.tm_year,
                          .tm_mon = today.tm_mon,
                          .tm_mday = today.tm_mday - i,
                          .tm_hour = 12,
                          .tm_isdst = -1};
        mktime(&noon);
        *fields = (struct tm){.tm_year = noon.tm_year, .tm_mon = noon.tm_mon, .tm_mday = noon.tm_mday};
        *at += len;
        return true;
    }
    return false;
}

/* "2026-11-22" */
static bool take_date(const char **at, struct tm *fields)
{
    int year, month, day;

    if (!take_digits(at, 4, &year) || !take_char(at, '-') || !take_digits(at, 2, &month) || !take_char(at, '-') ||
        !take_digits(at, 2, &day))
        return false;
    *fields = (struct tm){.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return true;
}

/* ".25", to nanoseconds; digits beyond are read and mean nothing. */
static bool take_fraction(const char **at, uint64_t *ns)
{
    uint64_t scale = NS_PER_S / 10;

    if (!isdigit((unsigned char)**at))
        return false;
    for (*ns = 0; isdigit((unsigned char)**at); ++*at, scale /= 10)
        *ns += (uint64_t)(**at - '0') * scale;
    return true;
}

/* "14:00", "14:00:30", "14:00:30.5" */
static bool take_clock(const char **at, struct point *point)
{
    struct tm *fields = &point->fields;

    if (!take_digits(at, 2, &fields->tm_hour) || !take_char(at, ':') || !take_digits(at, 2, &fields->tm_min))
        return false;
    if (!take_char(at, ':'))
        return true;
    if (!take_digits(at, 2, &fields->tm_sec))
        return false;
    return !take_char(at, '.') || take_fraction(at, &point->fraction_ns);
}

/* "Z", "+09:00", or nothing. */
static bool take_offset(const char **at, struct point *point)
{
    int hours, minutes;
    bool west = **at == '-';

    if (**at == '\0')
        return true;
    point->has_offset = true;
    if (take_char(at, 'Z') || take_char(at, 'z'))
        return true;
    if (!west && **at != '+')
        return false;
    ++*at;
    if (!take_digits(at, 2, &hours) || !take_char(at, ':') || !take_digits(at, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    point->offset_s = (west ? -1 : 1) * (hours * 3600L + minutes * 60L);
    return true;
}

/* A day, then a time of day, or one of them.  False when it is written otherwise. */
static bool take_point(const char *at, uint64_t now_ns, struct point *point)
{
    bool is_clock = isdigit((unsigned char)at[0]) && isdigit((unsigned char)at[1]) && at[2] == ':';
    const char *today = "today";
    bool named = take_day_name(is_clock ? &today : &at, now_ns, &point->fields);

    if (!named && !take_date(&at, &point->fields))
        return false;
    point->is_day = *at == '\0';
    if (point->is_day)
        return true;
    if (!is_clock && !take_char(&at, ' ') && (named || (!take_char(&at, 'T') && !take_char(&at, 't'))))
        return false;
    /* "today" is a day of this place: with an offset it could be another's. */
    return take_clock(&at, point) && (named || take_offset(&at, point)) && *at == '\0';
}

/* --- what it means --------------------------------------------------------- */

static bool is_same(const struct tm *a, const struct tm *b)
{
    return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday && a->tm_hour == b->tm_hour &&
           a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

/* The first second that the clocks of this place call so; false when none is. */
static bool local_seconds(const struct tm *fields, time_t *seconds)
{
    bool found = false;

    for (int is_dst = 0; is_dst <= 1; is_dst++) {
        struct tm turned = *fields;
        turned.tm_isdst = is_dst;
        time_t candidate = mktime(&turned);
        /* mktime turns what does not exist into what does. */
        if (!is_same(&turned, fields) || turned.tm_isdst != is_dst)
            continue;
        if (!found || candidate < *seconds)
            *seconds = candidate;
        found = true;
    }
    return found;
}

/* The first second of a day, whose midnight some clocks skip. */
static bool day_seconds(const struct tm *fields, time_t *seconds)
{
    struct tm one = *fields;

    one.tm_hour = 1;
    return local_seconds(fields, seconds) || local_seconds(&one, seconds);
}

static bool utc_seconds(const struct point *point, time_t *seconds)
{
    struct tm turned = point->fields;

    *seconds = timegm(&turned) - point->offset_s;
    return is_same(&turned, &point->fields);
}

static bool point_seconds(const struct point *point, time_t *seconds)
{
    if (point->has_offset)
        return utc_seconds(point, seconds);
    return point->is_day ? day_seconds(&point->fields, seconds) : local_seconds(&point->fields, seconds);
}

static int before_now(const char *text, uint64_t now_ns, uint64_t duration_ns, uint64_t *wall_ns, struct err *err)
{
    if (duration_ns > now_ns)
        return err_set(err, ERR_CONFIG, 0, "\"%s\" is longer ago than 1970", text);
    *wall_ns = now_ns - duration_ns;
    return 0;
}

/* "2h", "2h ago" */
static bool is_duration(const char *text, uint64_t *ns)
{
    static const char ago[] = " ago";
    char duration[DURATION_TEXT_MAX];
    size_t len = strlen(text);

    if (len > sizeof(ago) - 1 && strcmp(text + len - (sizeof(ago) - 1), ago) == 0)
        len -= sizeof(ago) - 1;
    if (len >= sizeof(duration))
        return false;
    memcpy(duration, text, len);
    duration[len] = '\0';
    return units_parse_duration(duration, ns) == 0;
}

int ctl_time_parse(const char *text, uint64_t now_ns, uint64_t *wall_ns, struct err *err)
{
    struct point point = {.has_offset = false};
    uint64_t duration_ns = 0;
    time_t seconds;

    tzset(); /* localtime_r need not */
    if (strcmp(text, "now") == 0 || is_duration(text, &duration_ns))
        return before_now(text, now_ns, duration_ns, wall_ns, err);
    if (!take_point(text, now_ns, &point))
        return no_time(text, err);
    if (!point_seconds(&point, &seconds))
        return no_such_time(text, err);
    if (seconds < 0)
        return err_set(err, ERR_CONFIG, 0, "\"%s\" is before 1970", text);
    if ((uint64_t)seconds >= UINT64_MAX / NS_PER_S)
        return err_set(err, ERR_CONFIG, 0, "\"%s\" is after 2553", text);
    *wall_ns = (uint64_t)seconds * NS_PER_S + point.fraction_ns;
    return 0;
}

bool ctl_time_is_clock(const char *text)
{
    struct point point = {.fraction_ns = 0};

    return take_clock(&text, &point) && *text == '\0';
}
