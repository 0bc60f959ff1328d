/*
 * ctl_help.h - help, from the tables of verbs and options.
 */
#ifndef TRACESPOOL_CTL_HELP_H
#define TRACESPOOL_CTL_HELP_H

#include "ctl.h"
#include "ctl_verbs.h"

/*
 * Words that stand for more than they say, wherever a synopsis or an option
 * uses one; entries of the same word follow each other.  Ends with NULL.
 */
struct ctl_help_word {
    const char *word;
    const char *text;     /* lines of "form  meaning", two spaces or more between */
    const char *verbs[4]; /* of which these lines hold; none: of all */
};

extern const struct ctl_help_word ctl_help_glossary[];

/* The help of `verb`, or of the whole command when it is NULL, on ctl->out. */
void ctl_help_print(const struct ctl *ctl, const struct ctl_verb *verb);

#endif
