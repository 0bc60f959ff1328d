/*
 * ctl_options.c - the command line, by getopt_long, one table a verb.
 *
 * getopt's own messages are off: they would name argv[0], which is the verb,
 * and know nothing of `help`.  A mistake is told on ctl->err with where help
 * is, and the verb ends with status 1.
 */
#include "ctl_options.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

#include "bounds.h"
#include "ctl.h"
#include "ctl_guess.h"
#include "ctl_help.h"
#include "ctl_words.h"

#define LETTERS_MAX 64

/* Values of the global options, out of the way of the verbs' own. */
enum { GLOBAL_CONF = 'c', GLOBAL_HELP = 'h', GLOBAL_SPOOL = 256, GLOBAL_JSON, GLOBAL_COLOR, GLOBAL_VERSION };

const struct ctl_option ctl_options_global[] = {
    {"config", "FILE", GLOBAL_CONF, "configuration (also -c FILE); default " CONF_DEFAULT_PATH},
    {"spool", "DIR", GLOBAL_SPOOL, "directory of the spool, instead of the configuration's"},
    {"json", NULL, GLOBAL_JSON, "JSON for programs, one object a line, instead of text for people"},
    {"color", "WHEN", GLOBAL_COLOR, "auto (default: on a terminal, unless NO_COLOR is set), always or never"},
    {"help", NULL, GLOBAL_HELP, "help (also -h)"},
    {"version", NULL, GLOBAL_VERSION, "the version"},
    {NULL, NULL, 0, NULL},
};

void ctl_options_start(void)
{
    optind = 0; /* glibc: forget the argv before */
    opterr = 0;
}

static int has_argument(const struct ctl_option *option)
{
    if (option->argument == NULL)
        return no_argument;
    return option->argument[0] == '[' ? optional_argument : required_argument;
}

/* What getopt takes for letters: those of all verbs, then the verb's own. */
static void fill_letters(char letters[LETTERS_MAX], bool anywhere, const struct ctl_option *own)
{
    size_t len = (size_t)snprintf(letters, LETTERS_MAX, "%s:c:h", anywhere ? "" : "+");

    for (; own->name != NULL; own++) {
        if ((own->value & CTL_OPTION_LETTER) == 0)
            continue;
        assert(len + 4 < LETTERS_MAX);
        letters[len++] = (char)(own->value & ~CTL_OPTION_LETTER);
        for (int i = 0; i < has_argument(own); i++)
            letters[len++] = ':';
        letters[len] = '\0';
    }
}

static size_t fill(struct option *options, size_t count, const struct ctl_option *table)
{
    for (; table->name != NULL; table++) {
        assert(count + 1 < CTL_OPTIONS_MAX);
        options[count++] = (struct option){
            .name = table->name,
            .has_arg = has_argument(table),
            .val = table->value & ~CTL_OPTION_LETTER,
        };
    }
    return count;
}

static int stop(struct ctl *ctl, enum ctl_exit status)
{
    ctl->exit = status;
    return CTL_OPTIONS_STOP;
}

static int take_color(struct ctl *ctl, const char *when)
{
    int choice = ctl_words_choose(ctl_words_when, when);

    if (choice >= 0) {
        ctl->color = (enum ctl_color)choice;
        return 0;
    }
    ctl_fail(ctl, "--color takes auto, always or never, not \"%s\"", when);
    return -1;
}

/* 0: taken, go on.  Otherwise what ctl_options_next returns. */
static int take_global(struct ctl *ctl, int value)
{
    switch (value) {
    case GLOBAL_CONF:
        ctl->conf_path = optarg;
        return 0;
    case GLOBAL_SPOOL:
        ctl->spool_path = optarg;
        return 0;
    case GLOBAL_JSON:
        ctl->json = true;
        return 0;
    case GLOBAL_COLOR:
        return take_color(ctl, optarg) == 0 ? 0 : stop(ctl, CTL_FAILED);
    case GLOBAL_HELP:
        ctl_help_print(ctl, ctl->verb);
        return stop(ctl, CTL_OK);
    case GLOBAL_VERSION:
        fprintf(ctl->out, "tracespool %s\n", TRACESPOOL_VERSION);
        return stop(ctl, CTL_OK);
    default:
        return value;
    }
}

