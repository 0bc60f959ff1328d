/*
 * ctl_words.c - the table of words, and looking in it.
 *
 * Pure.  A word that is not in the table stands for something that no shell
 * can know, such as a number or a batch.
 */
#include "ctl_words.h"

#include <ctype.h>
#include <string.h>

const char *const ctl_words_when[] = {"auto", "always", "never", NULL};
const char *const ctl_words_where[] = {"spool", "mongodb", "both", NULL};
const char *const ctl_words_format[] = {"json", "proto", NULL};
const char *const ctl_words_status[] = {"unset", "ok", "error", NULL};

const struct ctl_word ctl_words[] = {
    {"FILE", CTL_WORD_FILE, NULL},
    {"OUT", CTL_WORD_FILE, NULL},
    {"DIR", CTL_WORD_DIRECTORY, NULL},
    {"VERB", CTL_WORD_VERB, NULL},
    {"WHEN", CTL_WORD_CHOICE, ctl_words_when},
    {"WHERE", CTL_WORD_CHOICE, ctl_words_where},
    {"FORMAT", CTL_WORD_CHOICE, ctl_words_format},
    {"STATUS", CTL_WORD_CHOICE, ctl_words_status},
    {NULL, CTL_WORD_FILE, NULL},
};

const struct ctl_word *ctl_words_find(const char *text)
{
    while (*text != '\0') {
        size_t len = 0;

        while (isalnum((unsigned char)text[len]))
            len++;
        for (const struct ctl_word *word = ctl_words; word->word != NULL; word++) {
            if (strlen(word->word) == len && strncmp(word->word, text, len) == 0)
                return word;
        }
        text += len > 0 ? len : 1;
    }
    return NULL;
}

int ctl_words_choose(const char *const *choices, const char *text)
{
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], text) == 0)
            return i;
    }
    return -1;
}
