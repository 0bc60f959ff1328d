/*
 * ingest_load.c - a client that loads an OTLP/gRPC server with spans.
 *
 * Run by bench/ingest_run.py.  Requests are encoded first; then one thread
 * makes calls for the warm-up and the time that is measured, and one JSON
 * object of raw figures is written to standard output.  Exit status 0 whatever
 * was answered, which the figures say; 1 when it could not be measured, 2 for
 * arguments.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "ingest_drive.h"
#include "json.h"
#include "units.h"

#define EXIT_USAGE 2
#define OUTPUT_BYTES_MAX (64UL << 10)
#define SPANS_MAX 100000
#define IN_FLIGHT_MAX 4096

struct options {
    struct ingest_load load;
    const char *captures;
    uint64_t connections;
    uint64_t in_flight; /* on all connections */
    uint64_t spans;     /* of a request */
    uint64_t requests;  /* in the pool */
};

static const struct option long_options[] = {
    {"target", required_argument, NULL, 't'},
    {"captures", required_argument, NULL, 'p'},
    {"spans", required_argument, NULL, 's'},
    {"requests", required_argument, NULL, 'n'},
    {"connections", required_argument, NULL, 'c'},
    {"in-flight", required_argument, NULL, 'f'},
    {"rate", required_argument, NULL, 'r'},
    {"warm-up", required_argument, NULL, 'w'},
    {"duration", required_argument, NULL, 'd'},
    {"seed", required_argument, NULL, 'S'},
    {NULL, 0, NULL, 0},
};

static const char usage[] = "usage: ingest_load --target HOST:PORT --captures DIR [OPTION...]\n"
                            "\n"
                            "  --spans N        of a request (default 100)\n"
                            "  --requests N     encoded beforehand, in use by turns (default 256)\n"
                            "  --connections N  (default 4)\n"
                            "  --in-flight N    calls at a time, on all connections together (default 64)\n"
                            "  --rate N         calls a second; without it, one as soon as another is answered\n"
                            "  --warm-up TIME   that is not measured (default 2s)\n"
                            "  --duration TIME  that is (default 10s)\n"
                            "  --seed N         of ids and of the order (default: of the clock)\n";

/* --- arguments ------------------------------------------------------------------- */

static int parse_number(const char *text, uint64_t *number)
{
    char *end;

    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' ? 0 : -1;
}

static int parse_rate(const char *text, double *rate)
{
    char *end;

    *rate = strtod(text, &end);
    return *end == '\0' && *rate > 0 && *rate < 1e9 ? 0 : -1;
}

static int take_option(struct options *options, int option, const char *argument)
{
    switch (option) {
    case 't':
        options->load.target = argument;
        return 0;
    case 'p':
        options->captures = argument;
        return 0;
    case 's':
        return parse_number(argument, &options->spans);
    case 'n':
        return parse_number(argument, &options->requests);
    case 'c':
        return parse_number(argument, &options->connections);
    case 'f':
        return parse_number(argument, &options->in_flight);
    case 'r':
        return parse_rate(argument, &options->load.rate);
    case 'w':
        return units_parse_duration(argument, &options->load.warm_up_ns);
    case 'd':
        return units_parse_duration(argument, &options->load.duration_ns);
    case 'S':
        return parse_number(argument, &options->load.seed);
    default:
        return -1;
    }
}

/* A connection has as many calls as another, and a request for each. */
static int check_options(struct options *options)
{
    if (options->load.target == NULL || options->captures == NULL || options->load.duration_ns == 0)
        return -1;
    if (options->spans == 0 || options->spans > SPANS_MAX)
        return -1;
    if (options->connections == 0 || options->connections > INGEST_CONNECTIONS_MAX)
        return -1;
    if (options->in_flight == 0 || options->in_flight > IN_FLIGHT_MAX || options->in_flight % options->connections != 0)
        return -1;
    if (options->requests < options->in_flight || options->requests > INGEST_POOL_REQUESTS_MAX)
        return -1;
    options->load.connections = (unsigned)options->connections;
    options->load.in_flight = (unsigned)(options->in_flight / options->connections);
    return 0;
}

static int parse_options(struct options *options, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (take_option(options, option, optarg) == -1)
            return -1;
    }
    return optind == argc ? check_options(options) : -1;
}

/* --- figures ----------------------------------------------------------------------- */

