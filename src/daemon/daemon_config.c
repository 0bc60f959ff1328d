/*
 * daemon_config.c - loading the configuration, and --check-config.
 *
 * A problem is told as compilers do, so that editors and people find the line:
 * bare by --check-config, and by the daemon as an event like any other, in the
 * log's default format where that is what the file would have told.
 */
#include "daemon_config.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "units.h"

static void print_problem(void *context, const char *file, int line, const char *text)
{
    (void)context;
    if (line > 0)
        fprintf(stderr, "%s:%d: %s\n", file, line, text);
    else
        fprintf(stderr, "%s: %s\n", file, text);
}

static void log_problem(void *context, const char *file, int line, const char *text)
{
    (void)context;
    if (line > 0)
        log_error("daemon.configuration_refused", "%s:%d: %s", file, line, text);
    else
        log_error("daemon.configuration_refused", "%s: %s", file, text);
}

int daemon_config_load(struct conf *conf, const char *path)
{
    return conf_load(conf, path, log_problem, NULL) == 0 ? 0 : -1;
}

struct sink_mongo_options daemon_config_sink(const struct conf *conf)
{
    struct sink_mongo_options options = {
        .uri = conf->mongodb.uri,
        .database = conf->mongodb.database,
        .compressor = conf->mongodb.compressor,
        .sessions = (unsigned)conf->flush.threads,
        .retention_ns = conf->mongodb.retention,
        .drop_oldest = strcmp(conf->mongodb.when_full, "drop_oldest") == 0,
        .shard = conf->mongodb.shard,
    };

    /* The load has checked that it is one of the two. */
    if (units_parse_share(conf->mongodb.min_free, &options.min_free_millionths) != 0)
        (void)units_parse_bytes(conf->mongodb.min_free, &options.min_free_bytes);
    return options;
}

/* Only the driver can tell whether it takes a connection string. */
static int check_sink(const struct conf *conf, const char *path)
{
    struct sink_mongo_options options = daemon_config_sink(conf);
    struct err err;

    if (sink_mongo_check(&options, &err) == 0)
        return 0;
    print_problem(NULL, path, 0, err.text);
    return -1;
}

int daemon_config_check(const char *path)
{
    struct conf conf;
    int result;

    if (conf_load(&conf, path, print_problem, NULL) != 0)
        return -1;
    result = check_sink(&conf, path);
    if (result == 0)
        printf("%s: OK\n", path);
    conf_free(&conf);
    return result;
}

struct receiver_options daemon_config_receiver(const struct conf *conf)
{
    return (struct receiver_options){
        .grpc = conf->receiver.grpc,
        .http = conf->receiver.http,
        .tls = {.cert_file = conf->receiver_tls.cert_file,
                .key_file = conf->receiver_tls.key_file,
                .client_ca_file = conf->receiver_tls.client_ca_file},
        .bearer_tokens_file = conf->receiver.bearer_tokens_file,
        .threads = (unsigned)conf->receiver.threads,
        .intake = {.max_request_bytes = conf->receiver.max_request_bytes,
                   .max_depth = (unsigned)conf->receiver.max_depth,
                   .max_in_flight_bytes = conf->receiver.max_in_flight_bytes,
                   .max_calls = (unsigned)conf->receiver.max_calls},
        .max_connections = (unsigned)conf->receiver.max_connections,
        .max_header_bytes = conf->receiver.max_header_bytes,
        .read_timeout_ms = (unsigned)(conf->receiver.read_timeout / NS_PER_MS),
        .idle_timeout_ms = (unsigned)(conf->receiver.idle_timeout / NS_PER_MS),
    };
}

struct tracing_export_options daemon_config_tracing(const struct conf *conf)
{
    uint64_t millionths = 0;

    (void)units_parse_share(conf->tracing.sample_ratio, &millionths); /* the load has checked it */
    return (struct tracing_export_options){
        .endpoint = conf->tracing.endpoint,
        .ratio_millionths = (uint32_t)millionths,
        .ca_file = conf->tracing.ca_file,
        .token_file = conf->tracing.token_file,
    };
}
