/*
 * ctl_config_put.c - keys in the syntax of the file, and as JSON.  Pure.
 *
 * What is printed as text can be read back: strings are escaped as libconfig
 * reads them, and what stands behind a key is a comment.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "ctl_config.h"
#include "ctl_text.h"
#include "json.h"

#define COMMENT_COLUMN 44

static const char *origin_name(const struct ctl_config_line *line)
{
    static const char *const names[] = {
        [CONF_FROM_DEFAULT] = "default", [CONF_FROM_FILE] = "file", [CONF_FROM_ENVIRONMENT] = "environment"};

    return line->by_option ? "option" : names[line->item.source];
}

/* --- text ------------------------------------------------------------------ */

/* A string between quotes, as libconfig reads it. */
static void put_quoted(struct buf *out, const char *text)
{
    buf_text(out, "\"");
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte < 0x20 || byte == 0x7F)
            buf_printf(out, "\\x%02x", byte);
        else if (byte == '"' || byte == '\\')
            buf_printf(out, "\\%c", byte);
        else
            buf_append(out, text, 1);
    }
    buf_text(out, "\"");
}

static void put_origin(struct buf *out, const struct ctl_config_line *line)
{
    if (line->by_option)
        buf_text(out, CTL_CONFIG_OPTION);
    else if (line->item.source == CONF_FROM_ENVIRONMENT)
        buf_text(out, "MONGO_URI in the environment");
    else if (line->item.source == CONF_FROM_DEFAULT)
        buf_text(out, "default");
    else {
        ctl_text_append(out, slice_of_text(line->item.file), CTL_TEXT_WHOLE);
        buf_printf(out, ":%d", line->item.line);
    }
}

static unsigned depth_of(const char *section)
{
    return strchr(section, '.') != NULL ? 2 : 1;
}

static void close_groups(struct buf *out, unsigned from, unsigned down_to)
{
    for (; from > down_to; from--) {
        ctl_text_spaces(out, 2 * (from - 1));
        buf_text(out, "};\n");
    }
}

/* From one section to the next: a group inside of it, or another one. */
static void change_section(struct buf *out, const char *before, const char *now)
{
    unsigned depth = before != NULL ? depth_of(before) : 0, wanted = now != NULL ? depth_of(now) : 0;
    const char *group = now != NULL ? strrchr(now, '.') : NULL;
    bool within = wanted > depth && depth > 0;

    if (!within)
        close_groups(out, depth, 0);
    if (now == NULL)
        return;
    if (within)
        ctl_text_spaces(out, 2 * depth);
    buf_printf(out, "%s = {\n", group != NULL ? group + 1 : now);
}

static void put_key(struct buf *out, const struct ctl_config_line *line)
{
    const struct conf_item *item = &line->item;

    ctl_text_spaces(out, 2 * depth_of(item->section));
    buf_printf(out, "%s = ", item->name);
    if (item->type == CONF_COUNT || item->type == CONF_BOOL)
        buf_text(out, item->text);
    else
        put_quoted(out, item->text);
    buf_text(out, ";");
}

void ctl_config_text(const struct ctl_config_line *before, const struct ctl_config_line *line, bool colored,
                     struct buf *out)
{
    const char *section = before != NULL ? before->item.section : NULL;
    size_t begin;

    if (line == NULL || section == NULL || strcmp(section, line->item.section) != 0)
        change_section(out, section, line != NULL ? line->item.section : NULL);
    if (line == NULL)
        return;
    begin = out->len;
    put_key(out, line);
    unsigned used = ctl_text_columns(slice_of(out->data + begin, out->len - begin), COMMENT_COLUMN);
    ctl_text_spaces(out, COMMENT_COLUMN - used);
    ctl_text_style(out, colored, line->by_option || line->item.source != CONF_FROM_DEFAULT ? CTL_YELLOW : CTL_DIM);
    buf_text(out, " # ");
    put_origin(out, line);
    ctl_text_style(out, colored, CTL_PLAIN);
    buf_text(out, "\n");
}

/* --- JSON ------------------------------------------------------------------ */

static void put_value(struct json *json, const struct conf_item *item)
{
    json_key(json, "value");
    if (item->type == CONF_COUNT)
        json_uint(json, item->number);
    else if (item->type == CONF_BOOL)
        json_bool(json, item->number != 0);
    else
        json_text(json, item->text);
    json_key(json, "bytes");
    if (item->type == CONF_BYTES)
        json_uint(json, item->number);
    else
        json_null(json);
    json_key(json, "seconds");
    if (item->type == CONF_DURATION)
        json_double(json, (double)item->number / NS_PER_S);
    else
        json_null(json);
}

void ctl_config_json(const struct ctl_config_line *line, struct buf *out)
{
    const struct conf_item *item = &line->item;
    bool from_file = !line->by_option && item->source == CONF_FROM_FILE;
    char key[CTL_CONFIG_KEY_MAX];
    struct json json;

    snprintf(key, sizeof(key), "%s.%s", item->section, item->name);
    json_init(&json, out);
    json_begin_object(&json);
    json_key(&json, "key");
    json_text(&json, key);
    put_value(&json, item);
    json_key(&json, "origin");
    json_text(&json, origin_name(line));
    json_key(&json, "file");
    json_text(&json, from_file ? item->file : NULL);
    json_key(&json, "line");
    if (from_file)
        json_int(&json, item->line);
    else
        json_null(&json);
    json_end_object(&json);
    buf_text(out, "\n");
}
