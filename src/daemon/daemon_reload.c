/*
 * daemon_reload.c - SIGHUP: keys that can change at once, and those that cannot.
 *
 * A key that names a file of certificates or tokens is among the latter: the
 * files that were named at the start are read again by whoever uses them.
 */
#include "daemon_reload.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "conf_list.h"
#include "daemon_config.h"
#include "log.h"

#define NAMES_MAX 2048 /* of the keys that need a restart; there are not so many */

static const char *const immediate[] = {"log.level", "log.format", "flush.order", "flush.batch_documents",
                                        "flush.rate"};

void daemon_reload_configure_log(const struct conf *conf)
{
    enum log_level level = LOG_LEVEL_INFO;
    enum log_format format = LOG_FORMAT_LOGFMT;

    /* The load has checked both names. */
    (void)log_level_parse(conf->log.level, &level);
    (void)log_format_parse(conf->log.format, &format);
    log_configure(level, format);
}

static enum flush_order order_named(const char *name)
{
    if (strcmp(name, "oldest_first") == 0)
        return FLUSH_OLDEST_FIRST;
    return strcmp(name, "newest_first") == 0 ? FLUSH_NEWEST_FIRST : FLUSH_BOTH;
}

struct flush_settings daemon_reload_flush_settings(const struct conf *conf)
{
    return (struct flush_settings){
        .order = order_named(conf->flush.order),
        .batch_documents = conf->flush.batch_documents,
        .rate = conf->flush.rate,
    };
}

static bool is_immediate(const char *key)
{
    for (size_t i = 0; i < sizeof(immediate) / sizeof(immediate[0]); i++)
        if (strcmp(immediate[i], key) == 0)
            return true;
    return false;
}

/* The values may hold secrets: keys only. */
static void append_changes(struct buf *names, const struct conf *running, const struct conf *loaded)
{
    static struct conf_item before, after; /* main's thread, and each holds a text of the longest key */

    for (size_t i = 0; i < conf_list_count(); i++) {
        char key[64];

        conf_list_get(running, i, &before);
        conf_list_get(loaded, i, &after);
        snprintf(key, sizeof(key), "%s.%s", after.section, after.name);
        if (strcmp(before.text, after.text) != 0 && !is_immediate(key))
            buf_printf(names, "%s%s", names->len == 0 ? "" : " ", key);
    }
}

static void log_changes(const struct conf *running, const struct conf *loaded)
{
    struct buf names;

    buf_init(&names, NAMES_MAX);
    append_changes(&names, running, loaded);
    if (names.len > 0)
        log_warn("daemon.needs_restart", "changed, and in effect after a restart only: %.*s", (int)names.len,
                 (const char *)names.data);
    buf_fini(&names);
}

void daemon_reload(const struct conf *running, const char *path, struct flusher *flusher)
{
    struct flush_settings settings;
    struct conf loaded;

    if (daemon_config_load(&loaded, path) != 0)
        return;
    settings = daemon_reload_flush_settings(&loaded);
    daemon_reload_configure_log(&loaded);
    flusher_configure(flusher, &settings);
    log_info("daemon.configured", "path=%s order=%s batch_documents=%zu rate=%llu", path, loaded.flush.order,
             settings.batch_documents, (unsigned long long)settings.rate);
    log_changes(running, &loaded);
    conf_free(&loaded);
}
