/*
 * daemon_options.c - few options: what can be configured is in the file.
 */
#include "daemon_options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "conf.h"

enum { OPTION_CHECK_CONFIG = 256, OPTION_VERSION };

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"check-config", no_argument, NULL, OPTION_CHECK_CONFIG},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

const char daemon_options_help[] = "Usage: tracespoold [-c FILE] [--check-config]\n"
                                   "\n"
                                   "Receives OpenTelemetry traces over OTLP/gRPC, answers OK when they are synced\n"
                                   "to the spool on disk, and delivers them to MongoDB.\n"
                                   "\n"
                                   "  -c, --config FILE   configuration, " CONF_DEFAULT_PATH " by default\n"
                                   "      --check-config  print every problem of the configuration and exit\n"
                                   "      --version       print the version and exit\n"
                                   "  -h, --help          print this and exit\n"
                                   "\n"
                                   "Environment: MONGO_URI, MongoDB's connection string, wins over mongodb.uri.\n"
                                   "Signals: SIGTERM and SIGINT stop in order, a second one at once.\n"
                                   "Exit status: 0 stopped in order; 1 stopped at once, or --check-config found\n"
                                   "problems; 64 wrong usage; 70 durability was in doubt; 75 no room for the spool\n"
                                   "now; 78 something has to be changed in the configuration or around it.\n";

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
    int result;

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
