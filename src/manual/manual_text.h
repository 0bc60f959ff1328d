/*
 * manual_text.h - the tables' texts, escaped for what reads them.
 */
#ifndef TRACESPOOL_MANUAL_TEXT_H
#define TRACESPOOL_MANUAL_TEXT_H

#include <stdio.h>

/* mdoc(7): text as lines of its own, a sentence a line, none too long, none a request. */
void manual_text_roff(FILE *out, const char *text);

/* mdoc(7): text as arguments of a macro, none of its words a macro. */
void manual_text_roff_arguments(FILE *out, const char *text);

/* mdoc(7): one word, part of an argument. */
void manual_text_roff_joined(FILE *out, const char *word);

/* Inside of single quotes: of bash and zsh, which know no escape there, and of fish, which does. */
void manual_text_quoted(FILE *out, const char *text);
void manual_text_quoted_fish(FILE *out, const char *text);

/* As above, inside of the brackets or between the colons of a specification for zsh's _arguments or _describe. */
void manual_text_quoted_zsh(FILE *out, const char *text);

#endif
