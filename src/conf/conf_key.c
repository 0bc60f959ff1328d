/*
 * conf_key.c - the table of keys, and finding what somebody meant.
 *
 * Pure.
 */
#include "conf_internal.h"

#include <string.h>

#define NAME_MAX_CHARS 32 /* longer names are not slips of ours */

#define CONF_SECTION(section, path) static const char path_of_##section[] = path;
#define CONF_KEY(section, name, type, default_text, min, max, help)
#include "conf_table.h"
#undef CONF_SECTION
#undef CONF_KEY

const struct conf_key conf_keys[CONF_KEY_COUNT] = {
#define CONF_SECTION(section, path)
#define CONF_KEY(section, name, type, default_text, min, max, help)                                                    \
    {path_of_##section, #name, CONF_##type, default_text, min, max, offsetof(struct conf, section.name)},
#include "conf_table.h"
#undef CONF_SECTION
#undef CONF_KEY
};

static const char *const sections[] = {
#define CONF_SECTION(section, path) path_of_##section,
#define CONF_KEY(section, name, type, default_text, min, max, help)
#include "conf_table.h"
#undef CONF_SECTION
#undef CONF_KEY
};

#define SECTION_COUNT (sizeof(sections) / sizeof(sections[0]))

/* The table's type and the struct's member must agree: a value is stored through a pointer of this type. */
#define MEMBER_TEXT char *
#define MEMBER_BYTES uint64_t
#define MEMBER_DURATION uint64_t
#define MEMBER_COUNT uint64_t
#define MEMBER_BOOL bool
#define CONF_SECTION(section, path)
#define CONF_KEY(section, name, type, default_text, min, max, help)                                                    \
    static_assert(_Generic(((struct conf *)0)->section.name, MEMBER_##type : 1, default : 0), #section "." #name);
#include "conf_table.h"
#undef CONF_SECTION
#undef CONF_KEY

const char *conf_section_find(const char *path)
{
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (strcmp(sections[i], path) == 0)
            return sections[i];
    }
    return NULL;
}

const struct conf_key *conf_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < CONF_KEY_COUNT; i++) {
        if (strcmp(conf_keys[i].section, section) == 0 && strcmp(conf_keys[i].name, name) == 0)
            return &conf_keys[i];
    }
    return NULL;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Levenshtein's distance, one row at a time.  Both lengths are at most NAME_MAX_CHARS. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_CHARS + 1];
    size_t b_len = strlen(b);

    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < b_len; j++) {
            size_t above = row[j + 1];

            row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1));
            diagonal = above;
        }
    }
    return row[b_len];
}

struct nearest {
    const char *name;
    size_t distance;
};

/* A third of the letters may differ: "siz" is a slip of "size", "rate" is not. */
static void consider(struct nearest *nearest, const char *known, const char *given)
{
    size_t given_len = strlen(given), known_len = strlen(known), found;

    if (given_len > NAME_MAX_CHARS || known_len > NAME_MAX_CHARS)
        return;
    found = distance(known, given);
    if (3 * found > known_len || (nearest->name != NULL && found >= nearest->distance))
        return;
    *nearest = (struct nearest){.name = known, .distance = found};
}

const char *conf_section_nearest(const char *name)
{
    struct nearest nearest = {0};

    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (strchr(sections[i], '.') == NULL)
            consider(&nearest, sections[i], name);
    }
    return nearest.name;
}

const char *conf_key_nearest(const char *section, const char *name)
{
    struct nearest nearest = {0};
    size_t len = strlen(section);

    for (size_t i = 0; i < CONF_KEY_COUNT; i++) {
        if (strcmp(conf_keys[i].section, section) == 0)
            consider(&nearest, conf_keys[i].name, name);
    }
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (strncmp(sections[i], section, len) == 0 && sections[i][len] == '.')
            consider(&nearest, sections[i] + len + 1, name);
    }
    return nearest.name;
}
