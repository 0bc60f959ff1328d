/*
 * manual_parts.h - what the tables give to the templates, by the part's name.
 */
#ifndef TRACESPOOL_MANUAL_PARTS_H
#define TRACESPOOL_MANUAL_PARTS_H

#include <stdio.h>

/* tracespool.1, from ctl_verbs.h, ctl_options.h and ctl_help.h */
void manual_command_verbs(FILE *out);
void manual_command_options(FILE *out);
void manual_command_words(FILE *out);

/* tracespoold.8, from daemon_options.h and metrics_table.h */
void manual_daemon_options(FILE *out);
void manual_daemon_exits(FILE *out);
void manual_daemon_metrics(FILE *out);

/* tracespool.conf.5, from conf_table.h */
void manual_conf_keys(FILE *out);

/* Completion, from ctl_verbs.h, ctl_options.h and ctl_words.h */
void manual_bash_verbs(FILE *out);
void manual_bash_options(FILE *out);
void manual_bash_values(FILE *out);
void manual_bash_operands(FILE *out);
void manual_zsh_verbs(FILE *out);
void manual_zsh_every(FILE *out);
void manual_zsh_own(FILE *out);
void manual_fish_values(FILE *out);
void manual_fish_verbs(FILE *out);
void manual_fish_options(FILE *out);

#endif
