/*
 * conf_value.c - a value of the file, checked, into its member of struct conf.
 *
 * Pure but for strdup.  The happy path is one check and one store; a value
 * that fails leaves the member alone.
 */
#include "conf_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

static void *member_of(struct conf *conf, const struct conf_key *key)
{
    return (char *)conf + key->offset;
}

static int store_text(struct conf *conf, const struct conf_key *key, const char *text, struct err *err)
{
    char **member = member_of(conf, key);
    size_t len = strlen(text);
    char *copy;

    if (conf_check_text(key, text, err) != 0)
        return -1;
    if (len < key->min || len > key->max)
        return err_set(err, ERR_CONFIG, 0, "is %zu characters long, must be from %" PRIu64 " to %" PRIu64, len,
                       key->min, key->max);
    copy = strdup(text);
    if (copy == NULL)
        return err_set(err, ERR_CONFIG, 0, "out of memory");
    free(*member);
    *member = copy;
    return 0;
}

static int store_bytes(struct conf *conf, const struct conf_key *key, const char *text, struct err *err)
{
    char min[UNITS_TEXT_MAX], max[UNITS_TEXT_MAX];
    uint64_t bytes;

    if (units_parse_bytes(text, &bytes) != 0)
        return err_set(err, ERR_CONFIG, 0, "\"%.64s\" is not a size, write it as \"%s\"", text, key->default_text);
    if (bytes < key->min || bytes > key->max)
        return err_set(err, ERR_CONFIG, 0, "\"%.64s\" is out of range, must be from %s to %s", text,
                       units_format_bytes(min, key->min), units_format_bytes(max, key->max));
    *(uint64_t *)member_of(conf, key) = bytes;
    return 0;
}

static int store_duration(struct conf *conf, const struct conf_key *key, const char *text, struct err *err)
{
    char min[UNITS_TEXT_MAX], max[UNITS_TEXT_MAX];
    uint64_t ns;

    if (units_parse_duration(text, &ns) != 0)
        return err_set(err, ERR_CONFIG, 0, "\"%.64s\" is not a duration, write it as \"%s\"", text, key->default_text);
    if (ns < key->min || ns > key->max)
        return err_set(err, ERR_CONFIG, 0, "\"%.64s\" is out of range, must be from %s to %s", text,
                       units_format_duration(min, key->min), units_format_duration(max, key->max));
    *(uint64_t *)member_of(conf, key) = ns;
    return 0;
}

int conf_value_set_text(struct conf *conf, const struct conf_key *key, const char *text, struct err *err)
{
    switch (key->type) {
    case CONF_TEXT:
        return store_text(conf, key, text, err);
    case CONF_BYTES:
        return store_bytes(conf, key, text, err);
    case CONF_DURATION:
        return store_duration(conf, key, text, err);
    case CONF_COUNT:
    case CONF_BOOL:
        break;
    }
    assert(!"a key of this type takes no text");
    return -1;
}

/* The value is not repeated: libconfig 1.5 wraps integers past 32 bits, and would show another one. */
int conf_value_set_count(struct conf *conf, const struct conf_key *key, int64_t count, struct err *err)
{
    assert(key->type == CONF_COUNT);
    if (count < 0 || (uint64_t)count < key->min || (uint64_t)count > key->max)
        return err_set(err, ERR_CONFIG, 0, "is out of range, must be from %" PRIu64 " to %" PRIu64, key->min, key->max);
    *(uint64_t *)member_of(conf, key) = (uint64_t)count;
    return 0;
}

void conf_value_set_bool(struct conf *conf, const struct conf_key *key, bool flag)
{
    assert(key->type == CONF_BOOL);
    *(bool *)member_of(conf, key) = flag;
}

int conf_value_set_default(struct conf *conf, const struct conf_key *key, struct err *err)
{
    switch (key->type) {
    case CONF_COUNT:
        return conf_value_set_count(conf, key, strtoll(key->default_text, NULL, 10), err);
    case CONF_BOOL:
        conf_value_set_bool(conf, key, strcmp(key->default_text, "true") == 0);
        return 0;
    case CONF_TEXT:
    case CONF_BYTES:
    case CONF_DURATION:
        break;
    }
    return conf_value_set_text(conf, key, key->default_text, err);
}
