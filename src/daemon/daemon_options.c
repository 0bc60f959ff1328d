/*
 * daemon_options.c - few options: what can be configured is in the file.
 */
#include "daemon_options.h"

#include <assert.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

#include "conf.h"

#define NAME_COLUMNS 20
#define OPTIONS_MAX 8

enum { OPTION_CHECK_CONFIG = 256, OPTION_VERSION };

const struct daemon_option daemon_options_table[] = {
    {'c', "config", "FILE", "configuration, " CONF_DEFAULT_PATH " by default"},
    {OPTION_CHECK_CONFIG, "check-config", NULL, "print every problem of the configuration and exit"},
    {OPTION_VERSION, "version", NULL, "print the version and exit"},
    {'h', "help", NULL, "print this and exit"},
    {0, NULL, NULL, NULL},
};

const struct daemon_exit daemon_options_exits[] = {
    {EX_OK, "stopped in order, or --check-config found no problem"},
    {1, "stopped at once, or --check-config found problems"},
    {EX_USAGE, "wrong usage"},
    {EX_SOFTWARE, "durability was in doubt"},
    {EX_TEMPFAIL, "no room for the spool now"},
    {EX_CONFIG, "something has to be changed in the configuration or around it"},
    {0, NULL},
};

static void print_options(FILE *out)
{
    for (const struct daemon_option *option = daemon_options_table; option->name != NULL; option++) {
        const char letter[] = {'-', (char)option->value, ',', '\0'};
        int used = fprintf(out, "  %3s --%s%s%s", option->value <= UCHAR_MAX ? letter : "", option->name,
                           option->argument != NULL ? " " : "", option->argument != NULL ? option->argument : "");

        fprintf(out, "%*s%s\n", NAME_COLUMNS + 2 - used, "", option->help);
    }
}

void daemon_options_print_help(FILE *out)
{
    fputs("Usage: tracespoold [-c FILE] [--check-config]\n\n"
          "Receives OpenTelemetry traces over OTLP/gRPC and OTLP/HTTP, answers OK when they\n"
          "are synced to the spool on disk, and delivers them to MongoDB.\n\n",
          out);
    print_options(out);
    fputs("\nEnvironment: MONGO_URI, MongoDB's connection string, wins over mongodb.uri.\n"
          "Signals: SIGTERM and SIGINT stop in order, a second one at once; SIGHUP reads\n"
          "certificates and tokens again.\n\nExit status:\n",
          out);
    for (const struct daemon_exit *end = daemon_options_exits; end->text != NULL; end++)
        fprintf(out, "  %2d  %s\n", end->status, end->text);
}

static void fill(struct option options[OPTIONS_MAX])
{
    size_t count = 0;

    for (const struct daemon_option *option = daemon_options_table; option->name != NULL; option++) {
        assert(count + 1 < OPTIONS_MAX);
        options[count++] = (struct option){
            .name = option->name,
            .has_arg = option->argument != NULL ? required_argument : no_argument,
            .val = option->value,
        };
    }
    memset(&options[count], 0, sizeof(options[count]));
}

/* getopt knows a short option by its letter, a long one only as it was written. */
static void complain(int result, char **argv)
{
    const char *written = argv[optind - 1];
    bool is_long = strncmp(written, "--", 2) == 0;
    const char *problem = result == ':' ? "needs a value" : "is not known, or takes no value";

    if (is_long)
        fprintf(stderr, "tracespoold: option %s %s\n", written, problem);
    else
        fprintf(stderr, "tracespoold: option -%c %s\n", optopt, problem);
}

static int hint(void)
{
    fputs("Try 'tracespoold --help'.\n", stderr);
    return -1;
}

int daemon_options_parse(struct daemon_options *options, int argc, char **argv)
{
    struct option long_options[OPTIONS_MAX];
    int result;

    fill(long_options);
    *options = (struct daemon_options){.action = DAEMON_RUN, .config_path = CONF_DEFAULT_PATH};
    opterr = 0;
    while ((result = getopt_long(argc, argv, ":c:h", long_options, NULL)) != -1) {
        switch (result) {
        case 'c':
            options->config_path = optarg;
            break;
        case OPTION_CHECK_CONFIG:
            options->action = DAEMON_CHECK_CONFIG;
            break;
        case OPTION_VERSION:
            options->action = DAEMON_VERSION;
            return 0;
        case 'h':
            options->action = DAEMON_HELP;
            return 0;
        default:
            complain(result, argv);
            return hint();
        }
    }
    if (optind < argc) {
        fprintf(stderr, "tracespoold: unexpected argument %s\n", argv[optind]);
        return hint();
    }
    return 0;
}