static void offer(struct ctl_guess *guess, const struct ctl_option *table)
{
    for (; table->name != NULL; table++)
        ctl_guess_offer(guess, table->name);
}

/* The option that a long one, as it was typed, most likely means, or NULL. */
static const char *suggest(const char *word, const struct ctl_option *own)
{
    struct ctl_guess guess;

    if (strncmp(word, "--", 2) != 0)
        return NULL;
    ctl_guess_init(&guess, word + 2, strcspn(word + 2, "="));
    offer(&guess, own);
    offer(&guess, ctl_options_global);
    return guess.best;
}

static bool takes_none(const struct ctl_option *table, const char *name, size_t len)
{
    for (; table->name != NULL; table++) {
        if (table->argument == NULL && strncmp(table->name, name, len) == 0)
            return true;
    }
    return false;
}

/* `--reverse=yes`, of an option that takes no value. */
static bool has_a_value_too_many(const char *word, const struct ctl_option *own)
{
    size_t len = strcspn(word, "=");

    return strncmp(word, "--", 2) == 0 && word[len] == '=' &&
           (takes_none(own, word + 2, len - 2) || takes_none(ctl_options_global, word + 2, len - 2));
}

/* Names the mistake.  Returns the option that was most likely meant, or NULL. */
static const char *name_mistake(struct ctl *ctl, const char *word, const struct ctl_option *own, int kind)
{
    char letter[3] = {'-', (char)optopt, '\0'};
    bool is_letter = optopt > 0 && optopt < 128;

    if (kind == ':') {
        ctl_fail(ctl, "option %s needs a value", is_letter && strncmp(word, "--", 2) != 0 ? letter : word);
        return NULL;
    }
    if (optopt != 0 && has_a_value_too_many(word, own)) {
        ctl_fail(ctl, "option %.*s takes no value", (int)strcspn(word, "="), word);
        return NULL;
    }
    /* A letter out of a cluster ("-xc") is named alone, and `word` may be the one before that. */
    ctl_fail(ctl, "there is no option %s", is_letter ? letter : word);
    return is_letter ? NULL : suggest(word, own);
}

static int mistake(struct ctl *ctl, char **argv, const struct ctl_option *own, int kind)
{
    const char *verb = ctl->verb != NULL ? ctl->verb->name : NULL;
    const char *near = name_mistake(ctl, argv[optind - 1], own, kind);

    if (near != NULL)
        fprintf(ctl->err, "Did you mean --%s?\n", near);
    else
        fprintf(ctl->err, "`tracespool help%s%s` lists the options.\n", verb != NULL ? " " : "",
                verb != NULL ? verb : "");
    return stop(ctl, CTL_FAILED);
}

int ctl_options_next(struct ctl *ctl, int argc, char **argv, const struct ctl_option *own, const char **argument)
{
    struct option options[CTL_OPTIONS_MAX];
    size_t count = fill(options, fill(options, 0, ctl_options_global), own);

    char letters[LETTERS_MAX];

    memset(&options[count], 0, sizeof(options[count]));
    fill_letters(letters, ctl->verb != NULL, own);
    for (;;) {
        int value = getopt_long(argc, argv, letters, options, NULL);

        if (value == -1)
            return CTL_OPTIONS_END;
        if (value == '?' || value == ':')
            return mistake(ctl, argv, own, value);
        int taken = take_global(ctl, value);
        if (taken != 0) {
            *argument = optarg;
            return taken;
        }
    }
}

int ctl_options_number(const char *text, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;

    if (*text == '\0')
        return -1;
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(unsigned char)*text - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return -1;
        value = value * 10 + digit;
    }
    if (value > max)
        return -1;
    *number = value;
    return 0;
}
