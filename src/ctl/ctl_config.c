/*
 * ctl_config.c - `tracespool config`: what is in effect, and why.
 *
 * Reads the configuration as every verb and the daemon do, and lets the driver
 * look at the connection string, so it finds every problem that
 * `tracespoold --check-config` finds; it connects to nothing.  No password
 * reaches the output.
 */
#include "ctl_config.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "ctl_terminal.h"
#include "ctl_verbs.h"
#include "sink_mongo.h"

#define OUT_BYTES_MAX (1UL << 20)

const struct ctl_option ctl_config_options[] = {{NULL, NULL, 0, NULL}};

/* Only the driver can tell whether it takes a connection string. */
static int check_uri(struct ctl *ctl, const struct conf *conf)
{
    struct sink_mongo_options options = {
        .uri = conf->mongodb.uri,
        .database = conf->mongodb.database,
        .compressor = conf->mongodb.compressor,
        .sessions = 1,
    };
    struct err err;

    if (sink_mongo_check(&options, &err) == 0)
        return 0;
    ctl_fail(ctl, "mongodb.uri: %s", err.text);
    return -1;
}

static void get_line(struct ctl *ctl, size_t at, struct ctl_config_line *line)
{
    struct conf_item *item = &line->item;

    conf_list_get(ctl_conf(ctl), at, item);
    line->by_option = false;
    if (strcmp(item->section, "mongodb") == 0 && strcmp(item->name, "uri") == 0) {
        char masked[SINK_URI_BYTES_MAX];

        sink_mongo_mask_uri(masked, sizeof(masked), item->text);
        snprintf(item->text, sizeof(item->text), "%.*s", (int)sizeof(item->text) - 1, masked);
    } else if (ctl->spool_path != NULL && strcmp(item->section, "spool") == 0 && strcmp(item->name, "path") == 0) {
        snprintf(item->text, sizeof(item->text), "%s", ctl->spool_path);
        line->by_option = true;
    }
}

static int print(struct ctl *ctl)
{
    struct ctl_config_line *lines = calloc(2, sizeof(*lines));
    bool colored = ctl_terminal_colored(ctl);
    size_t count = conf_list_count();
    struct buf out;

    if (lines == NULL)
        return ctl_fail(ctl, "out of memory");
    buf_init(&out, OUT_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct ctl_config_line *line = &lines[i % 2], *before = i > 0 ? &lines[(i + 1) % 2] : NULL;

        get_line(ctl, i, line);
        if (ctl->json)
            ctl_config_json(line, &out);
        else
            ctl_config_text(before, line, colored, &out);
    }
    if (!ctl->json)
        ctl_config_text(&lines[(count + 1) % 2], NULL, colored, &out);
    ctl_write(ctl, &out);
    buf_fini(&out);
    free(lines);
    return CTL_OK;
}

int ctl_config(struct ctl *ctl, int argc, char **argv)
{
    const char *argument;

    if (ctl_options_next(ctl, argc, argv, ctl_config_options, &argument) == CTL_OPTIONS_STOP)
        return ctl->exit;
    if (optind < argc)
        return ctl_fail(ctl, "takes no operand; -c FILE names another configuration");
    const struct conf *conf = ctl_conf(ctl);
    if (conf == NULL || check_uri(ctl, conf) != 0)
        return CTL_FAILED;
    return print(ctl);
}
