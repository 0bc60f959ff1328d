/*
 * main.c - manual DATE TEMPLATE OUTPUT: a manual page, or a shell's completion.
 *
 * Run when tracespool is built, and linked with the tables that the programs
 * parse by, so that a page has each verb, option and key, and nothing else.
 * The template is copied; a line "@name@" of it is replaced by what the table
 * of that name gives.  Nothing else goes in, so the same sources give the same
 * bytes.  A name that is not known, or a write that fails, is told and ends with
 * status 1, after which the build makes the file anew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "manual_parts.h"

static const struct {
    const char *name;
    void (*write)(FILE *out);
} parts[] = {
    {"command-verbs", manual_command_verbs}, {"command-options", manual_command_options},
    {"command-words", manual_command_words}, {"daemon-options", manual_daemon_options},
    {"daemon-exits", manual_daemon_exits},   {"daemon-metrics", manual_daemon_metrics},
    {"conf-keys", manual_conf_keys},         {"bash-verbs", manual_bash_verbs},
    {"bash-options", manual_bash_options},   {"bash-values", manual_bash_values},
    {"bash-operands", manual_bash_operands}, {"zsh-verbs", manual_zsh_verbs},
    {"zsh-every", manual_zsh_every},         {"zsh-own", manual_zsh_own},
    {"fish-values", manual_fish_values},     {"fish-verbs", manual_fish_verbs},
    {"fish-options", manual_fish_options},
};

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "manual: %s: %s\n", what, why);
    return -1;
}

/* The line's newline is cut off. */
static int write_part(FILE *out, const char *line, const char *date)
{
    size_t len = strlen(line);

    if (strcmp(line, "@date@") == 0) {
        fprintf(out, ".Dd %s\n", date);
        return 0;
    }
    if (strcmp(line, "@version@") == 0) {
        fputs(".Os tracespool " TRACESPOOL_VERSION "\n", out);
        return 0;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strlen(parts[i].name) == len - 2 && strncmp(parts[i].name, line + 1, len - 2) == 0) {
            parts[i].write(out);
            return 0;
        }
    }
    return fail(line, "no table gives this");
}

static int expand(FILE *in, FILE *out, const char *date)
{
    char line[MANUAL_LINE_MAX];

    while (fgets(line, sizeof(line), in) != NULL) {
        size_t len = strlen(line);

        if (len > 0 && line[len - 1] == '\n')
            line[--len] = '\0';
        else if (!feof(in))
            return fail(line, "the line is too long");
        if (len > 2 && line[0] == '@' && line[len - 1] == '@') {
            if (write_part(out, line, date) < 0)
                return -1;
        } else {
            fprintf(out, "%s\n", line);
        }
    }
    return ferror(in) ? fail("template", strerror(errno)) : 0;
}

static int make(const char *date, const char *template, const char *output)
{
    FILE *in = fopen(template, "r");
    FILE *out;
    int result;

    if (in == NULL)
        return fail(template, strerror(errno));
    out = fopen(output, "w");
    if (out == NULL) {
        fclose(in);
        return fail(output, strerror(errno));
    }
    result = expand(in, out, date);
    fclose(in);
    if (ferror(out) | (fclose(out) != 0))
        result = fail(output, "cannot be written");
    return result;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("Usage: manual DATE TEMPLATE OUTPUT\n", stderr);
        return 1;
    }
    return make(argv[1], argv[2], argv[3]) == 0 ? 0 : 1;
}
