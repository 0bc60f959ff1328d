/*
 * manual_option.h - what an option of the command's tables is like.
 */
#ifndef TRACESPOOL_MANUAL_OPTION_H
#define TRACESPOOL_MANUAL_OPTION_H

#include <stdbool.h>
#include <stdio.h>

#include "ctl_verbs.h"

/* The letter that is an option's short form, or '\0'.  `verb` is NULL for an option that every verb takes. */
char manual_option_letter(const struct ctl_verb *verb, const struct ctl_option *option);

/* Whether its value may be left out, and then stands behind "=". */
bool manual_option_is_optional(const struct ctl_option *option);

/* "auto always never" */
void manual_option_choices(FILE *out, const char *const *choices);

#endif
