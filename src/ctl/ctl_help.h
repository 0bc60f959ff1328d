/*
 * ctl_help.h - help, from the tables of verbs and options.
 */
#ifndef TRACESPOOL_CTL_HELP_H
#define TRACESPOOL_CTL_HELP_H

#include "ctl.h"
#include "ctl_verbs.h"

/* The help of `verb`, or of the whole command when it is NULL, on ctl->out. */
void ctl_help_print(const struct ctl *ctl, const struct ctl_verb *verb);

#endif
