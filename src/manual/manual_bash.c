/*
 * manual_bash.c - verbs and options as bash completes them: arms of `case`.
 */
#include "ctl_verbs.h"
#include "ctl_words.h"
#include "manual_option.h"
#include "manual_parts.h"

void manual_bash_verbs(FILE *out)
{
    fputs("    verbs='", out);
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++)
        fprintf(out, "%s%s", verb == ctl_verbs ? "" : " ", verb->name);
    fputs("'\n", out);
}

static void put_names(FILE *out, const struct ctl_option *option)
{
    for (; option->name != NULL; option++)
        fprintf(out, " --%s", option->name);
}

void manual_bash_options(FILE *out)
{
    fputs("    options='", out);
    put_names(out, ctl_options_global);
    fputs("'\n    case $1 in\n", out);
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        if (verb->options->name == NULL)
            continue;
        fprintf(out, "    %s) options+='", verb->name);
        put_names(out, verb->options);
        fputs("' ;;\n", out);
    }
    fputs("    esac\n", out);
}

static void put_kind(FILE *out, const struct ctl_word *word)
{
    fputs(" kind=", out);
    switch (word->kind) {
    case CTL_WORD_FILE:
        fputs("path", out);
        break;
    case CTL_WORD_DIRECTORY:
        fputs("directory", out);
        break;
    case CTL_WORD_VERB:
        fputs("verb", out);
        break;
    case CTL_WORD_CHOICE:
        fputs("choice choices='", out);
        manual_option_choices(out, word->choices);
        fputs("'", out);
        break;
    }
}

static void put_values(FILE *out, const struct ctl_verb *verb, const struct ctl_option *option)
{
    const char *name = verb != NULL ? verb->name : "*";

    for (; option->name != NULL; option++) {
        const struct ctl_word *word;
        char letter = manual_option_letter(verb, option);

        if (option->argument == NULL)
            continue;
        word = ctl_words_find(option->argument);
        fprintf(out, "    %s:--%s", name, option->name);
        if (letter != '\0')
            fprintf(out, " | %s:-%c", name, letter);
        fputs(")", out);
        if (word != NULL)
            put_kind(out, word);
        fprintf(out, "%s ;;\n", manual_option_is_optional(option) ? " optional=1" : word == NULL ? " kind=any" : "");
    }
}

/* A verb's own come first: it may have another use for a word. */
void manual_bash_values(FILE *out)
{
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++)
        put_values(out, verb, verb->options);
    put_values(out, NULL, ctl_options_global);
}

void manual_bash_operands(FILE *out)
{
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        const struct ctl_word *word = ctl_words_find(verb->synopsis);

        if (word == NULL)
            continue;
        fprintf(out, "    %s)", verb->name);
        put_kind(out, word);
        fputs(" ;;\n", out);
    }
}
