/*
 * daemon_options.h - the command line of tracespoold.
 */
#ifndef TRACESPOOL_DAEMON_OPTIONS_H
#define TRACESPOOL_DAEMON_OPTIONS_H

#include <stdio.h>

enum daemon_action { DAEMON_RUN, DAEMON_CHECK_CONFIG, DAEMON_VERSION, DAEMON_HELP };

struct daemon_options {
    enum daemon_action action;
    const char *config_path;
};

/* 0, or -1 when something is wrong with the arguments, which was said on standard error. */
int daemon_options_parse(struct daemon_options *options, int argc, char **argv);

/* The tables of which --help and the manual page are made; each ends with a NULL name or text. */
struct daemon_option {
    int value;            /* up to 255: the letter that is its short form */
    const char *name;     /* long name */
    const char *argument; /* what help calls its value; NULL: takes none */
    const char *help;     /* one line */
};

struct daemon_exit {
    int status; /* of <sysexits.h> from 64 on */
    const char *text;
};

extern const struct daemon_option daemon_options_table[];
extern const struct daemon_exit daemon_options_exits[];

/* What --help prints. */
void daemon_options_print_help(FILE *out);

#endif
