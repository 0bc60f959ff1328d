/*
 * spool_bench.c - bench_spool COMMAND: one measurement of the spool.
 *
 * Run by bench/spool.  One JSON object on standard output; on standard error
 * what goes on, and the spool's log from debug on, in which bench/spool counts
 * how often LMDB found no run of free pages.  Exit status 0, 1 when it could
 * not be measured, 2 for arguments.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_peer.h"
#include "log.h"
#include "units.h"

#define EXIT_USAGE 2
#define OUTPUT_BYTES_MAX (16UL << 20)

static const struct command {
    const char *name;
    int (*run)(const struct bench_options *options, struct json *json, struct err *err);
} commands[] = {
    {"groups", bench_groups},         {"ring", bench_ring},   {"write", bench_write},
    {"write-peer", bench_write_peer}, {"drain", bench_drain}, {"versions", bench_versions},
};

static const struct option long_options[] = {
    {"dir", required_argument, NULL, 'd'},
    {"size", required_argument, NULL, 's'},
    {"total", required_argument, NULL, 't'},
    {"min", required_argument, NULL, 'm'},
    {"max", required_argument, NULL, 'M'},
    {"cell", required_argument, NULL, 'c'},
    {"rounds", required_argument, NULL, 'r'},
    {"seed", required_argument, NULL, 'S'},
    {NULL, 0, NULL, 0},
};

int bench_versions(const struct bench_options *options, struct json *json, struct err *err)
{
    (void)options;
    (void)err;
    json_key(json, "lmdb");
    json_text(json, bench_peer_version());
    json_key(json, "compiler");
#ifdef __clang__
    json_text(json, "clang " __clang_version__);
#else
    json_text(json, "gcc " __VERSION__);
#endif
    return 0;
}

static int parse_number(const char *text, uint64_t *number)
{
    char *end;

    *number = strtoull(text, &end, 10);
    return *text != '\0' && *end == '\0' ? 0 : -1;
}

static int take_option(struct bench_options *options, int option, const char *argument)
{
    switch (option) {
    case 'd':
        options->dir = argument;
        return 0;
    case 's':
        return units_parse_bytes(argument, &options->size_bytes);
    case 't':
        return units_parse_bytes(argument, &options->total_bytes);
    case 'm':
        return units_parse_bytes(argument, &options->min_bytes);
    case 'M':
        return units_parse_bytes(argument, &options->max_bytes);
    case 'c':
        return units_parse_duration(argument, &options->cell_ns);
    case 'r':
        return parse_number(argument, &options->rounds);
    case 'S':
        return parse_number(argument, &options->seed);
    default:
        return -1;
    }
}

static int parse_options(struct bench_options *options, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (take_option(options, option, optarg) == -1)
            return -1;
    }
    return optind == argc && options->min_bytes > 0 && options->min_bytes <= options->max_bytes ? 0 : -1;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int run_command(const struct command *command, const struct bench_options *options)
{
    struct json json;
    struct buf out;
    struct err err;
    int rc;

    buf_init(&out, OUTPUT_BYTES_MAX);
    json_init(&json, &out);
    json_begin_object(&json);
    rc = command->run(options, &json, &err);
    if (rc == -1) {
        fprintf(stderr, "bench_spool %s: %s\n", command->name, err.text);
    } else {
        json_end_object(&json);
        rc = out.failed || fwrite(out.data, 1, out.len, stdout) != out.len || putchar('\n') == EOF ? -1 : 0;
    }
    buf_fini(&out);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct bench_options options = {.size_bytes = 1UL << 30,
                                    .total_bytes = 1UL << 30,
                                    .min_bytes = 3000,
                                    .max_bytes = 260000,
                                    .cell_ns = 500000000,
                                    .rounds = 3,
                                    .seed = 1};
    const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;

    if (command == NULL || parse_options(&options, argc - 1, argv + 1) == -1 ||
        (options.dir == NULL && command->run != bench_versions)) {
        fprintf(
            stderr,
            "usage: bench_spool groups|ring|write|write-peer|drain|versions --dir DIR [--size SIZE] [--total SIZE]\n"
            "           [--min SIZE] [--max SIZE] [--cell DURATION] [--rounds N] [--seed N]\n");
        return EXIT_USAGE;
    }
    log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
    return run_command(command, &options);
}
