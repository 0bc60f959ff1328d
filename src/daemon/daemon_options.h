/*
 * daemon_options.h - the command line of tracespoold.
 */
#ifndef TRACESPOOL_DAEMON_OPTIONS_H
#define TRACESPOOL_DAEMON_OPTIONS_H

enum daemon_action { DAEMON_RUN, DAEMON_CHECK_CONFIG, DAEMON_VERSION, DAEMON_HELP };

struct daemon_options {
    enum daemon_action action;
    const char *config_path;
};

/* 0, or -1 when something is wrong with the arguments, which was said on standard error. */
int daemon_options_parse(struct daemon_options *options, int argc, char **argv);

/* What --help prints. */
extern const char daemon_options_help[];

#endif
