/*
 * conf_list.h - a loaded configuration key by key: the value, and where it
 * came from.
 */
#ifndef TRACESPOOL_CONF_LIST_H
#define TRACESPOOL_CONF_LIST_H

#include <stddef.h>

#include "conf.h"

enum conf_type { CONF_TEXT, CONF_BYTES, CONF_DURATION, CONF_COUNT, CONF_BOOL };

enum conf_source {
    CONF_FROM_DEFAULT,
    CONF_FROM_FILE,
    CONF_FROM_ENVIRONMENT, /* MONGO_URI */
};

#define CONF_LIST_TEXT_MAX 4001 /* of any key, with the NUL */

struct conf_item {
    const char *section; /* "spool", "receiver.tls" */
    const char *name;
    enum conf_type type;
    enum conf_source source;
    const char *file; /* with CONF_FROM_FILE, else NULL; the conf's */
    int line;
    uint64_t number;               /* bytes, ns, or a count; of a BOOL 0 or 1 */
    char text[CONF_LIST_TEXT_MAX]; /* as the file has it, without quotes: "8GiB", "true"; may hold a secret */
};

/* How many keys there are.  They come section by section, a group right after the keys of its section. */
size_t conf_list_count(void);

/* Key `at` of a conf that was loaded without problems. */
void conf_list_get(const struct conf *conf, size_t at, struct conf_item *item);

#endif
