/*
 * ctl.h - `tracespool`, the command: what its verbs share.
 *
 * A verb is a row of ctl_verbs.h and a file of its own.  It takes the rest of
 * the command line, writes to ctl->out and ctl->err, and returns the exit
 * status.  The whole command runs on one thread.
 */
#ifndef TRACESPOOL_CTL_H
#define TRACESPOOL_CTL_H

#include <stdbool.h>
#include <stdio.h>

#include "buf.h"
#include "conf.h"
#include "spool.h"

enum ctl_exit {
    CTL_OK = 0,
    CTL_FAILED = 1,  /* it could not be done; a wrong command line too */
    CTL_PARTIAL = 2, /* done, but something was found damaged, was refused, or did not fit */
};

enum ctl_color { CTL_COLOR_AUTO, CTL_COLOR_ALWAYS, CTL_COLOR_NEVER };

struct ctl_verb;

struct ctl {
    FILE *out;
    FILE *err;
    const struct ctl_verb *verb; /* NULL while the options before it are read */

    /* the options that every verb takes */
    const char *conf_path;  /* NULL: the default one, if it is there */
    const char *spool_path; /* NULL: the configuration's */
    bool json;
    enum ctl_color color;
    enum ctl_exit exit; /* set with CTL_OPTIONS_STOP */

    /* made when first asked for */
    bool conf_loaded;
    bool conf_failed; /* its problems have been printed */
    struct conf conf;
};

/* The whole command.  Returns the process's exit status.  `out` and `err` stay the caller's. */
int ctl_run(int argc, char **argv, FILE *out, FILE *err);

/* The configuration, or NULL after its problems have been printed. */
const struct conf *ctl_conf(struct ctl *ctl);

/* -1 after the problems of a configuration that is named: where none is needed its name may be the mistake. */
int ctl_conf_named(struct ctl *ctl);

/* The spool's directory, or NULL as above. */
const char *ctl_spool_path(struct ctl *ctl);

/* The spool, opened for looking and the caller's to close, or NULL after the reason has been printed. */
struct spool *ctl_open_spool(struct ctl *ctl);

/* Tells why the spool at ctl_spool_path() cannot be opened.  Returns CTL_FAILED. */
int ctl_fail_open(const struct ctl *ctl, const struct err *err);

/* "tracespool VERB: text" on ctl->err.  ctl_fail returns CTL_FAILED. */
int ctl_fail(const struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ctl_note(const struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "there is no verb", with what was most likely meant.  Returns CTL_FAILED. */
int ctl_no_such_verb(const struct ctl *ctl, const char *name);

/* Writes what `text` holds to ctl->out and clears it. */
void ctl_write(const struct ctl *ctl, struct buf *text);

#endif
