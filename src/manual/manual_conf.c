/*
 * manual_conf.c - the keys of tracespool.conf.5.
 *
 * Ranges are written as the file takes them: in the largest unit that divides
 * them.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "bounds.h"
#include "clock.h"
#include "manual_parts.h"
#include "manual_text.h"

enum type { TEXT, BYTES, DURATION, COUNT, BOOL };

struct key {
    const char *section; /* its path */
    const char *name;
    enum type type;
    const char *default_text;
    uint64_t min;
    uint64_t max;
    const char *help;
};

#define CONF_SECTION(section, path) static const char path_of_##section[] = path;
#define CONF_KEY(section, name, type, default_text, min, max, help)
#include "conf_table.h"
#undef CONF_SECTION
#undef CONF_KEY

static const struct key keys[] = {
#define CONF_SECTION(section, path)
#define CONF_KEY(section, name, type, default_text, min, max, help)                                                    \
    {path_of_##section, #name, type, default_text, min, max, help},
#include "conf_table.h"
#undef CONF_SECTION
#undef CONF_KEY
};

struct unit {
    const char *name;
    uint64_t size;
};

/* The largest first; the last one divides all. */
static const struct unit sizes[] = {
    {"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}};
static const struct unit times[] = {
    {"d", NS_PER_DAY}, {"h", 3600 * NS_PER_S}, {"m", 60 * NS_PER_S}, {"s", NS_PER_S}, {"ms", NS_PER_MS}};

static void put_number(FILE *out, const struct unit *unit, uint64_t value)
{
    if (value == 0) {
        fputs("0", out);
        return;
    }
    while (value % unit->size != 0)
        unit++;
    fprintf(out, "%" PRIu64 "%s", value / unit->size, unit->name);
}

static void put_range(FILE *out, const struct key *key)
{
    static const struct unit one = {"", 1};
    const struct unit *units = key->type == BYTES ? sizes : key->type == DURATION ? times : &one;

    if (key->type == BOOL) {
        fputs("true or false", out);
        return;
    }
    put_number(out, units, key->min);
    fputs(" to ", out);
    put_number(out, units, key->max);
    if (key->type == TEXT)
        fputs(" characters", out);
}

static void put_key(FILE *out, const struct key *key)
{
    const char *quote = key->type != COUNT && key->type != BOOL ? "\"" : "";
    char line[MANUAL_LINE_MAX];

    fprintf(out, ".It Va %s.%s\n", key->section, key->name);
    manual_text_roff(out, key->help);
    fputs(".br\n", out);
    snprintf(line, sizeof(line), "Default: %s%s%s; range: ", quote, key->default_text, quote);
    manual_text_roff(out, line);
    put_range(out, key);
    fputs(".\n", out);
}

void manual_conf_keys(FILE *out)
{
    const char *section = "";

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(section, keys[i].section) != 0) {
            section = keys[i].section;
            fprintf(out, "%s.Ss Section %s\n.Bl -tag -width Ds\n", i > 0 ? ".El\n" : "", section);
        }
        put_key(out, &keys[i]);
    }
    fputs(".El\n", out);
}
