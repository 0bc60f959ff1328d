/*
 * units.c - a number and a unit, both ways.
 *
 * Parsing is strict: what a person mistypes must be an error and not a
 * surprise ("8GB" and "8GiB" differ by 7 %, "8G" is refused).
 */
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit byte_units[] = {
    {"", 1},      {"B", 1},        {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20},   {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40},
    {"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000},  {"TB", 1000000000000},
};

static const struct unit time_units[] = {
    {"ns", 1},         {"us", 1000},          {"ms", NS_PER_MS},
    {"s", NS_PER_S},   {"m", 60 * NS_PER_S},  {"h", 3600 * NS_PER_S},
    {"d", NS_PER_DAY}, {"w", 7 * NS_PER_DAY},
};

static const struct unit share_units[] = {{"%", 10000}};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct unit *find_unit(const struct unit *units, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    }
    return NULL;
}

/* Decimal digits with an optional fraction: *whole and *fraction in millionths.  The rest, or NULL. */
static const char *parse_number(const char *text, uint64_t *whole, uint64_t *millionths)
{
    uint64_t scale = 100000;
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return NULL;
    errno = 0;
    *whole = strtoull(text, &end, 10);
    *millionths = 0;
    if (errno != 0)
        return NULL;
    if (*end != '.')
        return end;
    if (!isdigit((unsigned char)*++end))
        return NULL;
    for (; isdigit((unsigned char)*end); end++, scale /= 10)
        *millionths += (uint64_t)(*end - '0') * scale;
    return end;
}

static int scale_number(uint64_t whole, uint64_t millionths, uint64_t factor, uint64_t *value)
{
    uint64_t part = (uint64_t)((unsigned __int128)millionths * factor / 1000000);

    if (__builtin_mul_overflow(whole, factor, value) || __builtin_add_overflow(*value, part, value))
        return -1;
    return 0;
}

static int parse(const struct unit *units, size_t count, const char *text, uint64_t *value)
{
    const struct unit *unit;
    uint64_t whole, millionths;
    const char *rest = parse_number(text, &whole, &millionths);

    if (rest == NULL)
        return -1;
    if (rest[0] == ' ' && rest[1] != '\0')
        rest++;
    unit = find_unit(units, count, rest);
    if (unit == NULL)
        return -1;
    return scale_number(whole, millionths, unit->factor, value);
}

int units_parse_bytes(const char *text, uint64_t *bytes)
{
    return parse(byte_units, COUNT_OF(byte_units), text, bytes);
}

int units_parse_share(const char *text, uint64_t *millionths)
{
    uint64_t value;

    if (parse(share_units, COUNT_OF(share_units), text, &value) != 0 || value > 1000000)
        return -1;
    *millionths = value;
    return 0;
}

int units_parse_duration(const char *text, uint64_t *ns)
{
    if (strcmp(text, "0") == 0) {
        *ns = 0;
        return 0;
    }
    return parse(time_units, COUNT_OF(time_units), text, ns);
}

/* Every table has a unit of 1. */
static char *format_exact(char out[UNITS_TEXT_MAX], const struct unit *units, size_t count, uint64_t value)
{
    const struct unit *best = &units[0];

    for (size_t i = 0; i < count; i++) {
        if (value % units[i].factor == 0 && units[i].factor >= best->factor)
            best = &units[i];
    }
    if (value == 0)
        snprintf(out, UNITS_TEXT_MAX, "0");
    else
        snprintf(out, UNITS_TEXT_MAX, "%" PRIu64 "%s", value / best->factor, best->name);
    return out;
}

char *units_exact_bytes(char out[UNITS_TEXT_MAX], uint64_t bytes)
{
    return format_exact(out, byte_units, COUNT_OF(byte_units), bytes);
}

char *units_exact_duration(char out[UNITS_TEXT_MAX], uint64_t ns)
{
    /* Not in weeks, the last of the table: 30d beside 4w is no help. */
    return format_exact(out, time_units, COUNT_OF(time_units) - 1, ns);
}

char *units_format_bytes(char out[UNITS_TEXT_MAX], uint64_t bytes)
{
    static const char *const names[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes / 1024;
    unsigned i = 0;

    if (bytes < 1024) {
        snprintf(out, UNITS_TEXT_MAX, "%" PRIu64 " B", bytes);
        return out;
    }
    for (; value >= 999.5 && i + 1 < COUNT_OF(names); i++)
        value /= 1024;
    snprintf(out, UNITS_TEXT_MAX, "%.*f %s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, names[i]);
    return out;
}

char *units_format_duration(char out[UNITS_TEXT_MAX], uint64_t ns)
{
    uint64_t s = ns / NS_PER_S;

    if (ns < 1000)
        snprintf(out, UNITS_TEXT_MAX, "%" PRIu64 " ns", ns);
    else if (ns < NS_PER_MS)
        snprintf(out, UNITS_TEXT_MAX, "%" PRIu64 " us", ns / 1000);
    else if (ns < 10 * NS_PER_MS)
        snprintf(out, UNITS_TEXT_MAX, "%.1f ms", (double)ns / NS_PER_MS);
    else if (ns < NS_PER_S)
        snprintf(out, UNITS_TEXT_MAX, "%" PRIu64 " ms", ns / NS_PER_MS);
    else if (s < 10)
        snprintf(out, UNITS_TEXT_MAX, "%.1f s", (double)(ns / (NS_PER_S / 10)) / 10);
    else if (s < 60)
        snprintf(out, UNITS_TEXT_MAX, "%" PRIu64 " s", s);
    else if (s < 3600)
        snprintf(out, UNITS_TEXT_MAX, "%" PRIu64 " m %" PRIu64 " s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, UNITS_TEXT_MAX, "%" PRIu64 " h %" PRIu64 " m", s / 3600, s / 60 % 60);
    else
        snprintf(out, UNITS_TEXT_MAX, "%" PRIu64 " d %" PRIu64 " h", s / 86400, s / 3600 % 24);
    return out;
}

char *units_format_count(char out[UNITS_TEXT_MAX], uint64_t count)
{
    char digits[UNITS_TEXT_MAX];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    char *to = out;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

char *units_format_time(char out[UNITS_TEXT_MAX], uint64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    struct tm utc;
    size_t len;

    gmtime_r(&seconds, &utc);
    len = strftime(out, UNITS_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + len, UNITS_TEXT_MAX - len, ".%03uZ", (unsigned)(wall_ns / NS_PER_MS % 1000));
    return out;
}
