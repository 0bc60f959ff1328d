/*
 * conf.c - one load: defaults, then the file, then MONGO_URI.
 *
 * Main's thread, before any other runs.  Every problem goes to the caller's
 * function, since a person who mends a file wants to see all of them at once;
 * a value with a problem is left at its default, so that later checks go on.
 * Where each value came from is kept with it, for whoever asks why it is so.
 */
#include "conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_internal.h"

#define ENVIRONMENT "environment" /* in place of a file's name */

void conf_report(struct conf_load *load, const char *file, int line, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    load->problems++;
    load->problem(load->context, file, line, text);
}

static void set_defaults(struct conf_load *load)
{
    struct err err;

    for (size_t i = 0; i < CONF_KEY_COUNT; i++) {
        if (conf_value_set_default(load->conf, &conf_keys[i], &err) != 0)
            conf_report(load, "default", 0, "%s.%s: %s", conf_keys[i].section, conf_keys[i].name, err.text);
    }
}

static void apply_environment(struct conf_load *load)
{
    const char *uri = getenv("MONGO_URI");
    struct err err;

    if (uri == NULL)
        return;
    if (conf_value_set_text(load->conf, &conf_keys[CONF_INDEX_mongodb_uri], uri, &err) != 0)
        conf_report(load, ENVIRONMENT, 0, "MONGO_URI: %s", err.text);
    else
        load->found[CONF_INDEX_mongodb_uri] = (struct conf_found){.source = CONF_FROM_ENVIRONMENT};
}

/* While the file is open: its names go with it. */
static void keep_origins(struct conf_load *load)
{
    struct conf_origin *origins = calloc(CONF_KEY_COUNT, sizeof(*origins));
    bool kept = origins != NULL;

    load->conf->origins = origins;
    for (size_t i = 0; kept && i < CONF_KEY_COUNT; i++) {
        const struct conf_found *found = &load->found[i];

        origins[i] = (struct conf_origin){.source = found->source, .line = found->line};
        if (found->file != NULL)
            kept = (origins[i].file = strdup(found->file)) != NULL;
    }
    if (!kept)
        conf_report(load, "configuration", 0, "out of memory");
}

unsigned conf_load(struct conf *conf, const char *path, conf_problem *problem, void *context)
{
    struct conf_load load = {.conf = conf, .problem = problem, .context = context};
    struct conf_file *file = NULL;

    memset(conf, 0, sizeof(*conf));
    set_defaults(&load);
    if (path != NULL)
        file = conf_file_open(&load, path);
    apply_environment(&load);
    conf_conflict_check(&load);
    keep_origins(&load);
    conf_file_close(file);
    if (load.problems > 0)
        conf_free(conf);
    return load.problems;
}

void conf_free(struct conf *conf)
{
    for (size_t i = 0; i < CONF_KEY_COUNT; i++) {
        if (conf_keys[i].type == CONF_TEXT) {
            char **text = (char **)(void *)((char *)conf + conf_keys[i].offset);

            free(*text);
            *text = NULL;
        }
        if (conf->origins != NULL)
            free(conf->origins[i].file);
    }
    free(conf->origins);
    conf->origins = NULL;
}
