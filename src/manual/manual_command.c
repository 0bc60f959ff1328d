/*
 * manual_command.c - verbs, options and words of tracespool.1.
 */
#include <string.h>

#include "bounds.h"
#include "ctl_help.h"
#include "ctl_verbs.h"
#include "manual_option.h"
#include "manual_parts.h"
#include "manual_text.h"

static void put_help(FILE *out, const struct ctl_verb *verb, const struct ctl_option *option)
{
    char letter = manual_option_letter(verb, option);
    char line[MANUAL_LINE_MAX];

    /* What every verb takes says so itself. */
    if (verb == NULL || letter == '\0') {
        manual_text_roff(out, option->help);
        return;
    }
    snprintf(line, sizeof(line), "%s (also -%c)", option->help, letter);
    manual_text_roff(out, line);
}

static void put_options(FILE *out, const struct ctl_verb *verb, const struct ctl_option *option)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (; option->name != NULL; option++) {
        fputs(".It Fl \\-", out);
        manual_text_roff_joined(out, option->name);
        if (manual_option_is_optional(option))
            fprintf(out, " Op Ar %.*s", (int)strlen(option->argument) - 2, option->argument + 1);
        else if (option->argument != NULL)
            fprintf(out, " Ar %s", option->argument);
        fputc('\n', out);
        put_help(out, verb, option);
    }
    fputs(".El\n", out);
}

void manual_command_options(FILE *out)
{
    put_options(out, NULL, ctl_options_global);
}

void manual_command_verbs(FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        fprintf(out, ".It Cm %s", verb->name);
        if (verb->synopsis[0] != '\0') {
            fputs(" No", out);
            manual_text_roff_arguments(out, verb->synopsis);
        }
        fputc('\n', out);
        manual_text_roff(out, verb->summary);
        if (verb->options->name != NULL)
            put_options(out, verb, verb->options);
    }
    fputs(".El\n", out);
}

/* "form  meaning", indented or not; without a gap all of it is a form. */
static void put_form(FILE *out, const char *line, size_t len)
{
    char form[MANUAL_LINE_MAX];
    char *gap;

    while (len > 0 && *line == ' ') {
        line++;
        len--;
    }
    snprintf(form, sizeof(form), "%.*s", (int)len, line);
    gap = strstr(form, "  ");
    if (gap != NULL)
        *gap = '\0';
    fputs(".It No", out);
    manual_text_roff_arguments(out, form);
    fputc('\n', out);
    if (gap != NULL)
        manual_text_roff(out, gap + 1 + strspn(gap + 1, " "));
}

void manual_command_words(FILE *out)
{
    for (const struct ctl_help_word *entry = ctl_help_glossary; entry->word != NULL; entry++) {
        if (entry == ctl_help_glossary || strcmp(entry[-1].word, entry->word) != 0) {
            fputs(".Ss", out);
            manual_text_roff_arguments(out, entry->word);
            fputs("\n.Bl -tag -width Ds\n", out);
        }
        for (const char *line = entry->text; *line != '\0';) {
            size_t len = strcspn(line, "\n");

            put_form(out, line, len);
            line += len + (line[len] == '\n');
        }
        if (entry[1].word == NULL || strcmp(entry[1].word, entry->word) != 0)
            fputs(".El\n", out);
    }
}
