/*
 * manual_zsh.c - verbs and options as zsh completes them: specifications for
 * _describe and _arguments.
 */
#include "bounds.h"
#include "ctl_verbs.h"
#include "ctl_words.h"
#include "manual_option.h"
#include "manual_parts.h"
#include "manual_text.h"

void manual_zsh_verbs(FILE *out)
{
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        fprintf(out, "    '%s:", verb->name);
        manual_text_quoted_zsh(out, verb->summary);
        fputs("'\n", out);
    }
}

/* ":FILE:_files"; of what no shell knows only the name is shown. */
static void put_value(FILE *out, const char *text)
{
    const struct ctl_word *word = ctl_words_find(text);

    fputc(':', out);
    manual_text_quoted_zsh(out, text);
    fputc(':', out);
    if (word == NULL) {
        fputc(' ', out);
        return;
    }
    switch (word->kind) {
    case CTL_WORD_FILE:
        fputs("_files", out);
        break;
    case CTL_WORD_DIRECTORY:
        fputs("_files -/", out);
        break;
    case CTL_WORD_VERB:
        fputs("_tracespool_verbs", out);
        break;
    case CTL_WORD_CHOICE:
        fputc('(', out);
        manual_option_choices(out, word->choices);
        fputc(')', out);
        break;
    }
}

static void put_help(FILE *out, const struct ctl_option *option)
{
    fputc('[', out);
    manual_text_quoted_zsh(out, option->help);
    fputc(']', out);
}

/* "--limit=[help]:N: ", and the same of a short form. */
static void put_option(FILE *out, const struct ctl_option *option, const char *name, const char *joined)
{
    bool optional = manual_option_is_optional(option);

    fprintf(out, "        '%s%s%s", name, option->argument != NULL ? joined : "", optional ? "-" : "");
    put_help(out, option);
    if (option->argument != NULL) {
        fputs(optional ? ":" : "", out);
        put_value(out, option->argument);
    }
    fputs("'\n", out);
}

static void put_options(FILE *out, const struct ctl_verb *verb, const struct ctl_option *option)
{
    for (; option->name != NULL; option++) {
        const char letter[] = {'-', manual_option_letter(verb, option), '\0'};
        char name[MANUAL_LINE_MAX];

        snprintf(name, sizeof(name), "--%s", option->name);
        put_option(out, option, name, "=");
        if (letter[1] != '\0')
            put_option(out, option, letter, manual_option_is_optional(option) ? "" : "+");
    }
}

void manual_zsh_every(FILE *out)
{
    put_options(out, NULL, ctl_options_global);
}

void manual_zsh_own(FILE *out)
{
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        fprintf(out, "    %s)\n      own=(\n", verb->name);
        put_options(out, verb, verb->options);
        if (verb->synopsis[0] != '\0') {
            fputs("        '*", out);
            put_value(out, verb->synopsis);
            fputs("'\n", out);
        }
        fputs("      )\n      ;;\n", out);
    }
}
