/*
 * main.c - tracespoold: the one place that knows all parts.
 *
 * Built left to right and torn down right to left: tracing, spool, writer,
 * sink, flusher, admin, receiver.  Tracing is around all, since all record
 * spans.  The receiver is last, so that nothing is accepted
 * before it can be stored and delivered, and the first to go, so that what was
 * acknowledged is committed before the spool closes.
 *
 * Main's thread builds, waits for a signal and tears down; all work is done by
 * the parts' threads.  What fails at the start ends the process with an exit
 * status that tells what kind of failure it was.  When durability is in doubt
 * later, the spool's writer calls leave_fatally() and nothing is torn down:
 * what is on disk is what the next start goes on from.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin.h"
#include "conf.h"
#include "daemon_config.h"
#include "daemon_limits.h"
#include "daemon_options.h"
#include "daemon_reload.h"
#include "daemon_service.h"
#include "daemon_signals.h"
#include "fault.h"
#include "flush.h"
#include "log.h"
#include "metrics.h"
#include "receiver.h"
#include "sink_mongo.h"
#include "spool.h"
#include "spool_writer.h"
#include "units.h"

struct daemon {
    /* Set once, in this order. */
    const struct conf *conf;
    const char *path;               /* it was loaded from */
    struct tracing_export *tracing; /* NULL: off */
    struct spool *spool;
    struct spool_writer *writer;
    struct sink *sink;
    struct flusher *flusher;
    struct admin *admin;
    struct receiver *receiver;

    atomic_bool accepting; /* the receiver runs and is not stopping */
};

static void leave_fatally(const struct err *err)
{
    log_error("daemon.fatal", "durability is in doubt, leaving at once: %s", err->text);
    _exit(EX_SOFTWARE);
}

/* --- the parts ------------------------------------------------------------ */

static void log_spool(struct spool *spool, const char *path)
{
    char size[UNITS_TEXT_MAX];
    struct spool_stat stat;
    struct err err;

    if (spool_stat(spool, &stat, &err) != 0) {
        log_warn("spool.stat_failed", "%s", err.text);
        return;
    }
    log_info("spool.opened", "path=%s size=%s pending_records=%" PRIu64 " pending_spans=%" PRIu64 " parked=%" PRIu64,
             path, units_format_bytes(size, stat.size_bytes), stat.pending_records, stat.pending_spans,
             stat.parked_entries);
}

static int open_spool(struct daemon *daemon, struct err *err)
{
    const struct conf *conf = daemon->conf;
    struct spool_options options = {
        .path = conf->spool.path,
        .size_bytes = conf->spool.size,
        .reserve = conf->spool.reserve,
        .history_ns = conf->spool.history,
        .drop_oldest = strcmp(conf->spool.when_full, "drop_oldest") == 0,
    };

    if (spool_open(&daemon->spool, &options, err) != 0)
        return -1;
    log_spool(daemon->spool, conf->spool.path);
    return 0;
}

static int start_tracing(struct daemon *daemon, struct err *err)
{
    struct tracing_export_options options = daemon_config_tracing(daemon->conf);

    return tracing_export_start(&daemon->tracing, &options, err);
}

static int make_sink(struct daemon *daemon, struct err *err)
{
    struct sink_mongo_options options = daemon_config_sink(daemon->conf);
    char uri[SINK_URI_BYTES_MAX];

    if (sink_mongo_new(&daemon->sink, &options, err) != 0)
        return -1;
    sink_mongo_mask_uri(uri, sizeof(uri), options.uri);
    log_info("mongodb.configured", "uri=%s database=%s", uri, options.database);
    return 0;
}

static int start_flusher(struct daemon *daemon, struct err *err)
{
    const struct conf *conf = daemon->conf;
    struct flush_options options = {
        .settings = daemon_reload_flush_settings(conf),
        .threads = (unsigned)conf->flush.threads,
        .max_request_bytes = conf->receiver.max_request_bytes,
        .unknown_ms = FLUSH_UNKNOWN_MS,
    };

    return flusher_start(&daemon->flusher, &options, daemon->spool, daemon->writer, daemon->sink, err);
}

/* The address as configured, with the port that was bound; 0 is a socket's in a file. */
static const char *bound_address(char text[ERR_TEXT_MAX], const char *address, int port)
{
    if (port == 0)
        snprintf(text, ERR_TEXT_MAX, "%s", address);
    else
        snprintf(text, ERR_TEXT_MAX, "%.*s:%d", (int)(strrchr(address, ':') - address), address, port);
    return text;
}

static bool is_ready(void *context)
{
    struct daemon *daemon = context;

    return atomic_load(&daemon->accepting) && spool_writer_admits(daemon->writer);
}

static void refresh_gauges(void *context)
{
    struct daemon *daemon = context;

    spool_refresh_metrics(daemon->spool);
    sink_mongo_refresh_metrics(daemon->sink);
}

static int start_admin(struct daemon *daemon, struct err *err)
{
    struct admin_options options = {
        .listen = daemon->conf->admin.listen,
        .ready = is_ready,
        .refresh = refresh_gauges,
        .context = daemon,
    };
    char text[ERR_TEXT_MAX];

    if (admin_start(&daemon->admin, &options, err) != 0)
        return -1;
    if (daemon->admin != NULL)
        log_info("admin.listening", "address=%s", bound_address(text, options.listen, admin_port(daemon->admin)));
    return 0;
}

