/*
 * manual_fish.c - verbs and options as fish completes them: `complete` commands.
 */
#include "ctl_verbs.h"
#include "ctl_words.h"
#include "manual_option.h"
#include "manual_parts.h"
#include "manual_text.h"

/* The options before a verb that take the next word. */
void manual_fish_values(FILE *out)
{
    fputs("            case", out);
    for (const struct ctl_option *option = ctl_options_global; option->name != NULL; option++) {
        if (option->argument == NULL || manual_option_is_optional(option))
            continue;
        fprintf(out, " --%s", option->name);
        if (manual_option_letter(NULL, option) != '\0')
            fprintf(out, " -%c", manual_option_letter(NULL, option));
    }
    fputc('\n', out);
}

static void put_description(FILE *out, const char *text)
{
    fputs(" -d '", out);
    manual_text_quoted_fish(out, text);
    fputs("'\n", out);
}

void manual_fish_verbs(FILE *out)
{
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        fprintf(out, "complete -c tracespool -n '__tracespool_verb_is none' -a %s", verb->name);
        put_description(out, verb->summary);
    }
}

/* What follows, as flags of `complete`; files are off unless they are asked for. */
static void put_value(FILE *out, const struct ctl_word *word)
{
    if (word == NULL || word->kind != CTL_WORD_FILE)
        fputs(" -f", out);
    if (word == NULL)
        return;
    switch (word->kind) {
    case CTL_WORD_FILE:
        fputs(" -F", out);
        break;
    case CTL_WORD_DIRECTORY:
        fputs(" -a '(__fish_complete_directories (commandline -ct))'", out);
        break;
    case CTL_WORD_VERB:
        fputs(" -a '", out);
        for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++)
            fprintf(out, "%s%s", verb == ctl_verbs ? "" : " ", verb->name);
        fputs("'", out);
        break;
    case CTL_WORD_CHOICE:
        fputs(" -a '", out);
        manual_option_choices(out, word->choices);
        fputs("'", out);
        break;
    }
}

static void put_options(FILE *out, const struct ctl_verb *verb, const struct ctl_option *option)
{
    for (; option->name != NULL; option++) {
        char letter = manual_option_letter(verb, option);

        fputs("complete -c tracespool", out);
        if (verb != NULL)
            fprintf(out, " -n '__tracespool_verb_is %s'", verb->name);
        if (letter != '\0')
            fprintf(out, " -s %c", letter);
        fprintf(out, " -l %s", option->name);
        if (option->argument != NULL) {
            fputs(manual_option_is_optional(option) ? "" : " -r", out);
            put_value(out, ctl_words_find(option->argument));
        }
        put_description(out, option->help);
    }
}

void manual_fish_options(FILE *out)
{
    put_options(out, NULL, ctl_options_global);
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        const struct ctl_word *operand = ctl_words_find(verb->synopsis);

        put_options(out, verb, verb->options);
        if (operand == NULL)
            continue;
        fprintf(out, "complete -c tracespool -n '__tracespool_verb_is %s'", verb->name);
        put_value(out, operand);
        fputc('\n', out);
    }
}