static double seconds(uint64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}

static void put_double(struct json *json, const char *key, double value)
{
    json_key(json, key);
    json_double(json, value);
}

static void put_load(struct json *json, const struct options *options)
{
    json_key(json, "mode");
    json_text(json, options->load.rate > 0 ? "open" : "closed");
    put_double(json, "rate", options->load.rate);
    json_member_uint(json, "connections", options->connections);
    json_member_uint(json, "in_flight", options->in_flight);
    json_member_uint(json, "spans_a_request", options->spans);
    put_double(json, "warm_up_s", seconds(options->load.warm_up_ns));
    put_double(json, "duration_s", seconds(options->load.duration_ns));
}

static void put_count(struct json *json, const char *key, const struct ingest_count *count)
{
    json_key(json, key);
    json_begin_object(json);
    json_member_uint(json, "requests", count->requests);
    json_member_uint(json, "spans", count->spans);
    json_member_uint(json, "bytes", count->bytes);
    json_end_object(json);
}

static void put_latency(struct json *json, const struct ingest_histogram *latency)
{
    static const struct {
        const char *name;
        unsigned per_myriad;
    } wanted[] = {{"p50", 5000}, {"p90", 9000}, {"p99", 9900}, {"p999", 9990}, {"max", 10000}};

    json_key(json, "latency_ns");
    json_begin_object(json);
    json_member_uint(json, "count", latency->count);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        json_member_uint(json, wanted[i].name, ingest_histogram_at(latency, wanted[i].per_myriad));
    json_end_object(json);
}

/* Verdicts with 0 as well, since what did not happen is a figure; of codes those that came. */
static void put_answers(struct json *json, const struct ingest_result *result)
{
    json_key(json, "answers");
    json_begin_object(json);
    for (unsigned i = 0; i < INGEST_VERDICTS; i++)
        json_member_uint(json, ingest_reply_verdict_name(i), result->answers[i]);
    json_end_object(json);
    json_key(json, "grpc_codes");
    json_begin_object(json);
    for (unsigned i = 0; i < INGEST_CODES; i++) {
        if (result->codes[i] > 0)
            json_member_uint(json, ingest_reply_code_name(i), result->codes[i]);
    }
    json_end_object(json);
}

static int print_result(const struct options *options, const struct ingest_result *result)
{
    struct json json;
    struct buf out;
    int rc;

    buf_init(&out, OUTPUT_BYTES_MAX);
    json_init(&json, &out);
    json_begin_object(&json);
    put_load(&json, options);
    put_count(&json, "in_window", &result->in_window);
    put_double(&json, "requests_per_s", (double)result->in_window.requests / seconds(options->load.duration_ns));
    put_double(&json, "spans_per_s", (double)result->in_window.spans / seconds(options->load.duration_ns));
    put_latency(&json, &result->latency);
    put_count(&json, "acknowledged", &result->acknowledged);
    put_answers(&json, result);
    put_double(&json, "elapsed_s", seconds(result->elapsed_ns));
    put_double(&json, "cpu_s", seconds(result->cpu_ns));
    json_end_object(&json);
    rc = out.failed || fwrite(out.data, 1, out.len, stdout) != out.len || putchar('\n') == EOF ? -1 : 0;
    buf_fini(&out);
    return rc;
}

static int measure(const struct options *options, struct ingest_result *result, struct err *err)
{
    struct ingest_pool pool;
    int rc = ingest_pool_init(&pool, options->captures, (uint32_t)options->spans, (unsigned)options->requests,
                              options->load.seed, err);

    if (rc == 0)
        rc = ingest_drive(&options->load, &pool, result, err);
    ingest_pool_fini(&pool);
    return rc;
}

int main(int argc, char **argv)
{
    static struct ingest_result result;
    struct options options = {
        .load = {.warm_up_ns = 2 * NS_PER_S, .duration_ns = 10 * NS_PER_S, .seed = clock_wall_ns()},
        .connections = 4,
        .in_flight = 64,
        .spans = 100,
        .requests = 256,
    };
    struct err err;

    if (parse_options(&options, argc, argv) == -1) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (measure(&options, &result, &err) < 0) {
        fprintf(stderr, "ingest_load: %s\n", err.text);
        return EXIT_FAILURE;
    }
    return print_result(&options, &result) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
