/*
 * ctl_config.h - the forms in which `tracespool config` shows a key.  Pure.
 */
#ifndef TRACESPOOL_CTL_CONFIG_H
#define TRACESPOOL_CTL_CONFIG_H

#include <stdbool.h>

#include "buf.h"
#include "conf_list.h"

/* Where the value comes from when neither the file, the environment nor the table says: the command line. */
#define CTL_CONFIG_OPTION "--spool"
#define CTL_CONFIG_KEY_MAX 64 /* "receiver.tls.client_ca_file" */

struct ctl_config_line {
    struct conf_item item;
    bool by_option; /* the value is the command line's */
};

/*
 * The file's own syntax, a key a line with its origin behind it, groups
 * opened and closed.  `before` is the line before, or NULL; `line` NULL ends
 * the text.  Appended.
 */
void ctl_config_text(const struct ctl_config_line *before, const struct ctl_config_line *line, bool colored,
                     struct buf *out);

/* One JSON object and a line end.  Appended. */
void ctl_config_json(const struct ctl_config_line *line, struct buf *out);

#endif
