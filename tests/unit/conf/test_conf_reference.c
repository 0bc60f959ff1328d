/*
 * test_conf_reference.c - etc/tracespool.conf and docs/configuration.md
 * against the table of keys, both ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_internal.h"
#include "units.h"

static const char *const helps[CONF_KEY_COUNT] = {
#define CONF_SECTION(section, path)
#define CONF_KEY(section, name, type, default_text, min, max, help) help,
#include "conf_table.h"
#undef CONF_SECTION
#undef CONF_KEY
};

static void count_problem(void *context, const char *file, int line, const char *text)
{
    (void)context;
    print_error("%s:%d: %s\n", file, line, text);
}

static void test_shipped_file_loads(void **state)
{
    struct conf conf;

    (void)state;
    unsetenv("MONGO_URI");
    assert_int_equal(conf_load(&conf, SOURCE_DIR "/etc/tracespool.conf", count_problem, NULL), 0);
    conf_free(&conf);
}

static void assert_is_default(const struct conf_key *key, const config_setting_t *setting)
{
    switch (key->type) {
    case CONF_TEXT:
    case CONF_BYTES:
    case CONF_DURATION:
        assert_string_equal(config_setting_get_string(setting), key->default_text);
        break;
    case CONF_COUNT:
        assert_int_equal(config_setting_get_int(setting), atoi(key->default_text));
        break;
    case CONF_BOOL:
        assert_string_equal(config_setting_get_bool(setting) ? "true" : "false", key->default_text);
        break;
    }
}

static void test_shipped_file_has_every_key_with_its_default(void **state)
{
    config_t tree;

    (void)state;
    config_init(&tree);
    assert_int_equal(config_read_file(&tree, SOURCE_DIR "/etc/tracespool.conf"), CONFIG_TRUE);
    for (size_t i = 0; i < CONF_KEY_COUNT; i++) {
        const struct conf_key *key = &conf_keys[i];
        char path[128];
        const config_setting_t *setting;

        snprintf(path, sizeof(path), "%s.%s", key->section, key->name);
        setting = config_lookup(&tree, path);
        if (setting == NULL)
            fail_msg("%s is not in etc/tracespool.conf", path);
        assert_is_default(key, setting);
    }
    config_destroy(&tree);
}

static size_t count_keys(const config_setting_t *group)
{
    size_t keys = 0;

    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *member = config_setting_get_elem(group, (unsigned)i);

        keys += config_setting_type(member) == CONFIG_TYPE_GROUP ? count_keys(member) : 1;
    }
    return keys;
}

static void test_shipped_file_has_nothing_else(void **state)
{
    config_t tree;

    (void)state;
    config_init(&tree);
    assert_int_equal(config_read_file(&tree, SOURCE_DIR "/etc/tracespool.conf"), CONFIG_TRUE);
    assert_int_equal(count_keys(config_root_setting(&tree)), CONF_KEY_COUNT);
    config_destroy(&tree);
}

/* A row of the reference: "| `section.key` | `default` | range | meaning |". */
struct row {
    char section[64];
    char name[64];
    char default_text[256];
    char range[64];
    char meaning[512];
};

static bool parse_row(const char *line, struct row *row)
{
    char *dot;

    if (sscanf(line, "| `%63[a-z_.]` | `%255[^`]` | %63[^|] | %511[^|]", row->section, row->default_text, row->range,
               row->meaning) != 4)
        return false;
    dot = strrchr(row->section, '.');
    if (dot == NULL)
        return false;
    *dot = '\0';
    snprintf(row->name, sizeof(row->name), "%s", dot + 1);
    return true;
}

static void trim(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == ' ')
        text[--len] = '\0';
}

static uint64_t number_of(enum conf_type type, const char *text)
{
    uint64_t value = 0;

    if (type == CONF_BYTES)
        assert_int_equal(units_parse_bytes(text, &value), 0);
    else if (type == CONF_DURATION)
        assert_int_equal(units_parse_duration(text, &value), 0);
    else
        value = strtoull(text, NULL, 10);
    return value;
}

static void assert_range(const struct conf_key *key, const char *range)
{
    char min[32], max[32];

    if (key->type == CONF_BOOL) {
        assert_string_equal(range, "true or false");
        return;
    }
    assert_int_equal(sscanf(range, "%31s to %31s", min, max), 2);
    assert_true(number_of(key->type, min) == key->min);
    assert_true(number_of(key->type, max) == key->max);
    assert_int_equal(strstr(range, " characters") != NULL, key->type == CONF_TEXT);
}

static void assert_row(const struct conf_key *key, struct row *row)
{
    bool quoted = key->type != CONF_COUNT && key->type != CONF_BOOL;
    char default_text[256];

    trim(row->range);
    trim(row->meaning);
    snprintf(default_text, sizeof(default_text), "%s%s%s", quoted ? "\"" : "", key->default_text, quoted ? "\"" : "");
    assert_string_equal(row->default_text, default_text);
    assert_string_equal(row->meaning, helps[key - conf_keys]);
    assert_range(key, row->range);
}

static void test_reference_has_every_key_and_nothing_else(void **state)
{
    FILE *file = fopen(SOURCE_DIR "/docs/configuration.md", "r");
    char line[1024];
    struct row row;
    size_t rows = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        const struct conf_key *key;

        if (strncmp(line, "| `", 3) != 0)
            continue;
        if (!parse_row(line, &row))
            fail_msg("no row of the reference: %s", line);
        key = conf_key_find(row.section, row.name);
        if (key == NULL)
            fail_msg("%s.%s is no key", row.section, row.name);
        assert_int_equal(key - conf_keys, rows); /* the table's order */
        assert_row(key, &row);
        rows++;
    }
    fclose(file);
    assert_int_equal(rows, CONF_KEY_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_file_loads),
        cmocka_unit_test(test_shipped_file_has_every_key_with_its_default),
        cmocka_unit_test(test_shipped_file_has_nothing_else),
        cmocka_unit_test(test_reference_has_every_key_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
