/*
 * conf_file.c - libconfig's tree into struct conf.
 *
 * libconfig stops at the first syntax error; when the file parses, everything
 * that is wrong with its names, types and values is reported.  A setting
 * knows the file and the line it came from, also through @include.
 */
#include "conf_internal.h"

#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_TEXT_MAX 64 /* "section.group", longer than any */

struct conf_file {
    config_t tree;
    const char *path;
    struct conf_load *load;
};

/* libconfig knows no name for the stream that we opened. */
static const char *name_or_path(const struct conf_file *file, const char *name)
{
    return name != NULL ? name : file->path;
}

static const char *file_of(const struct conf_file *file, const config_setting_t *setting)
{
    return name_or_path(file, config_setting_source_file(setting));
}

static int line_of(const config_setting_t *setting)
{
    return (int)config_setting_source_line(setting);
}

static const char *type_text(const config_setting_t *setting)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_GROUP:
        return "a group";
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return "a whole number";
    case CONFIG_TYPE_FLOAT:
        return "a number with a fraction";
    case CONFIG_TYPE_STRING:
        return "a text";
    case CONFIG_TYPE_BOOL:
        return "a truth value";
    default:
        return "a list";
    }
}

static int wrong_type(const struct conf_key *key, const config_setting_t *setting, struct err *err)
{
    static const char *const wanted[] = {
        [CONF_TEXT] = "a text in quotes", [CONF_BYTES] = "a size in quotes", [CONF_DURATION] = "a duration in quotes",
        [CONF_COUNT] = "a whole number",  [CONF_BOOL] = "true or false",
    };
    bool quoted = key->type == CONF_BYTES || key->type == CONF_DURATION;

    return err_set(err, ERR_CONFIG, 0, "is %s, must be %s%s%s%s", type_text(setting), wanted[key->type],
                   quoted ? ", such as \"" : "", quoted ? key->default_text : "", quoted ? "\"" : "");
}

static int set_value(struct conf *conf, const struct conf_key *key, const config_setting_t *setting, struct err *err)
{
    int type = config_setting_type(setting);

    switch (key->type) {
    case CONF_TEXT:
    case CONF_BYTES:
    case CONF_DURATION:
        if (type != CONFIG_TYPE_STRING)
            break;
        return conf_value_set_text(conf, key, config_setting_get_string(setting), err);
    case CONF_COUNT:
        if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
            break;
        return conf_value_set_count(conf, key, config_setting_get_int64(setting), err);
    case CONF_BOOL:
        if (type != CONFIG_TYPE_BOOL)
            break;
        conf_value_set_bool(conf, key, config_setting_get_bool(setting));
        return 0;
    }
    return wrong_type(key, setting, err);
}

static void read_key(struct conf_file *file, const char *section, const config_setting_t *setting)
{
    const char *name = config_setting_name(setting);
    const struct conf_key *key = conf_key_find(section, name);
    struct conf_found *origin;
    struct err err;

    if (key == NULL) {
        const char *nearest = conf_key_nearest(section, name);

        conf_report(file->load, file_of(file, setting), line_of(setting), "unknown key %s.%s%s%s%s%s%s", section, name,
                    nearest ? ", did you mean " : "", nearest ? section : "", nearest ? "." : "",
                    nearest ? nearest : "", nearest ? "?" : "");
        return;
    }
    origin = &file->load->found[key - conf_keys];
    *origin = (struct conf_found){.source = CONF_FROM_FILE, .file = file_of(file, setting), .line = line_of(setting)};
    if (set_value(file->load->conf, key, setting, &err) != 0) {
        origin->bad = true;
        conf_report(file->load, origin->file, origin->line, "%s.%s: %s", section, name, err.text);
    }
}

static void read_group(struct conf_file *file, const char *path, const config_setting_t *setting);

/* A key of the section, or a group in it. */
static void read_member(struct conf_file *file, const char *section, const config_setting_t *setting)
{
    char path[PATH_TEXT_MAX];
    const char *group;

    snprintf(path, sizeof(path), "%s.%s", section, config_setting_name(setting)); /* cut off it is no known one */
    group = conf_section_find(path);
    if (group != NULL)
        read_group(file, group, setting);
    else
        read_key(file, section, setting);
}

static void read_group(struct conf_file *file, const char *path, const config_setting_t *setting)
{
    if (config_setting_type(setting) != CONFIG_TYPE_GROUP) {
        conf_report(file->load, file_of(file, setting), line_of(setting), "%s: is %s, must be a group: %s = { ... };",
                    path, type_text(setting), config_setting_name(setting));
        return;
    }
    for (int i = 0; i < config_setting_length(setting); i++)
        read_member(file, path, config_setting_get_elem(setting, (unsigned)i));
}

static void read_section(struct conf_file *file, const config_setting_t *setting)
{
    const char *name = config_setting_name(setting);
    const char *path = conf_section_find(name);

    if (path == NULL) {
        const char *nearest = conf_section_nearest(name);

        conf_report(file->load, file_of(file, setting), line_of(setting), "unknown section %s%s%s%s", name,
                    nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
        return;
    }
    read_group(file, path, setting);
}

static void read_tree(struct conf_file *file)
{
    const config_setting_t *root = config_root_setting(&file->tree);

    for (int i = 0; i < config_setting_length(root); i++)
        read_section(file, config_setting_get_elem(root, (unsigned)i));
}

/* Includes are looked for beside the file, and not in whatever directory the daemon was started. */
static int set_include_dir(struct conf_file *file)
{
    const char *slash = strrchr(file->path, '/');
    char *dir =
        slash == NULL ? strdup(".") : strndup(file->path, slash == file->path ? 1 : (size_t)(slash - file->path));

    if (dir == NULL)
        return -1;
    config_set_include_dir(&file->tree, dir);
    free(dir);
    return 0;
}

static void report_syntax(struct conf_file *file)
{
    const char *name = name_or_path(file, config_error_file(&file->tree));
    const char *text = config_error_text(&file->tree);
    bool include = strcmp(text, "cannot open include file") == 0;

    conf_report(file->load, name, config_error_line(&file->tree), "%s%s%s", text,
                include ? ", its path is relative to " : "", include ? config_get_include_dir(&file->tree) : "");
}

/* The stream, or NULL with errno.  A directory opens, and libconfig's scanner would end the process over it. */
static FILE *open_stream(const char *path)
{
    FILE *stream = fopen(path, "re");
    struct stat stat;

    if (stream == NULL)
        return NULL;
    if (fstat(fileno(stream), &stat) == 0 && S_ISDIR(stat.st_mode)) {
        fclose(stream);
        errno = EISDIR;
        return NULL;
    }
    return stream;
}

struct conf_file *conf_file_open(struct conf_load *load, const char *path)
{
    FILE *stream = open_stream(path);
    struct conf_file *file;

    if (stream == NULL) {
        conf_report(load, path, 0, "cannot open: %s", strerror(errno));
        return NULL;
    }
    file = calloc(1, sizeof(*file));
    if (file == NULL)
        goto fail_stream;
    file->path = path;
    file->load = load;
    config_init(&file->tree);
    if (set_include_dir(file) != 0)
        goto fail_tree;
    if (config_read(&file->tree, stream) == CONFIG_TRUE)
        read_tree(file);
    else
        report_syntax(file);
    fclose(stream);
    return file;

fail_tree:
    config_destroy(&file->tree);
    free(file);
fail_stream:
    fclose(stream);
    conf_report(load, path, 0, "out of memory");
    return NULL;
}

void conf_file_close(struct conf_file *file)
{
    if (file == NULL)
        return;
    config_destroy(&file->tree);
    free(file);
}
