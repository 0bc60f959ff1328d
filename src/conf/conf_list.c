/*
 * conf_list.c - struct conf back into the words of the file.
 *
 * Pure.  A size or a duration is written in the largest unit in which it is
 * whole, so what is printed says exactly what is in effect, whatever unit the
 * file used.
 */
#include "conf_list.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "conf_internal.h"
#include "units.h"

#define CONF_SECTION(section, path)
#define CONF_KEY(section, name, type, default_text, min, max, help)                                                    \
    static_assert(CONF_##type != CONF_TEXT || (max) < CONF_LIST_TEXT_MAX, #section "." #name);
#include "conf_table.h"
#undef CONF_SECTION
#undef CONF_KEY

size_t conf_list_count(void)
{
    return CONF_KEY_COUNT;
}

static uint64_t number_of(const struct conf_key *key, const void *member)
{
    switch (key->type) {
    case CONF_TEXT:
        return 0;
    case CONF_BOOL:
        return *(const bool *)member ? 1 : 0;
    case CONF_BYTES:
    case CONF_DURATION:
    case CONF_COUNT:
        break;
    }
    return *(const uint64_t *)member;
}

static void write_text(struct conf_item *item, const void *member)
{
    char units[UNITS_TEXT_MAX];

    switch (item->type) {
    case CONF_TEXT:
        snprintf(item->text, sizeof(item->text), "%s", *(char *const *)member);
        break;
    case CONF_BYTES:
        snprintf(item->text, sizeof(item->text), "%s", units_exact_bytes(units, item->number));
        break;
    case CONF_DURATION:
        snprintf(item->text, sizeof(item->text), "%s", units_exact_duration(units, item->number));
        break;
    case CONF_COUNT:
        snprintf(item->text, sizeof(item->text), "%" PRIu64, item->number);
        break;
    case CONF_BOOL:
        snprintf(item->text, sizeof(item->text), "%s", item->number != 0 ? "true" : "false");
        break;
    }
}

void conf_list_get(const struct conf *conf, size_t at, struct conf_item *item)
{
    const struct conf_key *key = &conf_keys[at];
    const struct conf_origin *origin = &conf->origins[at];
    const void *member = (const char *)conf + key->offset;

    assert(at < CONF_KEY_COUNT);
    item->section = key->section;
    item->name = key->name;
    item->type = key->type;
    item->source = origin->source;
    item->file = origin->file;
    item->line = origin->line;
    item->number = number_of(key, member);
    write_text(item, member);
}