static int start_receiver(struct daemon *daemon, struct err *err)
{
    const struct conf *conf = daemon->conf;
    struct receiver_options options = daemon_config_receiver(conf);
    char text[ERR_TEXT_MAX];

    daemon_limits_raise(conf);
    if (receiver_start(&daemon->receiver, &options, daemon->writer, err) != 0)
        return -1;
    if (options.grpc[0] != '\0')
        log_info("receiver.grpc_listening", "address=%s",
                 bound_address(text, options.grpc, receiver_grpc_port(daemon->receiver)));
    if (options.http[0] != '\0')
        log_info("receiver.http_listening", "address=%s",
                 bound_address(text, options.http, receiver_http_port(daemon->receiver)));
    return 0;
}

/* --- running -------------------------------------------------------------- */

/* Beyond the calls' time: a flush in hand, the last commit, the last spans. */
#define STOP_SLACK_NS ((SINK_SOCKET_TIMEOUT_MS + SINK_SELECTION_TIMEOUT_MS + TRACING_STOP_MS + 30000) * NS_PER_MS)

static void look(void *context, bool only_changed)
{
    struct daemon *daemon = context;

    if (!only_changed)
        daemon_reload(daemon->conf, daemon->path, daemon->flusher);
    receiver_reload(daemon->receiver, only_changed);
    daemon_service_look(daemon->spool);
}

/* From READY to the signal that ends it. */
static void serve(struct daemon *daemon)
{
    uint64_t stop_ns = daemon->conf->receiver.stop_timeout + STOP_SLACK_NS;
    int signal;

    atomic_store(&daemon->accepting, true);
    daemon_service_ready();
    log_info("daemon.ready", "traces are accepted");

    signal = daemon_signals_wait(look, daemon);
    atomic_store(&daemon->accepting, false);
    daemon_signals_leave_at_next();
    daemon_service_stopping(stop_ns);
    log_info("daemon.stopping", "signal=SIG%s", sigabbrev_np(signal));
}

static int exit_status(const struct err *err)
{
    switch (err->class) {
    case ERR_CONFIG:
        return EX_CONFIG;
    case ERR_BUSY:
    case ERR_RETRY:
        return EX_TEMPFAIL;
    default:
        return EX_SOFTWARE;
    }
}

static int run_parts(const struct conf *conf, const char *path)
{
    struct daemon daemon = {.conf = conf, .path = path};
    struct err err;
    int status;

    if (start_tracing(&daemon, &err) != 0)
        goto fail;
    if (open_spool(&daemon, &err) != 0)
        goto fail_tracing;
    if (spool_writer_start(&daemon.writer, daemon.spool, leave_fatally, &err) != 0)
        goto fail_spool;
    if (make_sink(&daemon, &err) != 0)
        goto fail_writer;
    if (sink_mongo_start_upkeep(daemon.sink, &err) != 0 || start_flusher(&daemon, &err) != 0)
        goto fail_sink;
    if (start_admin(&daemon, &err) != 0)
        goto fail_flusher;
    if (start_receiver(&daemon, &err) != 0)
        goto fail_admin;

    serve(&daemon);

    receiver_stop(daemon.receiver, (unsigned)(conf->receiver.stop_timeout / NS_PER_MS));
    admin_stop(daemon.admin);
    sink_mongo_end_upkeep(daemon.sink);
    flusher_stop(daemon.flusher);
    sink_mongo_free(daemon.sink);
    spool_writer_stop(daemon.writer);
    spool_close(daemon.spool);
    tracing_export_stop(daemon.tracing);
    log_info("daemon.stopped", "all that was acknowledged is in the spool or in MongoDB");
    return EX_OK;

fail_admin:
    admin_stop(daemon.admin);
fail_flusher:
    flusher_stop(daemon.flusher);
fail_sink:
    sink_mongo_free(daemon.sink);
fail_writer:
    spool_writer_stop(daemon.writer);
fail_spool:
    spool_close(daemon.spool);
fail_tracing:
    tracing_export_stop(daemon.tracing);
fail:
    status = exit_status(&err);
    log_error("daemon.failed", "%s", err.text);
    return status;
}

/* --- the process ----------------------------------------------------------- */

static int run_daemon(const char *path)
{
    struct conf conf;
    int status;

    if (daemon_config_load(&conf, path) != 0)
        return EX_CONFIG;
    daemon_reload_configure_log(&conf);
    metrics_set(METRIC_BUILD_INFO, 1);
    metrics_set(METRIC_SPOOL_DRAINED_IN_SECONDS, METRICS_UNKNOWN);
    log_info("daemon.starting", "version=%s pid=%d", TRACESPOOL_VERSION, (int)getpid());
    sink_mongo_init();
    status = run_parts(&conf, path);
    sink_mongo_cleanup();
    conf_free(&conf);
    return status;
}

int main(int argc, char **argv)
{
    struct daemon_options options;

    umask(0077); /* traces hold what users typed */
    if (daemon_options_parse(&options, argc, argv) != 0)
        return EX_USAGE;
    switch (options.action) {
    case DAEMON_HELP:
        daemon_options_print_help(stdout);
        return 0;
    case DAEMON_VERSION:
        puts("tracespoold " TRACESPOOL_VERSION);
        return 0;
    case DAEMON_CHECK_CONFIG:
        return daemon_config_check(options.config_path) == 0 ? 0 : 1;
    case DAEMON_RUN:
        break;
    }
    fault_arm_from_environment();
    log_detect_journal();
    daemon_limits_keep_memory();
    daemon_signals_block();
    return run_daemon(options.config_path);
}
