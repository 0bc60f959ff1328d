/*
 * ctl_options.h - options by a table: one for parsing and for help.
 */
#ifndef TRACESPOOL_CTL_OPTIONS_H
#define TRACESPOOL_CTL_OPTIONS_H

#include <stdint.h>

struct ctl;

struct ctl_option {
    const char *name;     /* long name; NULL ends a table */
    const char *argument; /* what help calls its value; NULL: takes none; "[WORD]": only if it stands behind = */
    int value;            /* what ctl_options_next returns, 1 .. 255; with CTL_OPTION_LETTER its short form too */
    const char *help;     /* one line */
};

#define CTL_OPTION_LETTER 0x1000

/* What every verb takes, before and after its name. */
extern const struct ctl_option ctl_options_global[];

#define CTL_OPTIONS_END (-1)  /* no more: the operands are argv[optind ..] */
#define CTL_OPTIONS_STOP (-2) /* end the verb with ctl->exit: help was printed, or a mistake named */

/* Before a run of ctl_options_next over a new argv. */
void ctl_options_start(void);

/*
 * The value of the next option in `own`, its argument or NULL in *argument; the global
 * ones are taken care of.  With ctl->verb NULL it stops at the first operand,
 * otherwise options may stand anywhere before "--".
 */
int ctl_options_next(struct ctl *ctl, int argc, char **argv, const struct ctl_option *own, const char **argument);

/* A decimal number 0 .. max of digits only.  0, or -1. */
int ctl_options_number(const char *text, uint64_t max, uint64_t *number);

#endif
