/*
 * ctl_verbs.h - the verbs, by a table, and the options that each takes.
 */
#ifndef TRACESPOOL_CTL_VERBS_H
#define TRACESPOOL_CTL_VERBS_H

#include <stddef.h>

#include "ctl_options.h"

struct ctl;

struct ctl_verb {
    const char *name;
    const char *synopsis; /* after the name */
    const char *summary;  /* one line */
    const struct ctl_option *options;
    int (*run)(struct ctl *ctl, int argc, char **argv); /* argv[0] is the verb; returns an enum ctl_exit */
};

/* In the order of help; ends with a NULL name. */
extern const struct ctl_verb ctl_verbs[];

const struct ctl_verb *ctl_verb_find(const char *name); /* NULL when there is none */

/* The verb that a mistyped name most likely means, or NULL when none is near. */
const struct ctl_verb *ctl_verb_suggest(const char *name);

extern const struct ctl_option ctl_status_options[];
extern const struct ctl_option ctl_ls_options[];
extern const struct ctl_option ctl_show_options[];
extern const struct ctl_option ctl_shape_options[];
extern const struct ctl_option ctl_hold_options[]; /* hold, release */
extern const struct ctl_option ctl_requeue_options[];
extern const struct ctl_option ctl_tail_options[];
extern const struct ctl_option ctl_flush_options[];
extern const struct ctl_option ctl_rm_options[];
extern const struct ctl_option ctl_replay_options[];
extern const struct ctl_option ctl_export_options[];
extern const struct ctl_option ctl_import_options[];
extern const struct ctl_option ctl_check_options[];
extern const struct ctl_option ctl_salvage_options[];
extern const struct ctl_option ctl_send_options[];
extern const struct ctl_option ctl_shard_options[];
extern const struct ctl_option ctl_config_options[];
extern const struct ctl_option ctl_size_options[];
extern const struct ctl_option ctl_help_options[];

int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_ls(struct ctl *ctl, int argc, char **argv);
int ctl_show(struct ctl *ctl, int argc, char **argv);
int ctl_shape(struct ctl *ctl, int argc, char **argv);
int ctl_tail(struct ctl *ctl, int argc, char **argv);
int ctl_flush(struct ctl *ctl, int argc, char **argv);
int ctl_hold(struct ctl *ctl, int argc, char **argv);
int ctl_release(struct ctl *ctl, int argc, char **argv);
int ctl_requeue(struct ctl *ctl, int argc, char **argv);
int ctl_rm(struct ctl *ctl, int argc, char **argv);
int ctl_replay(struct ctl *ctl, int argc, char **argv);
int ctl_export(struct ctl *ctl, int argc, char **argv);
int ctl_import(struct ctl *ctl, int argc, char **argv);
int ctl_check(struct ctl *ctl, int argc, char **argv);
int ctl_salvage(struct ctl *ctl, int argc, char **argv);
int ctl_send(struct ctl *ctl, int argc, char **argv);
int ctl_shard(struct ctl *ctl, int argc, char **argv);
int ctl_config(struct ctl *ctl, int argc, char **argv);
int ctl_size(struct ctl *ctl, int argc, char **argv);
int ctl_help(struct ctl *ctl, int argc, char **argv);

#endif
