/*
 * ctl_words.h - what a word like FILE or WHEN in a synopsis or an option
 * stands for: for shells that complete it, and for the parser where it is one
 * of a few.
 */
#ifndef TRACESPOOL_CTL_WORDS_H
#define TRACESPOOL_CTL_WORDS_H

#include <stddef.h>

enum ctl_word_kind { CTL_WORD_FILE, CTL_WORD_DIRECTORY, CTL_WORD_VERB, CTL_WORD_CHOICE };

struct ctl_word {
    const char *word; /* NULL ends the table */
    enum ctl_word_kind kind;
    const char *const *choices; /* of CTL_WORD_CHOICE; ends with NULL */
};

extern const struct ctl_word ctl_words[];

extern const char *const ctl_words_when[];  /* in the order of enum ctl_color */
extern const char *const ctl_words_where[]; /* in the order of enum ctl_from, which begins with 1 */
extern const char *const ctl_words_format[];
extern const char *const ctl_words_status[]; /* in the order of OTLP's status codes */

/* The first of the table's words that stands by itself in `text`, as in "[FILE...]", or NULL. */
const struct ctl_word *ctl_words_find(const char *text);

/* The place of `text` among the choices, or -1. */
int ctl_words_choose(const char *const *choices, const char *text);

#endif
