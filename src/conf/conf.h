/*
 * conf.h - tracespool.conf as a plain struct.
 *
 * struct conf has a member for each section and in it one for each key, by
 * the names of the file: conf.spool.size is `size` in `spool`, and
 * conf.receiver_tls.cert_file is `cert_file` in `tls` in `receiver`. Sizes are
 * bytes, durations are ns. The texts are owned by the struct.
 */
#ifndef TRACESPOOL_CONF_H
#define TRACESPOOL_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "clock.h"
#include "err.h"

#define CONF_DEFAULT_PATH TRACESPOOL_CONF_DIR "/tracespool.conf" /* the directory comes from the build */

struct conf_origin; /* conf_list.h shows what is in it */

struct conf {
    struct {
        char *grpc; /* host:port, [v6]:port, unix:/path or ""; at least one of the two is not empty */
        char *http;
        bool insecure;
        uint64_t threads;
        uint64_t max_request_bytes;
        uint64_t max_depth;
        uint64_t max_in_flight_bytes; /* at least twice max_request_bytes */
        uint64_t max_connections;
        uint64_t max_calls;
        uint64_t max_header_bytes;
        uint64_t read_timeout; /* ns */
        uint64_t idle_timeout; /* ns */
        uint64_t stop_timeout; /* ns */
        char *bearer_tokens_file;
    } receiver;
    struct {
        char *cert_file; /* all three may be "": no TLS; a certificate has a key, a CA has both */
        char *key_file;
        char *client_ca_file;
    } receiver_tls;
    struct {
        char *path;
        uint64_t size; /* bytes */
        bool reserve;
        uint64_t history; /* ns */
        char *when_full;  /* "refuse" or "drop_oldest" */
    } spool;
    struct {
        char *order; /* "oldest_first", "newest_first" or "both" */
        uint64_t threads;
        uint64_t batch_documents;
        uint64_t rate;
    } flush;
    struct {
        char *uri;
        char *database;
        char *compressor;
        uint64_t retention; /* ns; 0: for ever */
        char *min_free;     /* a share or a size, as units.h reads them */
        char *when_full;    /* "wait" or "drop_oldest" */
        bool shard;
    } mongodb;
    struct {
        char *listen;
    } admin;
    struct {
        char *endpoint;     /* "": off */
        char *sample_ratio; /* a share, as units.h reads it */
        char *ca_file;      /* "": the system's authorities; else the endpoint is https, or "" */
        char *token_file;   /* "": no token */
    } tracing;
    struct {
        char *level;
        char *format;
    } log;

    struct conf_origin *origins; /* of each key, by the table's order */
};

/* One thing that is wrong.  `line` is 0 when it has none (environment, missing file). */
typedef void conf_problem(void *context, const char *file, int line, const char *text);

/*
 * Defaults, then the file, then MONGO_URI.  `path` NULL: defaults and the
 * environment only.  Every problem is reported, not just the first; the
 * return value is their number, and *conf is valid (and to be freed) only
 * when that is 0.  Problem texts never hold the connection string.
 */
unsigned conf_load(struct conf *conf, const char *path, conf_problem *problem, void *context);
void conf_free(struct conf *conf);

#endif
