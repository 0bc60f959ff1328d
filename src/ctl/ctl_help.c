/*
 * ctl_help.c - `tracespool help [VERB]`.
 *
 * Everything comes from the tables that the parser uses, so help cannot name
 * an option that is not there.
 */
#include "ctl_help.h"

#include <getopt.h>

#define NAME_COLUMNS 22

const struct ctl_option ctl_help_options[] = {{NULL, NULL, 0, NULL}};

static void print_options(FILE *out, const struct ctl_option *option)
{
    for (; option->name != NULL; option++) {
        int used = fprintf(out, "  --%s%s%s", option->name, option->argument != NULL ? " " : "",
                           option->argument != NULL ? option->argument : "");

        fprintf(out, "%*s%s\n", used < NAME_COLUMNS + 2 ? NAME_COLUMNS + 2 - used : 1, "", option->help);
    }
}

static void print_verb(FILE *out, const struct ctl_verb *verb)
{
    fprintf(out, "tracespool %s%s%s - %s\n", verb->name, *verb->synopsis != '\0' ? " " : "", verb->synopsis,
            verb->summary);
    if (verb->options->name != NULL) {
        fprintf(out, "\nOptions:\n");
        print_options(out, verb->options);
    }
    fprintf(out, "\nOptions of every verb:\n");
    print_options(out, ctl_options_global);
}

static void print_all(FILE *out)
{
    fprintf(out, "tracespool looks into the spool of tracespoold, running or not, and changes nothing in it.\n\n"
                 "Usage: tracespool [OPTION]... VERB [OPTION | OPERAND]...\n\nVerbs:\n");
    for (const struct ctl_verb *verb = ctl_verbs; verb->name != NULL; verb++) {
        int used = fprintf(out, "  %s%s%s", verb->name, *verb->synopsis != '\0' ? " " : "", verb->synopsis);

        fprintf(out, "%*s%s\n", NAME_COLUMNS + 2 - used, "", verb->summary);
    }
    fprintf(out, "\nOptions of every verb:\n");
    print_options(out, ctl_options_global);
    fprintf(out, "\nExit status: 0 done, 1 could not, 2 done, but something is damaged or was refused.\n"
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
            return ctl_fail(ctl, "there is no verb \"%s\"", argv[optind]);
    }
    ctl_help_print(ctl, verb);
    return CTL_OK;
}
