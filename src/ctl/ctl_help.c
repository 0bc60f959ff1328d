/*
 * ctl_help.c - `tracespool help [VERB]`.
 *
 * Everything comes from the tables that the parser uses, so help cannot name
 * an option that is not there.
 */
#include "ctl_help.h"

#include <getopt.h>
#include <string.h>

#define NAME_COLUMNS 24

const struct ctl_help_word ctl_help_glossary[] = {
    {"ID...",
     "no ID                 what MongoDB does not have: pending and held batches, and what is parked (export)",
     {"export"}},
    {"ID...",
     "SEQ                   one batch, as `tracespool ls` numbers it\n"
     "  SEQ-SEQ               a range, both ends included\n"
     "  ALL                   all that are there now",
     {NULL}},
    {"ID...",
     "SEQ:N                 one parked entry, as `tracespool ls --parked` names it (requeue, rm, export)\n"
     "  SEQ:all               all that is parked of a batch (requeue, rm, export)",
     {"requeue", "rm", "export"}},
    {"ID...", "-                     ids, or lines of `tracespool ls`, also of --json, from standard input", {NULL}},
    {"SEQ[:N]",
     "SEQ                   one batch, as `tracespool ls` numbers it\n"
     "  SEQ:N                 one parked entry, as `tracespool ls --parked` names it\n"
     "  SEQ:all               the entry that stands for a whole batch",
     {"show"}},
    {"TIME",
     "2h, 7d                so long ago\n"
     "  \"yesterday 14:00\"     or \"today 09:30\", 09:30, now: in the time of this place\n"
     "  \"2026-11-22 14:00\"    in the time of this place; the day alone is its midnight\n"
     "  2026-11-22T14:00:00Z  RFC 3339",
     {NULL}},
    {NULL, NULL, {NULL}},
};

const struct ctl_option ctl_help_options[] = {{NULL, NULL, 0, NULL}};

static void print_options(FILE *out, const struct ctl_option *option)
{
    for (; option->name != NULL; option++) {
        int used = fprintf(out, "  --%s%s%s", option->name, option->argument != NULL ? " " : "",
                           option->argument != NULL ? option->argument : "");

        fprintf(out, "%*s%s", used < NAME_COLUMNS + 2 ? NAME_COLUMNS + 2 - used : 1, "", option->help);
        if ((option->value & CTL_OPTION_LETTER) != 0)
            fprintf(out, " (also -%c)", option->value & ~CTL_OPTION_LETTER);
        fputc('\n', out);
    }
}

static bool uses_word(const struct ctl_verb *verb, const char *word)
{
    if (strstr(verb->synopsis, word) != NULL)
        return true;
    for (const struct ctl_option *option = verb->options; option->name != NULL; option++) {
        if (option->argument != NULL && strcmp(option->argument, word) == 0)
            return true;
    }
    return false;
}

static bool is_for(const struct ctl_help_word *entry, const struct ctl_verb *verb)
{
    for (size_t i = 0; i < sizeof(entry->verbs) / sizeof(entry->verbs[0]) && entry->verbs[i] != NULL; i++) {
        if (strcmp(entry->verbs[i], verb->name) == 0)
            return true;
    }
    return entry->verbs[0] == NULL;
}

static void print_glossary(FILE *out, const struct ctl_verb *verb)
{
    const char *word = "";

    for (const struct ctl_help_word *entry = ctl_help_glossary; entry->word != NULL; entry++) {
        if (!uses_word(verb, entry->word) || !is_for(entry, verb))
            continue;
        if (strcmp(entry->word, word) != 0)
            fprintf(out, "\n%s:\n", entry->word);
        fprintf(out, "  %s\n", entry->text);
        word = entry->word;
    }
}

static void print_verb(FILE *out, const struct ctl_verb *verb)
{
    fprintf(out, "tracespool %s%s%s - %s\n", verb->name, *verb->synopsis != '\0' ? " " : "", verb->synopsis,
            verb->summary);
    print_glossary(out, verb);
    if (verb->options->name != NULL) {
        fprintf(out, "\nOptions:\n");
        print_options(out, verb->options);
    }
    fprintf(out, "\nOptions of every verb:\n");
    print_options(out, ctl_options_global);
}

static void print_all(FILE *out)
{
    fprintf(out, "tracespool looks into the spool of tracespoold and edits it, whether that runs or not.\n\n"
                 "Usage: tracespool [OPTION]... VERB [OPTION | OPERAND]...\n\nVerbs:\n");
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        int used = fprintf(out, "  %s%s%s", verb->name, *verb->synopsis != '\0' ? " " : "", verb->synopsis);

        fprintf(out, "%*s%s\n", used < NAME_COLUMNS + 2 ? NAME_COLUMNS + 2 - used : 1, "", verb->summary);
    }
    fprintf(out, "\nOptions of every verb:\n");
    print_options(out, ctl_options_global);
    fprintf(out, "\nExit status: 0 done, 1 could not, 2 done, but something is damaged, was refused, or did not fit.\n"
                 "`tracespool help VERB` has the rest.\n");
}

void ctl_help_print(const struct ctl *ctl, const struct ctl_verb *verb)
{
    if (verb != NULL)
        print_verb(ctl->out, verb);
    else
        print_all(ctl->out);
}

int ctl_help(struct ctl *ctl, int argc, char **argv)
{
    const char *argument;
    const struct ctl_verb *verb = NULL;

    if (ctl_options_next(ctl, argc, argv, ctl_help_options, &argument) == CTL_OPTIONS_STOP)
        return ctl->exit;
    if (argc - optind > 1)
        return ctl_fail(ctl, "takes one verb");
    if (optind < argc) {
        verb = ctl_verb_find(argv[optind]);
        if (verb == NULL)
            return ctl_no_such_verb(ctl, argv[optind]);
    }
    ctl_help_print(ctl, verb);
    return CTL_OK;
}
